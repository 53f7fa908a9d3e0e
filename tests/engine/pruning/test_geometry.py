"""Angle, norm and margin against closed forms and searches; the classifier; maps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.optimize import LinearConstraint, minimize
from torch import nn

from engine.errors import Cancelled, InputError, ModelError, ParameterError
from engine.heads.pictures import load_pictures
from engine.inputs.samples import load_sample, load_sample_set
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import ImageSpec
from engine.pruning.geometry.classifier import Classifier, features_of, find_classifier
from engine.pruning.geometry.measures import geometry_of, measures_at
from engine.pruning.geometry.occluding import measure_map, occlusion_cost
from engine.pruning.geometry.similarity import similarity_map, vectors_of
from tests.engine import zoo
from tests.engine.attention import library
from tests.engine.counting import counted, hooks_on


def drawn(classes: int = 5, width: int = 6, count: int = 8) -> tuple[Classifier, np.ndarray]:
    rng = np.random.default_rng(0)
    classifier = Classifier("head", rng.normal(size=(classes, width)), rng.normal(size=classes))
    return classifier, rng.normal(size=(count, width)) * 2


def test_by_loops() -> None:
    classifier, x = drawn()
    labels = np.arange(8) % 5
    found = measures_at(classifier, x, labels)
    weight, bias = classifier.weight, classifier.bias
    for i, y in enumerate(labels):
        cosine = x[i] @ weight[y] / np.sqrt((x[i] @ x[i]) * (weight[y] @ weight[y]))
        assert found.angle[i] == pytest.approx(np.degrees(np.arccos(cosine)))
        assert found.norm[i] == pytest.approx(np.sqrt(sum(v * v for v in x[i])))
        margins = [
            ((weight[y] - weight[j]) @ x[i] + bias[y] - bias[j])
            / np.linalg.norm(weight[y] - weight[j])
            for j in range(5)
            if j != y
        ]
        assert found.margin[i] == pytest.approx(min(margins))


def test_margin_is_the_smallest_step_that_changes_the_class() -> None:
    """Found by a search that knows nothing of the formula: least ‖d‖ with another class level."""
    classifier, x = drawn(count=4)
    predicted = classifier.logits(x).argmax(axis=1)
    margins = measures_at(classifier, x, predicted).margin
    for row, y, margin in zip(x, predicted, margins, strict=True):
        steps = []
        for j in set(range(5)) - {int(y)}:
            level = LinearConstraint(classifier.weight[j] - classifier.weight[y],
                lb=classifier.bias[y] - classifier.bias[j]
                - (classifier.weight[j] - classifier.weight[y]) @ row)  # fmt: skip
            found = minimize(lambda d: d @ d, np.full(6, 0.1), constraints=[level], tol=1e-14)
            steps.append((np.linalg.norm(found.x), found.x))
        length, step = min(steps, key=lambda one: one[0])
        assert margin == pytest.approx(length, rel=1e-4)
        assert classifier.logits(row + 0.999 * step).argmax() == y
        assert classifier.logits(row + 1.001 * step).argmax() != y


def test_margin_is_below_zero_exactly_where_the_class_is_another() -> None:
    classifier, x = drawn(count=50)
    labels = np.arange(50) % 5
    wrong = classifier.logits(x).argmax(axis=1) != labels
    assert ((measures_at(classifier, x, labels).margin < 0) == wrong).all()
    assert 0 < wrong.sum() < 50


def test_limits() -> None:
    weight = np.array([[1.0, 0], [0, 1], [1, 0]])
    classifier = Classifier("head", weight, np.zeros(3))
    found = measures_at(classifier, np.array([[3.0, 0], [0, 0]]), np.array([0, 1]))
    assert found.angle[0] == pytest.approx(0)
    assert np.isnan(found.angle[1])  # of nothing
    assert found.margin[0] == pytest.approx(3 / np.sqrt(2))  # its twin has no boundary with it


class Pointwise(nn.Module):
    def __init__(self, mean_first: bool) -> None:
        super().__init__()
        self.body, self.head = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 4, 1)
        self.mean_first = mean_first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.body(x).relu()
        if self.mean_first:
            return self.head(x.mean((2, 3), keepdim=True)).flatten(1)
        return self.head(x).mean((2, 3))


def small(build: Callable[[], nn.Module]) -> LoadedModel:
    spec = ImageSpec(16, 16, mean=(0.5,) * 3, std=(0.25,) * 3)
    return load_model(zoo.seeded(build), input_spec=spec, device="cpu")


@pytest.mark.parametrize(
    ("model", "layer"),
    [
        (lambda: zoo.load("tiny-cnn"), "linear"),
        (lambda: zoo.load("tiny-vit"), "head"),
        (lambda: zoo.load("image-linear"), "linear"),
        (lambda: zoo.load("mlp"), "second"),
        (lambda: zoo.load("table"), "third"),
        (lambda: small(lambda: Pointwise(True)), "head"),
        (lambda: small(lambda: Pointwise(False)), "head"),
        (lambda: load_model("scenes-vgg", device="cpu"), None),
        (lambda: load_model("scenes-vit", device="cpu"), None),
        (lambda: load_model("imagenet-cnn", device="cpu"), None),
        (lambda: load_model("torchvision:mobilenet_v2?weights=none", device="cpu"), "classifier.1"),
    ],
)
def test_logits_come_from_the_layer_that_is_found(
    model: Callable[[], LoadedModel], layer: str | None
) -> None:
    found = model()
    classifier = find_classifier(found)
    assert layer in (None, classifier.layer)
    x = zoo.noise(found, 3)
    with torch.no_grad():
        logits = found.forward(x).double().numpy()
        features = features_of(found, classifier).forward(x).numpy()
    assert classifier.logits(features) == pytest.approx(logits, abs=1e-4 * np.abs(logits).max())
    assert hooks_on(found.module) == 0


@pytest.mark.parametrize("name", list(library.MAKES))
def test_transformers_of_every_library(name: str) -> None:
    model = library.load(name)
    if name in ("transformers-deit-pair", "timm-deit"):  # the mean of two heads
        with pytest.raises(ModelError, match="does not end in one linear layer"):
            find_classifier(model)
        return
    found, x = geometry_of(model, zoo.noise(model, 3)), zoo.noise(model, 3)
    with torch.no_grad():
        assert (found.predicted == model.forward(x).argmax(1).numpy()).all()


def test_one_logit_has_two_sides() -> None:
    model = zoo.load("one-logit-cnn")
    classifier = find_classifier(model)
    x = zoo.noise(model, 3)
    with torch.no_grad():
        logit = model.forward(x).numpy()[:, 0]
        features = features_of(model, classifier).forward(x).numpy()
    both = classifier.logits(features)
    assert both[:, 0] - both[:, 1] == pytest.approx(logit, abs=1e-5)
    margins = measures_at(classifier, features, np.zeros(3, int)).margin
    weight = model.module.linear.weight.detach().numpy()
    assert margins == pytest.approx(logit / np.linalg.norm(weight), abs=1e-5)


class Twice(zoo.TinyCnn):
    """Two heads whose mean are the logits."""

    def __init__(self) -> None:
        super().__init__()
        self.other = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.relu2(self.bn2(self.conv2(self.relu1(self.conv1(x)))))).flatten(1)
        return (self.linear(x) + self.other(x)) / 2


def test_networks_without_one_linear_layer_at_the_end() -> None:
    squeezed = load_model("torchvision:squeezenet1_1?weights=none", device="cpu")  # ends in a ReLU
    for model in (small(Twice), zoo.load("forest"), squeezed):
        with pytest.raises(ModelError, match="does not end in one linear layer"):
            find_classifier(model)


def test_of_a_set() -> None:
    model, images = (
        load_model("scenes-vgg", device="cpu"),
        load_sample_set("scenes").part(range(12)),
    )
    told: list[tuple[int, int]] = []
    with counted(model.module) as passes:
        found = geometry_of(model, images, progress=lambda *t: told.append(t))
    assert passes.forward == 12 + 2  # two to find the classifier
    assert told[-1] == (12, 12)
    pictures = load_pictures(model, images)
    assert (found.labels == pictures.labels).all()
    with torch.no_grad():
        logits = model.forward(torch.cat([pictures.prepared(i) for i in range(12)]))
    assert (found.predicted == logits.argmax(1).numpy()).all()
    assert ((found.measures.margin < 0) == (found.predicted != found.labels)).all()
    assert found.features.shape == (12, find_classifier(model).weight.shape[1])


def test_classes_of_pictures_without_labels() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model, 4)
    own = geometry_of(model, x)
    assert (own.labels == own.predicted).all()
    assert (own.measures.margin >= 0).all()
    held = geometry_of(model, x, classes=np.array([0, 1, 2, 0]))
    assert held.labels.tolist() == [0, 1, 2, 0]
    with pytest.raises(InputError, match="3 classes for 4 pictures"):
        geometry_of(model, x, classes=np.zeros(3))


def test_cancelled() -> None:
    class Now:
        def is_set(self) -> bool:
            return True

    model = zoo.load("tiny-cnn")
    with pytest.raises(Cancelled):
        geometry_of(model, zoo.noise(model, 2), cancel=Now())
    with pytest.raises(Cancelled):
        measure_map(model, model, zoo.noise(model), cancel=Now())


def by_prim(distances: np.ndarray) -> float:
    inside, total = {0}, 0.0
    while len(inside) < len(distances):
        outside = set(range(len(distances))) - inside
        length, new = min((distances[i, j], j) for i in inside for j in outside)
        inside.add(new)
        total += length
    return total


def test_tree_is_the_shortest_that_joins_all() -> None:
    rows = np.random.default_rng(0).normal(size=(12, 5))
    rows[7] = rows[3]  # no distance at all
    found = similarity_map(rows)
    assert found.tree.shape == (11, 2)
    assert found.tree_lengths.sum() == pytest.approx(by_prim(found.distances))
    assert found.tree_lengths.min() == 0
    joined = {0}
    for _ in range(11):
        joined |= {int(v) for edge in found.tree if joined & set(edge.tolist()) for v in edge}
    assert joined == set(range(12))
    assert found.places.shape == (12, 2)


def test_few_rows_are_laid_out_by_their_components() -> None:
    rows = np.array([[0.0, 0, 0], [3, 4, 0], [6, 8, 0]])
    found = similarity_map(rows)
    assert found.how == "PCA"
    assert np.abs(found.places[:, 0] - found.places[1, 0]) == pytest.approx([5, 0, 5])
    assert found.tree.tolist() == [[0, 1], [1, 2]]
    assert similarity_map(rows[:1]).tree.shape == (0, 2)
    with pytest.raises(InputError, match="finite rows"):
        similarity_map(np.full((3, 2), np.nan))


def test_umap_where_it_is_installed() -> None:
    pytest.importorskip("umap")
    rows = np.random.default_rng(0).normal(size=(20, 5))
    rows[10:] += 30
    found = similarity_map(rows, seed=1)
    assert found.how == "UMAP"
    assert (found.places == similarity_map(rows, seed=1).places).all()


def test_measures_count_alike_whatever_their_unit() -> None:
    rng = np.random.default_rng(0)
    angle, norm = rng.normal(size=(4, 30)) * 50, rng.normal(size=(4, 30))
    angle[2, 5] = np.nan
    found = vectors_of([angle, norm])
    assert found.shape == (4, 59)
    assert found == pytest.approx(vectors_of([angle / 50, norm * 7]))
    assert found[:, 29:].std() == pytest.approx(1)


def test_map_of_a_measure_by_hand() -> None:
    """One linear layer on the pixels: hiding a window takes away its own products."""
    before, after = zoo.load("image-linear"), zoo.load("image-linear")
    with torch.no_grad():
        after.module.linear.weight[:, :20] = 0
    x = zoo.noise(before)
    given = {"window": 4, "stride": 4, "fill": "mean"}
    occlusion_cost(before, given)  # tries fills on the model, once
    with counted(before.module) as one, counted(after.module) as other:
        found = measure_map(before, after, x, "norm", parameters=given)
    # The norm of the input, with windows of a mean that is 0 once normalised.
    assert one.forward == other.forward == 5 + 2
    assert occlusion_cost(before, given).forward == 10
    flat = x[0].numpy().astype(np.float64)
    for top in (0, 4):
        for left in (0, 4):
            hidden = flat.copy()
            hidden[:, top : top + 4, left : left + 4] = 0
            fall = np.linalg.norm(flat) - np.linalg.norm(hidden)
            assert found.before[top : top + 4, left : left + 4] == pytest.approx(fall, rel=1e-4)
    assert found.change == pytest.approx(0)  # what comes to the classifier is the same
    margin = measure_map(before, after, x, "margin", label=1, parameters=given)
    assert margin.label == 1
    assert np.abs(margin.change).max() > 0.01
    labels = np.array([1])
    for value, model in ((margin.value_before, before), (margin.value_after, after)):
        classifier = find_classifier(model)
        wanted = measures_at(classifier, x.flatten(1).numpy(), labels).margin[0]
        assert value == pytest.approx(wanted, rel=1e-5)


def test_map_of_a_real_picture() -> None:
    model = load_model("scenes-vgg", device="cpu")
    other = load_model("scenes-robust", device="cpu")
    found = measure_map(model, other, load_sample("scenes/heart-07"), "angle")
    assert found.before.shape == found.change.shape == model.spec.shape[1:]
    assert 0 < found.value_before < 180


def test_maps_that_cannot_be() -> None:
    model = zoo.load("tiny-cnn")
    with pytest.raises(ParameterError, match="did you mean margin"):
        measure_map(model, model, zoo.noise(model), "margins")
    with pytest.raises(ParameterError, match="works inside the network"):
        measure_map(model, model, zoo.noise(model), parameters={"fill": "layer-masking"})
    with pytest.raises(InputError, match="pictures of the same size"):
        measure_map(model, zoo.load("image-linear"), zoo.noise(model))
