"""Every metric against an independent derivation in float64, and against what is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.bibliography import paper
from engine.errors import MethodError
from engine.heads.judging import head_scores, plan_heads
from engine.heads.registry import find_metric, head_metrics
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from tests.engine import reference_heads as reference
from tests.engine import zoo
from tests.engine.attention import library, nets
from tests.engine.heads.helping import Skipping, of_two_layers
from tests.engine.refusals import expect_refusal

EXACT = ["probability-drop", "cross-entropy", "divergence", "flips", "embedding"]
COUNT = 6


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return of_two_layers()


@pytest.fixture(scope="module")
def x(model: LoadedModel) -> torch.Tensor:
    return 2 * zoo.noise(model, COUNT)


@pytest.fixture(scope="module")
def labels(model: LoadedModel, x: torch.Tensor) -> list[int]:
    net = reference.Reference(model.module)
    return [int(net.run(picture).logits.argmax()) for picture in x.double().numpy()]


def pictures(x: torch.Tensor) -> np.ndarray:
    return x.double().numpy()


def mean_and_error(each: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    stacked = np.stack(each)
    spread = np.sqrt(((stacked - stacked.mean(axis=0)) ** 2).sum(axis=0) / (len(each) - 1))
    return stacked.mean(axis=0), spread / np.sqrt(len(each))


def expect(model: LoadedModel, x: torch.Tensor, name: str, each: list[np.ndarray], **more) -> None:
    """Over a set with errors, and of its first picture alone without."""
    values, error = mean_and_error(each)
    found = head_scores(model, x, name, **more)
    assert np.abs(values).max() > 1e-3
    assert np.allclose(found.values, values, rtol=2e-4, atol=2e-6)
    assert np.allclose(found.error, error, rtol=1e-3, atol=2e-6)
    alone = head_scores(model, x[:1], name, **more)
    assert np.allclose(alone.values, each[0], rtol=2e-4, atol=2e-6)
    assert alone.error is None


@pytest.mark.parametrize("keep_one", [False, True])
@pytest.mark.parametrize("name", EXACT)
def test_heads_off(
    name: str, keep_one: bool, model: LoadedModel, x: torch.Tensor, labels: list[int]
) -> None:
    net = reference.Reference(model.module)
    each = [
        reference.ablated(net, picture, label, keep_one=keep_one)[name]
        for picture, label in zip(pictures(x), labels, strict=True)
    ]
    expect(model, x, name, each, keep_one=keep_one)


def test_heads_off_asked_about_another_class(model: LoadedModel, x: torch.Tensor) -> None:
    net = reference.Reference(model.module)
    for name in ("probability-drop", "cross-entropy"):
        each = [reference.ablated(net, picture, 2)[name] for picture in pictures(x)]
        expect(model, x, name, each, target=2)


def test_gradients(model: LoadedModel, x: torch.Tensor, labels: list[int]) -> None:
    net = reference.Reference(model.module)
    each = [
        reference.slopes(net, picture, label)
        for picture, label in zip(pictures(x), labels, strict=True)
    ]
    expect(model, x, "gradient", [np.abs(one) for one in each])
    expect(model, x, "fisher", [one**2 for one in each])
    mean, error = mean_and_error([np.abs(one) for one in each])
    scale = np.sqrt((mean**2).sum(axis=1, keepdims=True))
    found = head_scores(model, x, "gradient", normalise=True)
    assert np.allclose(found.values, mean / scale, rtol=1e-3)
    assert np.allclose(found.error, error / scale, rtol=1e-3)
    assert np.allclose((found.values**2).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "derived"),
    [
        ("confidence", reference.confidence),
        ("output-norm", reference.output_norm),
        ("uniqueness", reference.uniqueness),
    ],
)
def test_signs(name: str, derived, model: LoadedModel, x: torch.Tensor) -> None:
    net = reference.Reference(model.module)
    expect(model, x, name, [derived(net, picture) for picture in pictures(x)])


@pytest.mark.parametrize("of", ["cross-entropy", "probability"])
def test_shapley_values_are_those_of_all_coalitions(
    of: str, model: LoadedModel, x: torch.Tensor, labels: list[int]
) -> None:
    net = reference.Reference(model.module)
    each = []
    for picture, label in zip(pictures(x), labels, strict=True):

        def worth(gates: np.ndarray, picture=picture, label=label) -> float:
            p = reference.probabilities(net.run(picture, gates).logits)[label]
            return float(np.log(p) if of == "cross-entropy" else p)

        each.append(reference.shapley(net, worth))
    one = head_scores(model, x[:1], "shapley", permutations=200, of=of)
    assert (one.error > 0).any()
    assert (np.abs(one.values - each[0]) <= 5 * one.error + 1e-5).all()
    assert (one.error < 0.2 * np.abs(each[0]).max()).all()
    whole = worth_of_all(net, pictures(x)[0], labels[0], of)
    assert np.isclose(one.values.sum(), whole, rtol=1e-4)  # each order shares all of it out
    many = head_scores(model, x, "shapley", permutations=50, of=of)
    values, error = mean_and_error(each)
    assert (np.abs(many.values - values) <= 5 * one.error / np.sqrt(COUNT / 4) + 1e-5).all()
    assert np.allclose(many.error, error, rtol=0.5)  # the pictures differ more than the draws
    assert many.manifest["display"]["unit"].startswith("share of the")


def worth_of_all(net: reference.Reference, picture: np.ndarray, label: int, of: str) -> float:
    both = [
        reference.probabilities(net.run(picture, gates).logits)[label]
        for gates in (net.ones(), 0 * net.ones())
    ]
    return float(np.log(both[0]) - np.log(both[1]) if of == "cross-entropy" else both[0] - both[1])


def test_the_head_that_matters_by_construction() -> None:
    """The second head of each layer has a projection of zero: it can do nothing."""
    module = zoo.seeded(lambda: nets.Of(nets.Block))
    with torch.no_grad():
        for block in module.blocks:
            block.out.weight[:, 4:] = 0
            block.out.weight *= 3
    built = load_model(module, input_spec=zoo.PICTURE, device="cpu")
    x = 2 * zoo.noise(built, 8)
    knows_nothing = {"confidence", "uniqueness"}
    for name in head_metrics():
        found = head_scores(built, x, name)
        if name in knows_nothing:
            continue
        assert np.abs(found.values[:, 1]).max() < 1e-7, name
        if name != "flips":
            assert (np.abs(found.values[:, 0]) > 1e-5).all(), name
        if name in ("divergence", "embedding", "gradient", "fisher", "output-norm"):
            assert set(found.ranking[:2]) == {(0, 0), (1, 0)}, name
    kept = head_scores(built, x, "divergence", keep_one=True)
    assert np.abs(kept.values[:, 1]).max() < 1e-7
    assert (kept.values[:, 0] > 1e-4).all()


@pytest.mark.parametrize("layer", [0, 1, 2])
@pytest.mark.parametrize("head", [0, 1])
def test_leaving_out_is_a_model_rebuilt_without_the_head(layer: int, head: int) -> None:
    whole = nets.load(nets.Vit)
    module = zoo.seeded(nets.Vit)
    block, kept = module.blocks[layer], slice(4 - 4 * head, 8 - 4 * head)
    smaller = nets.Block(8, 2)
    smaller.heads, smaller.norm = 1, block.norm
    smaller.qkv, smaller.out = nn.Linear(8, 12), nn.Linear(4, 8)
    with torch.no_grad():
        for name in ("weight", "bias"):
            parts = getattr(block.qkv, name).unflatten(0, (3, 8))[:, kept]
            getattr(smaller.qkv, name).copy_(parts.flatten(0, 1))
        smaller.out.weight.copy_(block.out.weight[:, kept])
        smaller.out.bias.copy_(block.out.bias)
    module.blocks[layer] = smaller
    x = zoo.noise(whole)
    with torch.no_grad():
        before = whole.forward(x).double().log_softmax(-1)[0]
        after = module(x).double().log_softmax(-1)[0]
    label = int(before.argmax())
    found = head_scores(whole, x, "cross-entropy").values[layer, head]
    assert np.isclose(found, float(before[label] - after[label]), rtol=1e-4, atol=1e-6)
    assert abs(found) > 1e-4


def test_padding_in_windows_counts_for_nothing() -> None:
    """Ten by ten patches in windows of seven: most slots of three windows hold no patch."""
    model = library.load("transformers-swin")
    x = zoo.noise(model)
    from engine.attention.capture import recording
    from engine.attention.sites import attention_sites

    with torch.no_grad(), recording() as maps:
        model.forward(x)
    found = head_scores(model, x, "confidence").values
    for site, each in zip(attention_sites(model).sites, maps, strict=True):
        for head in range(site.heads):
            rows = [
                float(each[window, head, slot].max())
                for window in range(site.windows)
                for slot in range(site.queries)
                if site.layout[window, slot] >= 0
            ]
            assert len(rows) == site.tokens < site.windows * site.queries
            assert np.isclose(found[site.index, head], np.mean(rows), rtol=1e-5)
    assert np.isnan(found[:2, 2:]).all()  # two heads in the first layers, four in the last


@pytest.mark.parametrize("name", ["torchvision-vit", "timm-swin", "transformers-vit-eager"])
def test_size_of_the_output_is_how_far_the_block_is_off_without_the_head(name: str) -> None:
    """Of the first layer: closing a head takes its output away from the projection's."""
    model = library.load(name)
    x = zoo.noise(model)
    found = head_scores(model, x, "output-norm").values
    from engine.attention.gates import gated
    from engine.attention.sites import attention_sites

    site = attention_sites(model).sites[0]
    weight = library.projections(model.module)[0]
    kept: list[torch.Tensor] = []
    own = next(p for p in model.module.modules() if getattr(p, "weight", None) is weight)
    real = torch.from_numpy(site.layout.ravel() >= 0)

    def output(gates: torch.Tensor) -> torch.Tensor:
        kept.clear()
        with torch.no_grad(), gated({0: gates}):
            if isinstance(own, nn.Linear) and name != "torchvision-vit":
                handle = own.register_forward_hook(lambda _m, _a, out: kept.append(out))
            else:  # torch's module never calls its projection
                part = model.module.encoder.layers[0].self_attention
                handle = part.register_forward_hook(lambda _m, _a, out: kept.append(out[0]))
            model.forward(x)
            handle.remove()
        return kept[0].flatten(0, -2)[real]

    for head in range(site.heads):
        gates = torch.ones(site.heads)
        gates[head] = 0
        size = (output(torch.ones(site.heads)) - output(gates)).norm(dim=1).mean()
        assert np.isclose(found[0, head], float(size), rtol=1e-3)


