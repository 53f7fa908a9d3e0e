"""Geometry after pruning, against a slow loop in float64 over networks made one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import engine
from engine.errors import Cancelled, MethodError, ModelError, ParameterError
from engine.execution.cost import Cost
from engine.inputs.image_sets import ImageSet
from engine.inputs.samples import load_sample_set
from engine.manifest import key_of
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.prune_results import Geometry
from engine.pruning.cutting.gating import gated_copy
from engine.pruning.finding.groups import find_groups
from engine.pruning.geometry.study import plan_geometry
from engine.pruning.repairing.repairs import repaired
from engine.pruning.scoring.scopes import choose
from engine.pruning.scoring.score import score_units
from engine.pruning.sweeping.judged import parts_of
from engine.replay import replay
from engine.results import load_result
from tests.engine.counting import counted, hooks_on
from tests.engine.pruning.test_sweep import corrupted, unlabelled
from tests.engine.refusals import expect_refusal

ASKED: dict[str, Any] = {
    "criterion": "taylor",
    "ratios": (0.3, 0.6),
    "corruptions": ("contrast", "fog"),
    "severities": (2,),
    "seed": 3,
}


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return load_model("digits-cnn", device="cpu")


@pytest.fixture(scope="module")
def images() -> ImageSet:
    return load_sample_set("digits").part(range(30))


@pytest.fixture(scope="module")
def found(model: LoadedModel, images: ImageSet) -> Geometry:
    return plan_geometry(model, images, **ASKED).run()


def test_measures_are_those_of_a_slow_loop(
    model: LoadedModel, images: ImageSet, found: Geometry
) -> None:
    parts, groups = parts_of(images, 3), find_groups(model)
    calibration = images.part(parts.calibration.tolist())
    scores = score_units(model, groups, calibration, criteria=["taylor"], seed=3)["taylor"]
    networks = [model]
    for ratio in (0.3, 0.6):
        kept = choose(scores, groups, ratio)
        gated = gated_copy(model, kept)
        networks.append(repaired(model, gated, kept, groups, calibration, "both"))
    pictures = [images[place] for place in parts.judged]
    sets = [
        [model.prepare(one) for one in pictures],
        *([corrupted(model, one, name, 2) for one in pictures] for name in ("contrast", "fog")),
    ]
    labels = [model.classes.index(str(images.labels[place])) for place in parts.judged]
    assert found.labels.tolist() == labels
    assert found.angle.shape == (3, 3, len(labels))
    for row, network in enumerate(networks):
        last = [part for part in network.module.modules() if isinstance(part, nn.Linear)][-1]
        for column, x_of in enumerate(sets):
            for place, (x, y) in enumerate(zip(x_of, labels, strict=True)):
                angle, norm, margin, said = measured(network, last, x, y)
                at = row, column, place
                assert found.angle[at] == pytest.approx(angle, abs=2e-3)
                assert found.norm[at] == pytest.approx(norm, rel=1e-4)
                assert found.margin[at] == pytest.approx(margin, rel=1e-3, abs=1e-4)
                assert found.predicted[at] == said


def measured(network: LoadedModel, last: nn.Linear, x: torch.Tensor, y: int) -> tuple[float, ...]:
    given: list[torch.Tensor] = []
    handle = last.register_forward_pre_hook(lambda _part, args: given.append(args[0]))
    with torch.no_grad(), network.ready() as module:
        logits = module(x)[0].double().numpy()
    handle.remove()
    features = given[-1][0].double().numpy()
    weight, bias = last.weight.detach().double().numpy(), last.bias.detach().double().numpy()
    norm = float(np.sqrt((features**2).sum()))
    cosine = features @ weight[y] / (norm * np.sqrt((weight[y] ** 2).sum()))
    margins = [
        ((weight[y] - weight[j]) @ features + bias[y] - bias[j])
        / np.sqrt(((weight[y] - weight[j]) ** 2).sum())
        for j in range(len(weight))
        if j != y
    ]
    return float(np.degrees(np.arccos(cosine))), norm, float(min(margins)), int(logits.argmax())


def test_it_says_what_the_sweep_says(model: LoadedModel, images: ImageSet, found: Geometry) -> None:
    sweep = engine.prune_sweep(
        model, images, criteria=("taylor",), ratios=(0.3, 0.6), draws=1, seed=3,
        corruptions=("contrast", "fog"), severities=(2,),
    )  # fmt: skip
    assert np.array_equal(found.predicted[0, 0], sweep.dense_predicted)
    assert np.array_equal(found.predicted[1:, 0], sweep.predicted[0, 1:])
    assert sweep.corrupted is not None
    assert found.right[1:, 1:].mean(axis=-1) == pytest.approx(sweep.corrupted[0, 1:, :, 0])


def test_the_manifest_tells_all(
    model: LoadedModel, images: ImageSet, found: Geometry, tmp_path: Path
) -> None:
    assert found.models == ("untouched", "Taylor (activation) 30 %", "Taylor (activation) 60 %")
    assert found.benchmarks == ("clean", "Contrast 2", "Fog 2")
    display = found.manifest["display"]
    assert display["ratios"] == [0.0, 0.3, 0.6]
    judged = parts_of(images, 3).judged
    assert display["pictures"] == [images.entries[place].name for place in judged]
    assert display["classes"] == list(model.classes)
    assert found.places.shape == (9, 2)
    assert found.tree.shape == (8, 2) and (found.tree_lengths >= 0).all()
    assert found.key == key_of(found.manifest["request"])
    again = load_result(found.save(tmp_path / "g.safetensors"))
    assert isinstance(again, Geometry)
    assert np.array_equal(again.margin, found.margin)


def test_the_tree_joins_over_the_least_distance(found: Geometry) -> None:
    rows = [getattr(found, name).reshape(9, -1) for name in ("angle", "norm", "margin")]
    vectors = np.concatenate([row / row.astype(float).std() for row in rows], axis=1)
    distance = np.linalg.norm(vectors[:, None] - vectors, axis=-1)
    inside, total = {0}, 0.0
    while len(inside) < 9:  # Prim
        length, nearest = min(
            (distance[i, j], j) for i in inside for j in range(9) if j not in inside
        )
        inside.add(nearest)
        total += length
    assert found.tree_lengths.sum() == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("labels", [True, False])
def test_passes_are_counted_and_promised(
    model: LoadedModel, images: ImageSet, labels: bool
) -> None:
    plan = plan_geometry(model, images if labels else unlabelled(images), **ASKED)
    told: list[tuple[int, int]] = []
    with counted(model.module) as count:
        found = plan.run(lambda *now: told.append(now))
    used = Cost(**found.manifest["outcome"]["passes"])
    assert used.within(plan.cost)
    # Finding the classifier of a network takes a pass on noise for each set that it is shown.
    noise = 2 * found.angle.shape[0] * found.angle.shape[1]
    assert (count.forward, count.backward) == (used.forward + noise, used.backward)
    assert told[-1] == (used.total, plan.cost.total)
    if not labels:
        assert np.array_equal(found.labels, found.predicted[0, 0])


def test_cancelling_leaves_the_model(model: LoadedModel, images: ImageSet) -> None:
    before = [one.clone() for one in model.module.state_dict().values()]
    plan, event = plan_geometry(model, images, **ASKED), Event()

    def progress(done: int, total: int) -> None:
        if 2 * done > total:
            event.set()

    with pytest.raises(Cancelled):
        plan.run(progress, event)
    after = model.module.state_dict().values()
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    assert hooks_on(model.module) == 0


def test_a_picture_that_cannot_be_read_is_left_out(
    model: LoadedModel, images: ImageSet, found: Geometry, tmp_path: Path
) -> None:
    plan = plan_geometry(model, images, **ASKED)
    lost = int(plan.parts.judged[2])
    broken = replace(images.entries[lost], path=tmp_path / "gone.png")
    entries = [broken if n == lost else one for n, one in enumerate(images.entries)]
    some = replace(plan, images=replace(images, entries=tuple(entries))).run()
    ((name, _),) = some.manifest["outcome"]["skipped"]
    assert name == broken.name
    assert np.array_equal(some.predicted, np.delete(found.predicted, 2, axis=2))
    assert some.margin == pytest.approx(np.delete(found.margin, 2, axis=2), rel=1e-4, abs=1e-5)


def test_computed_again(images: ImageSet, tmp_path: Path) -> None:
    saved = plan_geometry("digits-cnn", load_sample_set("digits"), ratios=(0.5,)).run()
    saved = load_result(saved.save(tmp_path / "g.safetensors"))  # type: ignore[assignment]
    assert replay(saved).verdict == "equal to the bit"


class Pooled(nn.Module):
    """Its logits are a product of two: no linear layer puts them out."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3)
        self.head = nn.Linear(8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.stem(x).relu().mean(dim=(2, 3))).square()


def test_mistakes_are_told_in_one_line(model: LoadedModel, images: ImageSet) -> None:
    with expect_refusal(ParameterError, "name one above 0 at least"):
        plan_geometry(model, images, ratios=(0.0,))
    with expect_refusal(ParameterError, "from 0 to below 1"):
        plan_geometry(model, images, ratios=(1.0,))
    with expect_refusal(MethodError, "takes rows of a table"):
        plan_geometry("compas-mlp", images)
    own = load_model(Pooled(), input_spec=model.spec, classes=model.classes, device="cpu")
    with expect_refusal(ModelError, "does not end in one linear layer"):
        plan_geometry(own, images)
