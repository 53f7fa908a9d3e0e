from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from captum.attr import DeepLift, DeepLiftShap
from torch import nn

from engine.attribution.explain import explain, plan
from engine.attribution.registry import methods_for
from engine.attribution.rows import per_column
from engine.errors import MethodError
from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import TensorSpec
from tests.engine import reference, zoo
from tests.engine.attribution import twins
from tests.engine.counting import counted
from tests.engine.masking.painting import PAINTED
from tests.engine.refusals import expect_refusal

METHOD = "deep-lift"


@pytest.mark.parametrize("target", range(3))
def test_by_hand(target: int) -> None:
    model = zoo.load("table")
    x, rows = zoo.noise(model), zoo.noise(model, 6, seed=1)
    array = x[0].double().numpy()
    each = [reference.deep_lift(model.module, array, row, target) for row in rows.double().numpy()]
    found = explain(model, x, METHOD, target, background=rows)
    expected = reference.folded(np.mean(each, axis=0), zoo.TABLE.column_of)
    assert np.allclose(found.values, expected, rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore:Setting forward, backward hooks")
@pytest.mark.parametrize("name", ["table", "mlp"])
@pytest.mark.parametrize("count", [1, 6])
def test_agrees_with_captum(count: int, name: str) -> None:
    model = zoo.load(name)
    x, rows = zoo.noise(model), zoo.noise(model, count, seed=1)
    kind = DeepLift if count == 1 else DeepLiftShap
    mine = x.clone().requires_grad_()
    theirs = kind(zoo.build(name)).attribute(mine, rows.clone().requires_grad_(), target=2)
    found = explain(model, x, METHOD, 2, background=rows)
    expected = per_column(theirs[0].detach(), model.spec)
    assert np.allclose(found.values, expected.numpy(), rtol=0, atol=1e-6)


def of_rows(name: str, **more: Any) -> dict[str, float]:
    model = zoo.load(name)
    rows = zoo.noise(model, 6, seed=1)
    found = explain(model, 3 * zoo.noise(model), METHOD, 1, background=rows, **more)
    told: dict[str, float] = found.manifest["outcome"]["completeness"]
    return told


@pytest.mark.parametrize("name", ["table", "mlp"])
@pytest.mark.parametrize(
    "more", [{}, {"output": "probability"}, {"versus": 0}, {"versus": 2, "output": "probability"}]
)
def test_the_values_add_up(name: str, more: dict[str, Any]) -> None:
    told = of_rows(name, **more)
    assert abs(told["difference"]) > 1e-3
    assert abs(told["gap"]) < 1e-5


def test_of_one_logit_a_probability_is_one_more_rescale_rule() -> None:
    module = zoo.seeded(lambda: zoo.TableNet(classes=1))
    model = load_model(module, input_spec=zoo.TABLE, device="cpu")
    x, rows = zoo.noise(model), zoo.noise(model, 6, seed=1)
    with torch.no_grad():
        logits = module(torch.cat([x, rows])).double()[:, 0].numpy()
    shares = reference.sigmoid(logits)
    each = [
        reference.deep_lift(module, x[0].double().numpy(), row, 0)
        * (shares[0] - shares[1 + index])
        / (logits[0] - logits[1 + index])
        for index, row in enumerate(rows.double().numpy())
    ]
    found = explain(model, x, METHOD, 0, background=rows, output="probability")
    expected = reference.folded(np.mean(each, axis=0), zoo.TABLE.column_of)
    assert np.allclose(found.values, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("target", range(3))
@pytest.mark.parametrize(("name", "index"), twins.SPELLED)
def test_by_hand_in_every_spelling(name: str, index: int, target: int) -> None:
    module = twins.twin(twins.SPELLINGS[name][index])
    model = twins.load(module)
    x = zoo.noise(model)
    act = twins.in_float64(twins.SPELLINGS[name][0])
    expected = twins.deep_lift(module, act, x[0].double().numpy().ravel(), target)
    found = explain(model, x, METHOD, target, baseline="mean")
    assert np.abs(expected).max() > 1e-3
    assert np.allclose(found.values.ravel(), expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize(
    "act",
    [
        lambda x: x**2 + x,
        lambda x: torch.sqrt(x.abs() + 1),
        lambda x: (x - 1).exp() / 3,
        lambda x: 1 / (1 + x.square()),
        lambda x: torch.where(torch.ones_like(x) > 0, torch.sin(x), 0),
        lambda x: torch.log(2 + torch.erf(x)),
    ],
)
def test_of_any_function_of_one_number_by_hand(act: Any) -> None:
    module = twins.twin(act)
    model = twins.load(module)
    x = zoo.noise(model) / 10
    expected = twins.deep_lift(module, act, x[0].double().numpy().ravel(), 1)
    found = explain(model, x, METHOD, 1, baseline="mean")
    assert np.allclose(found.values.ravel(), expected, rtol=1e-4, atol=1e-6)


class Functional(zoo.TableNet):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.first(x))
        return self.third(F.relu(self.second(x)))


class Reused(zoo.TableNet):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu1(self.first(x))
        return self.third(self.relu1(self.second(x)))


@pytest.mark.parametrize("kind", [Functional, Reused])
def test_networks_of_which_captum_tells_wrong_numbers(kind: Callable[[], nn.Module]) -> None:
    """They have the weights of ``zoo.TableNet``, of which it tells the right ones."""
    model = load_model(zoo.seeded(kind), input_spec=zoo.TABLE, device="cpu")
    x, rows = 3 * zoo.noise(model), 3 * zoo.noise(model, 6, seed=1)
    found = explain(model, x, METHOD, 0, background=rows)
    expected = explain(zoo.load("table"), x, METHOD, 0, background=rows)
    assert found.values.tobytes() == expected.values.tobytes()


def test_an_activation_that_does_not_move_has_its_slope() -> None:
    """Two numbers move, and what they add up to does not: Δ output / Δ input is 0 / 0."""
    module = nn.Sequential(nn.Linear(2, 1), nn.Tanh(), nn.Linear(1, 2))
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([[1.0, -1.0]]))
    model = twins.load(module, TensorSpec((2,)))
    found = explain(model, torch.ones(1, 2), METHOD, 0, background=torch.zeros(1, 2))
    bias, head = float(module[0].bias[0].detach()), float(module[2].weight[0, 0].detach())
    slope = head * (1 - np.tanh(bias) ** 2)
    assert np.allclose(found.values, [slope, -slope], rtol=0, atol=1e-6)


# Pictures, and pooling.


class Pooled(nn.Module):
    """Maxima of overlapping windows, or of windows side by side."""

    def __init__(self, size: int = 3, stride: int = 2, padding: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(size, stride, padding)
        self.flat = nn.Flatten()
        self.linear = nn.Linear(64, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(self.flat(self.pool(self.relu(self.conv(x)))))


def beside() -> Pooled:
    return Pooled(2, 2, 0)


@pytest.mark.filterwarnings("ignore:Setting forward, backward hooks")
@pytest.mark.parametrize("target", range(3))
@pytest.mark.parametrize(
    ("kind", "spec"),
    [(zoo.TinyCnn, zoo.PICTURE), (beside, zoo.SMALL), (zoo.ImageLinear, zoo.SMALL)],
)
def test_pictures_agree_with_captum(kind: Any, spec: Any, target: int) -> None:
    model = twins.load(zoo.seeded(kind), spec)
    x = zoo.noise(model)
    blurred = PAINTED["blur"].values(model, x)
    theirs = DeepLift(zoo.seeded(kind)).attribute(x.clone().requires_grad_(), blurred, target)
    found = explain(model, x, METHOD, target)  # blur is the default
    assert theirs.abs().max() > 1e-3
    assert np.allclose(found.values, theirs[0].detach().numpy(), rtol=0, atol=1e-5)


def pooled_by_hand(module: nn.Module, x: torch.Tensor, target: int) -> np.ndarray:
    """Window by window: the larger of both maxima says which place gets the difference."""
    module = module.double()
    ends = torch.cat([x, torch.zeros_like(x)]).double()
    with torch.no_grad():
        before = module.conv(ends)
        after = before.relu().numpy()
    weights = module.linear.weight[target].detach().numpy().reshape(4, 4, 4)
    found = np.zeros_like(after[0])
    for channel, row, column in np.ndindex(4, 4, 4):
        top, left = 2 * row - 1, 2 * column - 1
        places = [
            (channel, i, j)
            for i in range(max(0, top), min(8, top + 3))
            for j in range(max(0, left), min(8, left + 3))
        ]
        maxima = [max(one[place] for place in places) for one in after]
        side = int(maxima[1] > maxima[0])
        place = next(place for place in places if after[side][place] == maxima[side])
        apart = after[0][place] - after[1][place]
        if apart:
            found[place] += weights[channel, row, column] * (maxima[0] - maxima[1]) / apart
    before = before.numpy()
    multipliers = torch.from_numpy(found * (after[0] - after[1]) / (before[0] - before[1]))
    back = F.conv_transpose2d(multipliers[None], module.conv.weight.detach(), padding=1)
    return (back * x.double())[0].numpy()


@pytest.mark.parametrize("target", range(3))
@pytest.mark.parametrize(
    "pool",
    [
        None,
        partial(F.max_pool2d, kernel_size=3, stride=2, padding=1),
        lambda x: torch.max_pool2d(x, 3, 2, 1),
        lambda x: F.max_pool2d(x, 3, 2, 1, return_indices=True)[0],
    ],
)
def test_windows_that_overlap_by_hand(pool: Any, target: int) -> None:
    module = zoo.seeded(Pooled)
    if pool is not None:
        del module.pool
        module.pool = pool
    model = twins.load(module)
    x = zoo.noise(model)
    expected = pooled_by_hand(zoo.seeded(Pooled), x, target)
    found = explain(model, x, METHOD, target, baseline="mean")
    assert np.abs(expected).max() > 1e-2
    assert np.allclose(found.values, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", [nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d])
def test_of_one_maximum_the_values_add_up(kind: Any) -> None:
    def layers() -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 5, 3), nn.Tanh(), kind(1), nn.Flatten(), nn.Linear(5, 3))

    model = twins.load(zoo.seeded(layers))
    found = explain(model, 1 + zoo.noise(model), METHOD, 0, baseline="black")
    told = found.manifest["outcome"]["completeness"]
    assert abs(told["difference"]) > 1e-3
    assert abs(told["gap"]) < 1e-5


def test_pictures_take_a_baseline_and_no_background() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    found = [explain(model, x, METHOD, 0, baseline=one).values for one in ("blur", "black")]
    assert np.abs(found[0] - found[1]).max() > 1e-3
    with expect_refusal(MethodError, "DeepLift takes no background"):
        explain(model, x, METHOD, 0, background=x)
    assert plan(zoo.load("table"), zoo.noise(zoo.load("table")), METHOD, 0).parameters == {}


@pytest.mark.parametrize("more", [{"output": "probability"}, {"versus": 1}])
def test_of_pictures_the_values_add_up(more: dict[str, Any]) -> None:
    model = zoo.load("inplace-cnn")
    found = explain(model, zoo.noise(model), METHOD, 0, baseline="black", **more)
    told = found.manifest["outcome"]["completeness"]
    assert abs(told["difference"]) > 1e-3
    assert abs(told["gap"]) < 1e-5


# What does not add up.


class SqueezeAndExcite(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.squeeze, self.excite = nn.Conv2d(4, 2, 1), nn.Conv2d(2, 4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.excite(self.squeeze(x.mean((2, 3), keepdim=True)).relu())
        return x * torch.sigmoid(5 * gate)


class Attention(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = x.flatten(2).transpose(1, 2)  # (n, cells, 4)
        mixed = F.scaled_dot_product_attention(tokens, tokens, tokens)
        return mixed.transpose(1, 2).reshape(x.shape)


class Softmax(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * F.softmax(x.flatten(1), dim=1).view_as(x)


class Norm(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x, x.shape[1:])


class Swish(torch.autograd.Function):
    """As some libraries write it, with a backward of its own."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        share = torch.sigmoid(ctx.saved_tensors[0])
        return gradients[0] * share * (1 + ctx.saved_tensors[0] * (1 - share))


class Own(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return Swish.apply(x)


class ByHand(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (x > 0)


class Unused(nn.Module):
    """Normalises, and makes no use of it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + 0 * F.layer_norm(x, x.shape[1:])


class Square(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * x


class Branches(nn.Module):
    """Multiplies only what is large."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * x if x.mean().item() > 20 else x


class Holding(nn.Module):
    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.blocks = nn.Sequential(nn.ReLU(), part)
        self.head = nn.Linear(144, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(3 * self.conv(x)).flatten(1))


def holding(part: Callable[[], nn.Module]) -> LoadedModel:
    return twins.load(zoo.seeded(lambda: Holding(part())))


@pytest.mark.parametrize(
    ("part", "does"),
    [
        (SqueezeAndExcite, "multiplies two parts that both depend on the input, by mul"),
        (Attention, "calls scaled_dot_product_attention"),
        (Softmax, "calls softmax"),
        (Norm, "calls layer_norm"),
        (Own, "takes numbers out of the gradient's way by sigmoid"),
        (ByHand, "takes numbers out of the gradient's way by gt"),
    ],
)
def test_values_that_do_not_add_up_are_refused_with_the_layer(
    part: Callable[[], nn.Module], does: str
) -> None:
    model = holding(part)
    assert METHOD not in {method.name for method in methods_for(model)}
    with expect_refusal(
        MethodError,
        "DeepLift does not suit Holding, its values do not add up",
        f"its layer blocks.1 {does}",
        "use integrated-gradients",
    ):
        explain(model, zoo.noise(model), METHOD, 0)


def test_where_they_add_up_nevertheless_they_are_given() -> None:
    found, expected = (
        explain(model, zoo.noise(model), METHOD, 0)
        for model in (holding(Unused), holding(nn.Identity))
    )
    assert np.abs(expected.values).max() > 1e-3
    assert np.allclose(found.values, expected.values, rtol=0, atol=1e-6)


def test_what_noise_does_not_show_is_told_when_it_is_met() -> None:
    model = holding(Branches)
    assert METHOD in {method.name for method in methods_for(model)}
    assert explain(model, zoo.noise(model), METHOD, 0) is not None
    with expect_refusal(MethodError, "its layer blocks.1 multiplies two parts that both depend"):
        explain(model, 1000 * zoo.noise(model), METHOD, 0)


def small(kind: Callable[[], nn.Module]) -> nn.Module:
    """The same network, its outputs a millionth."""
    module = zoo.seeded(kind)
    with torch.no_grad():
        for parameter in [*module.modules()][-1].parameters():
            parameter.mul_(1e-6)
    return module


def test_scores_may_be_tiny() -> None:
    x, rows = (3 * zoo.noise(zoo.load("table"), count, seed=count) for count in (1, 6))
    good = load_model(small(zoo.TableNet), input_spec=zoo.TABLE, device="cpu")
    found = explain(good, x, METHOD, 0, background=rows)
    told = found.manifest["outcome"]["completeness"]
    assert abs(told["gap"]) < 1e-4 * abs(told["difference"])
    bad = twins.load(small(lambda: Holding(Square())))
    with pytest.raises(MethodError, match="its values do not add up"):
        explain(bad, zoo.noise(bad), METHOD, 0)


def test_normalisation_and_dropout_are_no_activations() -> None:
    parts = [nn.Linear(4, 9), nn.BatchNorm1d(9), nn.LeakyReLU(), nn.Dropout(), nn.Linear(9, 2)]
    module = zoo.seeded(lambda: nn.Sequential(*parts))
    model = load_model(module.train(), input_spec=TensorSpec((4,)), device="cpu")
    rows = zoo.noise(model, 5, seed=1)
    found = explain(model, zoo.noise(model), METHOD, 0, background=rows)
    assert abs(found.manifest["outcome"]["completeness"]["gap"]) < 1e-5


@pytest.mark.parametrize("count", [None, 1, 6])
def test_cost(count: int | None) -> None:
    model = zoo.load("table")
    more: dict[str, Any] = {} if count is None else {"background": zoo.noise(model, count, seed=1)}
    planned = plan(model, zoo.noise(model), METHOD, 0, **more)
    rows = count or 1
    assert planned.cost == Cost(3 * rows + 1 + 1, 2 * rows)
    with counted(model.module) as count_of:
        planned.run()
    assert (count_of.forward, count_of.backward) == (planned.cost.forward, planned.cost.backward)