def test_every_metric_says_what_it_is() -> None:
    for name, metric in head_metrics().items():
        assert metric.name == name
        assert metric.title
        assert metric.summary.endswith(".")
        assert metric.caveat.endswith(".")
        assert metric.unit
        assert paper(metric.paper).year > 1950
    assert len(head_metrics()) == 11
    with expect_refusal(MethodError, "no metric 'gradiant'; did you mean gradient?"):
        find_metric("gradiant")


def test_what_does_not_suit_is_told() -> None:
    one = load_model(zoo.seeded(OneLogit), input_spec=zoo.PICTURE, device="cpu")
    assert head_scores(one, zoo.noise(one, 3), "cross-entropy").values.shape == (3, 2)
    unprojected = nets.load(nets.Unprojected)
    with expect_refusal(MethodError, "attention 0 (blocks.0) is followed by no linear layer"):
        plan_heads(unprojected, zoo.noise(unprojected), "uniqueness")
    talking = nets.load(nets.Talking)
    with expect_refusal(MethodError, "mixes its heads after the softmax"):
        plan_heads(talking, zoo.noise(talking), "confidence")
    cnn = zoo.load("tiny-cnn")
    with expect_refusal(MethodError, "no attention was seen"):
        plan_heads(cnn, zoo.noise(cnn), "gradient")
    table = zoo.load("table")
    with expect_refusal(MethodError, "takes rows of a table: it has no attention heads"):
        plan_heads(table, zoo.noise(table), "gradient")
    headless = nets.load(Headless)
    with expect_refusal(MethodError, "no linear layer puts out the classes"):
        plan_heads(headless, zoo.noise(headless), "embedding")
    assert np.isfinite(head_scores(headless, zoo.noise(headless), "flips").values).all()
    wide = nets.load(Headless, 8)  # as many classes as the layers inside have channels
    with expect_refusal(MethodError, "no linear layer puts out the classes"):
        head_scores(wide, zoo.noise(wide), "embedding")
    assert np.isfinite(head_scores(wide, zoo.noise(wide), "flips").values).all()
    for name in ("gradient", "shapley", "confidence"):
        vit = nets.load(Skipping)
        with expect_refusal(MethodError, "does not switch single heads off: it has no keep_one"):
            plan_heads(vit, zoo.noise(vit), name, keep_one=True)
        with expect_refusal(MethodError, "it has no exact_top"):
            plan_heads(vit, zoo.noise(vit), name, exact_top=2)


class OneLogit(nets.Vit):
    """Yes or no, by one number."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(8, 1)


class Headless(nets.Vit):
    """The classes are read by a product with a matrix."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(classes, 8))
        del self.head

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.blocks(self.embedded(x))[:, 0] @ self.matrix.T


def test_one_logit_is_two_classes() -> None:
    one = load_model(zoo.seeded(OneLogit), input_spec=zoo.PICTURE, device="cpu")
    assert one.activation == "sigmoid"
    x = zoo.noise(one)
    logit = float(one.forward(x).detach())
    from tests.engine.heads.helping import one_by_one

    others = one_by_one(one, x, [[(0, 0)], [(2, 1)]]).double().flatten()
    sign = 1 if logit > 0 else -1
    p = torch.sigmoid(sign * torch.tensor(logit).double())
    wanted = p - torch.sigmoid(sign * others)
    found = head_scores(one, x, "probability-drop").values
    assert np.allclose([found[0, 0], found[2, 1]], wanted.numpy(), atol=1e-6)
