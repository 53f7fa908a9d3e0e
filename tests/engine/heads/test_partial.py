"""Blocks of a head's attention put to zero, against attention written by hand in float64."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.attention.gates import gated
from engine.attention.sites import attention_sites
from engine.errors import MethodError, ParameterError, TargetError
from engine.execution.passes import Passes
from engine.head_results import BLOCKS, PartialPruning
from engine.heads import partial
from engine.heads.cutting import Blocks, Cut
from engine.heads.partial import block_masks, prune_blocks
from engine.models.loaded import LoadedModel
from engine.results import load_result
from tests.engine import reference, zoo
from tests.engine.attention import library, nets
from tests.engine.counting import counted, hooks_on
from tests.engine.refusals import expect_refusal

BY_HAND = [(nets.Vit, 1), (nets.Vit, 3), (nets.Vit, 0)]


def logits_by_hand(
    module: nets.Vit, x: torch.Tensor, layer: int, head: int, zero: np.ndarray, even: bool
) -> np.ndarray:
    """Logits in float64 with some weights of one head's matrix put to zero."""
    module = deepcopy(module).double()
    tokens = module.embedded(x.double()).detach()[0].numpy()
    state = {name: value.numpy() for name, value in module.state_dict().items()}
    for index in range(len(module.blocks)):
        weight, bias, out, shift = (
            state[f"blocks.{index}.{name}"]
            for name in ("qkv.weight", "qkv.bias", "out.weight", "out.bias")
        )
        apart = tokens - tokens.mean(axis=1, keepdims=True)
        unit = apart / np.sqrt((apart**2).mean(axis=1, keepdims=True) + 1e-5)
        q, k, v = (unit @ weight.T + bias).reshape(-1, 3, 2, 4).transpose(1, 2, 0, 3)
        mixed = []
        for number in range(2):
            rows = [reference.softmax(row) for row in 4 * q[number] @ k[number].T / 2]
            if (index, number) == (layer, head):
                for i, row in enumerate(rows):
                    for j in range(len(row)):
                        if zero[i, j]:
                            row[j] = 0.0
                    if even and row.sum() > 0:
                        rows[i] = row / row.sum()
            mixed.append(np.stack(rows) @ v[number])
        tokens = tokens + np.concatenate(mixed, axis=1) @ out.T + shift
    read = tokens[0] if module.prefix else tokens.mean(axis=0)
    return read @ state["head.weight"].T + state["head.bias"]


