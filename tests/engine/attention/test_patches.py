from __future__ import annotations

import gc

import pytest
import torch

from engine.attention import patches
from engine.attention.patches import PatchGrid, check_global, patch_grid, reason_against
from engine.errors import MethodError
from tests.engine import zoo
from tests.engine.attention import nets
from tests.engine.counting import counted
from tests.engine.refusals import expect_refusal, is_one_line


@pytest.mark.parametrize("prefix", [0, 1, 2, 5])
def test_grid_of_the_patches_maps(prefix: int) -> None:
    model = nets.load(nets.Vit, prefix)
    assert patch_grid(model, 16 + prefix) == PatchGrid(4, 4, prefix)
    assert PatchGrid(4, 4, prefix).tokens == 16 + prefix


def test_patches_that_are_not_square() -> None:
    model = nets.load(nets.Vit, 1, 1, (8, 2))
    assert patch_grid(model, 17) == PatchGrid(2, 8, 1)


@pytest.mark.parametrize("side", [2, 4, 8])
def test_without_a_convolution_the_patches_make_a_square(side: int) -> None:
    model = nets.load(nets.Linear, side)
    assert model.layers == ()
    assert patch_grid(model, side**2 + 1) == PatchGrid(side, side, 1)
    assert reason_against(model) is None
    with expect_refusal(MethodError, f"{side**2 + 2} tokens, which make no grid"):
        patch_grid(model, side**2 + 2)


@pytest.mark.parametrize(
    ("kind", "prefix", "told"),
    [
        (nets.Windowed, 0, "within windows or between different tokens: attention 0 has shape"),
        (nets.Pooling, 1, "layers of Pooling have different numbers of tokens: 17, 9"),
    ],
)
def test_attention_that_makes_no_maps(kind: type[nets.Vit], prefix: int, told: str) -> None:
    model = nets.load(kind, prefix)
    reason = reason_against(model)
    assert reason is not None
    assert is_one_line(reason)
    assert told in reason


def test_no_attention_at_all() -> None:
    with expect_refusal(MethodError, "no attention was seen in TinyCnn"):
        check_global(zoo.load("tiny-cnn"), [])


def test_a_model_is_looked_at_once() -> None:
    model = nets.load(nets.Vit)
    with counted(model.module) as count:
        assert reason_against(model) is None
        assert reason_against(model) is None
    assert count.forward == 1


def test_a_model_that_is_gone_is_forgotten() -> None:
    model = nets.load(nets.Vit)
    reason_against(model)
    before = len(patches._reasons)
    del model
    gc.collect()
    assert len(patches._reasons) < before


def test_the_random_state_is_left_alone() -> None:
    before = torch.get_rng_state()
    reason_against(nets.load(nets.Vit))
    assert torch.equal(torch.get_rng_state(), before)
