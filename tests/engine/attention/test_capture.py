from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from engine.attention.capture import capture_attention, recording
from engine.errors import Cancelled
from engine.execution.passes import Passes
from tests.engine import zoo
from tests.engine.attention import nets
from tests.engine.counting import counted, hooks_on


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


QUERIES, KEYS = 5, 7
CALLS: dict[str, dict[str, Any]] = {
    "plain": {},
    "scale": {"scale": 0.7},
    "mask that keeps": {"attn_mask": drawn(QUERIES, KEYS) > -0.5},
    "mask that is added": {"attn_mask": drawn(2, 1, QUERIES, KEYS)},
    "causal": {"is_causal": True},
}


@pytest.mark.parametrize("call", CALLS)
def test_torchs_attention_is_what_was_captured_times_the_values(call: str) -> None:
    q, k, v = drawn(2, 4, QUERIES, 6), drawn(2, 4, KEYS, 6, seed=1), drawn(2, 4, KEYS, 3, seed=2)
    plain = F.scaled_dot_product_attention(q, k, v, **CALLS[call])
    with recording() as maps:
        found = F.scaled_dot_product_attention(q, k, v, **CALLS[call])
    assert torch.equal(found, plain)
    (weights,) = maps
    assert weights.shape == (2, 4, QUERIES, KEYS)
    assert torch.allclose(weights.sum(dim=-1), torch.ones(2, 4, QUERIES))
    assert torch.allclose(weights @ v, plain, atol=1e-5)


def test_fewer_heads_of_keys_than_of_queries() -> None:
    q, k, v = drawn(2, 4, 5, 6), drawn(2, 2, 5, 6, seed=1), drawn(2, 2, 5, 6, seed=2)
    with recording() as maps:
        found = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    assert torch.allclose(maps[0] @ v.repeat_interleave(2, dim=1), found, atol=1e-5)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("need_weights", [True, False])
def test_multihead_attention(batch_first: bool, need_weights: bool) -> None:
    module = zoo.seeded(lambda: nn.MultiheadAttention(8, 2, batch_first=batch_first))
    x = drawn(3, 5, 8)
    with torch.no_grad():
        plain, _ = module(x, x, x, need_weights=need_weights)
        _, wanted = module(x, x, x, average_attn_weights=False)
        with recording() as maps:
            found, weights = module(x, x, x, need_weights=need_weights)
    assert torch.allclose(found, plain, atol=1e-6)
    assert (weights is None) == (not need_weights)
    assert len(maps) == 1
    assert torch.allclose(maps[0], wanted, atol=1e-6)


def test_one_sample_without_a_batch() -> None:
    module = zoo.seeded(lambda: nn.MultiheadAttention(8, 2))
    with recording() as maps:
        module(*3 * [drawn(5, 8)])
    assert maps[0].shape == (1, 2, 5, 5)


@pytest.mark.parametrize(("kind", "depth"), [(nets.Vit, 3), (nets.Encoder, 2)])
def test_of_a_network(kind: type[nets.Vit], depth: int) -> None:
    model = nets.load(kind)
    x = zoo.noise(model, 4)
    plain = model.forward(x)
    with torch.no_grad(), recording() as maps:
        found = model.forward(x)
    assert torch.allclose(found, plain, atol=1e-6)
    assert [tuple(one.shape) for one in maps] == [(4, 2, 17, 17)] * depth


def test_eager_double_precision() -> None:
    model = nets.load(nets.Vit)
    x = zoo.noise(model, 2)
    found = capture_attention(Passes(model), x)
    twin = zoo.seeded(nets.Vit).double()
    tokens = twin.embedded(x.double())
    for block, weights in zip(twin.blocks, found, strict=True):
        parts = block.qkv(block.norm(tokens)).unflatten(-1, (3, 2, 4))
        q, k, _ = parts.permute(2, 0, 3, 1, 4)
        expected = (4 * q @ k.transpose(-2, -1) / 2).softmax(dim=-1)
        assert torch.allclose(weights.double(), expected, atol=1e-6)
        tokens = block(tokens)