def block(number: int, prefix: int, tokens: int) -> np.ndarray:
    own = np.arange(tokens) < prefix
    query, key = (own, ~own)[number // 2], (own, ~own)[number % 2]
    return query[:, None] & key


@pytest.mark.parametrize(("kind", "prefix"), BY_HAND)
@pytest.mark.parametrize("head", [0, 1])
def test_by_hand(kind: type[nets.Vit], prefix: int, head: int) -> None:
    model = nets.load(kind, prefix)
    x = zoo.noise(model)
    tokens = 16 + prefix
    for layer in (0, 2):
        found = prune_blocks(model, x, layer, head, 1)
        nothing = np.zeros((tokens, tokens), dtype=bool)
        plain = logits_by_hand(model.module, x, layer, head, nothing, False)
        before = reference.softmax(plain)
        assert found.plain == pytest.approx([plain[1], before[1]], abs=2e-6)
        wanted = np.full((4, 2, 2), np.nan)
        for number in range(4) if prefix else (3,):
            for even in (False, True):
                zero = block(number, prefix, tokens)
                after = logits_by_hand(model.module, x, layer, head, zero, even)
                wanted[number, int(even), 0] = after[1] - plain[1]
                wanted[number, int(even), 1] = reference.softmax(after)[1] - before[1]
        assert np.allclose(found.blocks, wanted, rtol=0, atol=3e-6, equal_nan=True)
        off = logits_by_hand(model.module, x, layer, head, ~nothing, False)
        assert found.whole[0] == pytest.approx(off[1] - plain[1], abs=3e-6)
        assert abs(found.whole[0]) > 1e-3


@pytest.mark.parametrize("block", [nets.Block, nets.Multihead, nets.Weighing, nets.Einsum])
def test_however_attention_is_computed(block: type[nets.Block]) -> None:
    model = nets.load(block)
    x = zoo.noise(model)
    found = prune_blocks(model, x, 1, 1, 0)
    with torch.no_grad():
        plain = model.forward(x)[0, 0]
        with gated({1: torch.tensor([1.0, 0.0])}):
            without = model.forward(x)[0, 0]
    assert found.whole[0] == pytest.approx(float(without - plain), abs=1e-6)
    assert abs(found.whole[0]) > 1e-3
    # In the last layer only the class token is read: its two blocks are all the head does.
    assert found.blocks[0, 0, 0] != pytest.approx(0, abs=1e-5)
    assert found.blocks[2:, :, 0] == pytest.approx(0, abs=1e-6)


def run(model: LoadedModel, x: torch.Tensor, cut: Cut) -> torch.Tensor:
    with torch.no_grad(), Blocks(cut):
        return Passes(model).forward(x)


LIBRARY = ["transformers-vit", "transformers-beit", "timm-deit", "torchvision-swin", "timm-swin2"]


@pytest.mark.parametrize("name", LIBRARY)
def test_all_blocks_are_the_head_and_no_block_is_nothing(name: str) -> None:
    model = library.load(name)
    x = zoo.noise(model)
    with torch.no_grad():
        plain = model.forward(x)
    for site in attention_sites(model).sites:
        masks = block_masks(site)
        assert (masks.sum(dim=0) == 1).all()
        cut = partial._cuts(site, 1)
        nothing, everything = cut.of(8, 9), cut.of(9, 10)
        assert torch.allclose(run(model, x, nothing), plain, rtol=0, atol=1e-6 * plain.abs().max())
        gate = torch.ones(site.heads)
        gate[1] = 0
        with torch.no_grad(), gated({site.index: gate}):
            wanted = model.forward(x)
        found = run(model, x, everything)
        assert torch.allclose(found, wanted, rtol=0, atol=2e-6 * plain.abs().max())
        assert not torch.allclose(found, plain, rtol=0, atol=1e-3 * plain.abs().max())


@pytest.mark.parametrize("name", LIBRARY)
def test_recomputed_weights_are_those_of_the_network(name: str) -> None:
    """Nothing is cut, but A′V is computed all the same, and must be what ran."""
    model = library.load(name)
    x = zoo.noise(model)
    with torch.no_grad():
        plain = model.forward(x)
    for site in attention_sites(model).sites:
        cut = partial._cuts(site, 0).of(8, 9)
        for even in (False, True):
            computed = replace(
                cut, whole=torch.zeros(1, dtype=torch.bool), even=torch.tensor([even])
            )
            found = run(model, x, computed)
            assert torch.allclose(found, plain, rtol=0, atol=1e-5 * plain.abs().max())


def test_without_a_class_token_there_is_one_block() -> None:
    model = library.load("timm-swin")
    found = prune_blocks(model, zoo.noise(model), 1, 0, 2)
    assert np.isnan(found.blocks[:3]).all()
    assert np.allclose(found.blocks[3, 0], found.whole, rtol=0, atol=1e-5)
    assert len(BLOCKS) == len(found.blocks)


def test_heads_that_are_off_stay_off() -> None:
    model = nets.load(nets.Vit)
    x = zoo.noise(model)
    found = prune_blocks(model, x, 1, 0, 0, off=[(0, 1), (2, 0)])
    with torch.no_grad():
        gates = {0: torch.tensor([1.0, 0.0]), 2: torch.tensor([0.0, 1.0])}
        with gated(gates):
            plain = model.forward(x)[0, 0]
        with gated(gates | {1: torch.tensor([0.0, 1.0])}):
            without = model.forward(x)[0, 0]
    assert found.plain[0] == pytest.approx(float(plain), abs=1e-6)
    assert found.whole[0] == pytest.approx(float(without - plain), abs=1e-6)


def test_target_cost_and_file(tmp_path) -> None:
    model = nets.load(nets.Vit)
    x = zoo.noise(model)
    with torch.no_grad():
        best = int(model.forward(x).argmax())
    attention_sites(model)
    with counted(model.module) as passes:
        found = prune_blocks(model, x, 0, 1)
    assert passes.forward == 10
    assert found.manifest["request"]["target"]["index"] == best
    assert found.manifest["outcome"]["passes"]["forward"] == 10
    named = prune_blocks(model, x, 0, 1, model.classes[best])
    assert named.key == found.key
    assert prune_blocks(model, x, 0, 0).key != found.key
    saved = load_result(found.save(tmp_path / "partial.safetensors"))
    assert isinstance(saved, PartialPruning)
    assert np.array_equal(saved.blocks, found.blocks)
    assert hooks_on(model.module) == 0


def test_what_is_refused() -> None:
    model = nets.load(nets.Vit)
    x = zoo.noise(model)
    with expect_refusal(ParameterError, "layer 0 has no head 5"):
        prune_blocks(model, x, 0, 5)
    with expect_refusal(TargetError, "class 9"):
        prune_blocks(model, x, 0, 0, 9)
    with expect_refusal(MethodError, "tokens are mixed"):
        blurred = nets.load(nets.Blurred)
        prune_blocks(blurred, zoo.noise(blurred), 0, 0)
