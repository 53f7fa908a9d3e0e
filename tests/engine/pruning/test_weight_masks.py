"""Single weights: DIMAP by hand, N:M by loops, and the copies without them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch import nn

from engine.errors import MethodError
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import TensorSpec
from engine.pruning.finding.groups import find_groups
from engine.pruning.methods.catalogue import plan_method
from engine.pruning.methods.weight_masks import (
    keep_best,
    masked_copy,
    prunable_weights,
    removed_share,
)
from engine.pruning.posthoc.module_aware import module_of
from engine.pruning.posthoc.patterns import pattern_mask
from tests.engine.counting import hooks_on
from tests.engine.pruning.hoc import SIX, convs, done, hidden, same_state, samples, state_of
from tests.engine.zoo import PICTURE, noise, seeded


class Named(nn.Module):
    """A block of two layers, and one that stands in the network itself."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 1, bias=False))
        self.last = nn.Linear(1, 2, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.block(x))


def named() -> LoadedModel:
    module = Named()
    with torch.no_grad():
        module.block[0].weight.copy_(torch.tensor([[3.0, -1.0], [0.0, 2.0]]))
        module.block[1].weight.copy_(torch.tensor([[2.0, -4.0]]))
        module.last.weight.copy_(torch.tensor([[0.5], [-0.1]]))
    return load_model(module.eval(), input_spec=TensorSpec((2,)), device="cpu")


def test_module_aware_scores_by_hand() -> None:
    outcome = done(named(), "module-aware", ratio=0.25)
    assert outcome.weight_scores is not None and outcome.masks is not None
    assert outcome.told["modules"] == ["block", "last"]
    # Squares of the block: 16, 9, 4, 4, 1, 0; what is as large or larger: 16, 25, 33, 33, 34, 34.
    first = [[9 / 25, 1 / 34], [0, 4 / 33]]
    np.testing.assert_allclose(outcome.weight_scores["block.0.weight"], first)
    np.testing.assert_allclose(outcome.weight_scores["block.1.weight"], [[4 / 33, 1]])
    squares = np.float32([0.5, 0.1]).astype(float) ** 2
    last = [[1], [squares[1] / squares.sum()]]
    np.testing.assert_allclose(outcome.weight_scores["last.weight"], last)
    # A quarter of eight weights: 0 and 1/34; magnitude would have taken 0 and 0.1.
    assert outcome.masks["block.0.weight"].tolist() == [[True, False], [False, True]]
    assert outcome.masks["last.weight"].all()


def test_scores_of_a_transformer_again_by_loops() -> None:
    model = load_model("digits-vit", device="cpu")
    outcome = done(model, "module-aware")
    assert outcome.weight_scores is not None
    names = ["blocks.2.mlp.0.weight", "blocks.2.mlp.2.weight"]
    weights = {n: model.module.get_parameter(n).detach().double().numpy() for n in names}
    squares = np.concatenate([weights[n].ravel() for n in names]) ** 2
    draw = np.random.default_rng(0)
    for name in names:
        for flat in draw.integers(0, weights[name].size, 25):
            own = weights[name].ravel()[flat] ** 2
            expected = own / squares[squares >= own].sum()
            assert outcome.weight_scores[name].ravel()[flat] == pytest.approx(expected, rel=1e-9)


def test_what_a_weight_is_compared_with() -> None:
    assert module_of("layer1.0.conv1.weight") == "layer1.0"
    assert module_of("attn.in_proj_weight") == "attn"
    assert module_of("head.weight") == "head"


@given(
    arrays(np.int8, array_shapes(min_dims=2, max_dims=3, max_side=5)),
    st.sampled_from([0.0, 0.25, 0.5, 0.9]),
)
def test_the_best_weights_stay(drawn: np.ndarray, ratio: float) -> None:
    scores = {"a": drawn.astype(float), "b": drawn[::-1].astype(float) + 0.5}
    for scope in ("layer", "global"):
        masks = keep_best(scores, ratio, scope)
        total = sum(one.size for one in scores.values())
        kept = np.concatenate([scores[name][mask] for name, mask in masks.items()])
        gone = np.concatenate([scores[name][~mask] for name, mask in masks.items()])
        assert all(mask.any() for mask in masks.values())
        if scope == "layer":
            left = {name: one.size - round(ratio * one.size) for name, one in scores.items()}
            assert {name: int(mask.sum()) for name, mask in masks.items()} == {
                name: max(1, count) for name, count in left.items()
            }
        elif len(kept) == total - round(ratio * total):
            assert not len(gone) or gone.max() <= kept.min()


@pytest.mark.parametrize("ratio", [-0.1, 1.0])
def test_a_ratio_that_would_leave_nothing(ratio: float) -> None:
    with pytest.raises(MethodError, match="from 0 to below 1"):
        keep_best({"a": np.ones((2, 2))}, ratio)