def test_it_is_one_counted_pass_that_leaves_nothing() -> None:
    model = nets.load(nets.Vit)
    model.module.train()
    passes = Passes(model)
    with counted(model.module) as count:
        found = capture_attention(passes, zoo.noise(model, 3))
    assert (count.forward, passes.used.forward, count.backward) == (3, 3, 0)
    assert hooks_on(model.module) == 0
    assert model.module.training
    assert not any(one.requires_grad for one in found)
    with recording() as nothing:
        pass
    model.forward(zoo.noise(model))
    assert nothing == []


def test_nothing_is_left_after_an_exception() -> None:
    model = nets.load(nets.Vit)

    class Now:
        def is_set(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        capture_attention(Passes(model, cancel=Now()), zoo.noise(model))
    with pytest.raises(ZeroDivisionError), recording() as maps:
        _ = 1 / 0
    model.forward(zoo.noise(model))
    assert maps == []


def test_threads_do_not_see_each_others_maps() -> None:
    model = nets.load(nets.Vit)
    inputs = [zoo.noise(model, seed=seed) for seed in range(4)]
    alone = [capture_attention(Passes(model), x) for x in inputs]

    def one(index: int) -> bool:
        if index % 3 == 0:
            model.forward(inputs[0])
            return True
        found = capture_attention(Passes(model), inputs[index % 4])
        return len(found) == 3 and all(map(torch.equal, found, alone[index % 4]))

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(one, range(60)))


@pytest.mark.parametrize("block", [nets.Einsum, nets.Multihead, nets.Weighing])
def test_of_blocks_written_by_hand(block: type[nets.Block]) -> None:
    model = nets.load(block)
    x = zoo.noise(model, 2)
    tokens = model.module.embedded(x)
    for part, found in zip(model.module.blocks, capture_attention(Passes(model), x), strict=True):
        normal = part.norm(tokens)
        if block is nets.Einsum:
            q, k, _ = part.qkv(normal).unflatten(-1, (3, -1, 2)).unbind(2)
            wanted = torch.stack([q[..., h] @ k[..., h].mT for h in (0, 1)], dim=1).exp()
            wanted = wanted / wanted.sum(dim=-1, keepdim=True)
        else:
            _, wanted = part.attention(normal, normal, normal, average_attn_weights=False)
        assert torch.allclose(found, wanted, rtol=0, atol=1e-6)
        tokens = part(tokens)


WAYS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "torch.softmax": lambda scores: torch.softmax(scores, -1),
    "F.softmax": lambda scores: F.softmax(scores, dim=3),
    "in float32": lambda scores: F.softmax(scores.half(), dim=-1, dtype=torch.float32),
    "method": lambda scores: scores.softmax(dim=-1),
    "module": nn.Softmax(dim=-1),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_a_softmax(way: str) -> None:
    scores = drawn(2, 3, 4, 5)
    with recording() as maps:
        found = WAYS[way](scores)
    assert len(maps) == 1
    assert torch.equal(maps[0], found)
    raised = scores.exp()
    assert torch.allclose(found, raised / raised.sum(dim=-1, keepdim=True), atol=1e-3)


def test_a_map_is_what_it_was_before_it_is_overwritten() -> None:
    scores = drawn(1, 2, 3, 3)
    with recording() as maps:
        scores.softmax(dim=-1).mul_(0)
    assert torch.equal(maps[0], scores.softmax(dim=-1))


def test_softmax_over_other_things_is_no_attention() -> None:
    with recording() as maps:
        drawn(2, 3, 4, 5).softmax(dim=1)
        drawn(3, 4, 5).softmax(dim=-1)
        drawn(2, 3, 4, 5).log_softmax(dim=-1)
    assert maps == []