def test_a_masked_copy_is_the_network_with_zeros() -> None:
    model = hidden()
    before = state_of(model)
    masks = {"first.weight": np.arange(96).reshape(16, 6) % 3 > 0}
    copy = masked_copy(model, masks, "masked")
    expected = before["first.weight"] * torch.from_numpy(masks["first.weight"])
    assert torch.equal(copy.module.get_parameter("first.weight").detach(), expected)
    assert same_state(model, before)
    assert copy.lock is not model.lock
    assert copy.digest != model.digest
    assert removed_share(masks) == pytest.approx(1 / 3)
    with pytest.raises(MethodError, match="no such weight"):
        masked_copy(model, {"third.weight": np.ones((1, 1), bool)}, "masked")
    with pytest.raises(MethodError, match=r"its shape is \(16, 6\)"):
        masked_copy(model, {"first.weight": np.ones((1, 1), bool)}, "masked")


class Tied(nn.Module):
    """Two layers with one weight, an attention, and a transposed convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(8, 8), nn.Linear(8, 8)
        self.two.weight = self.one.weight
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.up = nn.ConvTranspose1d(4, 4, 1)


def test_which_weights_there_are() -> None:
    assert list(prunable_weights(Tied())) == [
        "one.weight",
        "attention.in_proj_weight",
        "attention.out_proj.weight",
    ]


@given(
    st.sampled_from([(2, 4), (1, 4), (4, 8)]),
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(0, 99),
)
def test_patterns_by_loops(pattern: tuple[int, int], rows: int, blocks: int, seed: int) -> None:
    stay, among = pattern
    scores = np.random.default_rng(seed).integers(0, 6, (rows, blocks * among, 2, 1)).astype(float)
    mask = pattern_mask(scores, stay, among)
    for row in range(rows):
        for place in range(2):
            for start in range(0, blocks * among, among):
                block = scores[row, start : start + among, place, 0].tolist()
                best = sorted(range(among), key=lambda i: -block[i])[:stay]
                kept = mask[row, start : start + among, place, 0].tolist()
                assert kept == [i in best for i in range(among)]


def test_a_network_that_is_sparse_already_is_left_as_it_is() -> None:
    model = convs()
    once = done(model, "patterns", pattern="2:4")
    assert once.model is not None and once.masks is not None
    assert set(once.told["skipped"]) == {"conv1.weight"}
    assert "3 inputs" in once.told["skipped"]["conv1.weight"]
    assert once.told["removed"] == 0.5
    twice = done(once.model, "patterns", pattern="2:4")
    assert twice.model is not None
    assert same_state(twice.model, state_of(once.model))
    x = noise(model, 2)
    with torch.no_grad():
        assert torch.equal(once.model.forward(x), twice.model.forward(x))
        assert not torch.equal(once.model.forward(x), model.forward(x))


class Grouped(nn.Module):
    """A convolution of two groups, and a linear layer over tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(8, 4, 3, groups=2)
        self.head = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv2(self.relu(self.conv1(x)))
        return self.head(x.flatten(2).transpose(1, 2)).mean(dim=1)


def test_by_wanda_a_weight_counts_times_the_norm_of_what_it_reads() -> None:
    model = load_model(seeded(Grouped), input_spec=PICTURE, device="cpu")
    plan = plan_method(
        model, find_groups(model), "patterns", samples(model, 5), by="wanda", pattern="2:4"
    )
    assert plan.cost.forward == 5
    outcome = plan.run()
    scores = outcome.weight_scores
    assert scores is not None
    net: Any = seeded(Grouped).double()
    with torch.no_grad():
        read = net.relu(net.conv1(noise(model, 5, seed=5).double()))
        norm = read.square().sum(dim=(0, 2, 3)).sqrt()  # (8,)
        size = net.conv2.weight.abs()  # (4, 4, 3, 3): rows 0, 1 read channels 0 to 3
        expected = torch.cat(
            [size[:2] * norm[:4, None, None], size[2:] * norm[4:, None, None]]
        ).numpy()
        tokens = net.conv2(read).flatten(2).transpose(1, 2)
        last = net.head.weight.abs() * tokens.square().sum(dim=(0, 1)).sqrt()
    np.testing.assert_allclose(scores["conv2.weight"], expected, rtol=1e-5)
    np.testing.assert_allclose(scores["head.weight"], last.numpy(), rtol=1e-5)
    assert hooks_on(model.module) == 0


def test_by_wanda_layers_that_are_not_called_stay_dense() -> None:
    class Attending(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
            self.head = nn.Linear(8, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.attention(x, x, x, need_weights=False)[0].mean(dim=1))

    model = load_model(seeded(Attending), input_spec=TensorSpec((5, 8)), device="cpu")
    outcome = done(model, "patterns", samples(model, 3), by="wanda")
    assert outcome.masks is not None and outcome.weight_scores is not None
    assert set(outcome.told["skipped"]) == {"attention.out_proj.weight"}
    norm = noise(model, 3, seed=5).double().square().sum(dim=(0, 1)).sqrt()
    weight: Any = model.module.get_parameter("attention.in_proj_weight").detach().double()
    expected = (weight.abs() * norm).numpy()
    np.testing.assert_allclose(outcome.weight_scores["attention.in_proj_weight"], expected)


def test_a_network_without_such_weights() -> None:
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factor = nn.Parameter(torch.ones(6))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.factor

    model = load_model(Scale().eval(), input_spec=SIX, device="cpu")
    for name in ("module-aware", "patterns"):
        with pytest.raises(MethodError, match="no weights"):
            done(model, name)
