from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import pytest
import torch
from torch import nn

from engine.attention.capture import recording
from engine.attention.gates import gated
from engine.attention.sites import attention_sites
from engine.errors import MethodError
from engine.models.loaded import LoadedModel
from engine.models.outputs import logits_of
from tests.engine import zoo
from tests.engine.attention import library, nets
from tests.engine.counting import hooks_on
from tests.engine.refusals import expect_refusal

BLOCKS = [nets.Block, nets.Multihead, nets.Weighing, nets.Einsum]


def without(heads: int, *closed: int) -> torch.Tensor:
    gate = torch.ones(heads)
    gate[list(closed)] = 0
    return gate


def logits(model: LoadedModel, x: torch.Tensor, gates: dict[int, torch.Tensor]) -> torch.Tensor:
    with torch.no_grad(), gated(gates):
        return model.forward(x)


def blanked(module: nn.Module, site: int, columns: slice, x: torch.Tensor) -> torch.Tensor:
    """What comes out when columns of one output projection are put to zero."""
    twin = deepcopy(module)
    with torch.no_grad():
        library.projections(twin)[site][:, columns] = 0
        return logits_of(twin(x))


@pytest.mark.parametrize("name", library.MAKES)
def test_a_closed_gate_is_a_head_taken_out_of_the_projection(name: str) -> None:
    model = library.load(name)
    x = zoo.noise(model, 2)
    plain = model.forward(x).detach()
    size = plain.abs().max()
    for site in attention_sites(model).sites:
        width = library.projections(model.module)[site.index].shape[1] // site.heads
        for head in (0, site.heads - 1):
            columns = slice(head * width, (head + 1) * width)
            wanted = blanked(model.module, site.index, columns, x)
            found = logits(model, x, {site.index: without(site.heads, head)})
            assert (found - wanted).abs().max() <= 2e-6 * size
            assert (found - plain).abs().max() > 1e-3 * size


@pytest.mark.parametrize("block", BLOCKS)
def test_of_blocks_written_by_hand(block: type[nets.Block]) -> None:
    model = nets.load(block)
    x = zoo.noise(model, 2)
    plain = model.forward(x).detach()
    interleaved = block is nets.Einsum
    for site in range(2):
        for head in range(2):
            columns = slice(head, None, 2) if interleaved else slice(4 * head, 4 * head + 4)
            wanted = blanked(model.module, site, columns, x)
            found = logits(model, x, {site: without(2, head)})
            assert torch.allclose(found, wanted, rtol=0, atol=1e-6)
            assert not torch.allclose(found, plain, rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", library.MAKES)
def test_gates_of_one_change_nothing(name: str) -> None:
    model = library.load(name)
    x = zoo.noise(model, 2)
    with torch.no_grad(), recording():
        plain = model.forward(x)
    gates = {site.index: torch.ones(site.heads) for site in attention_sites(model).sites}
    assert torch.equal(logits(model, x, gates), plain)


@pytest.mark.parametrize("name", library.MAKES)
def test_gates_of_each_sample_are_as_one_by_one(name: str) -> None:
    model = library.load(name)
    x = zoo.noise(model, 3)
    sites = attention_sites(model).sites
    gates = {site.index: torch.rand(3, site.heads) for site in sites}
    together = logits(model, x, gates)
    for index in range(3):
        own = {site: gate[index] for site, gate in gates.items()}
        alone = logits(model, x[index : index + 1], own)[0]
        assert torch.allclose(together[index], alone, rtol=0, atol=3e-6 * together.abs().max())
    swapped = logits(model, x, {site: gate.flip(0) for site, gate in gates.items()})
    assert not torch.allclose(swapped[0], together[0], rtol=1e-3)


@pytest.mark.parametrize("name", ["nets", "timm-swin", "torchvision-vit", "timm-swin2"])
def test_slope_of_a_gate(name: str) -> None:
    model = nets.load(nets.Einsum) if name == "nets" else library.load(name)
    sites = attention_sites(model).sites
    module = model.module.double()
    x = zoo.noise(model).double()
    gates = {site.index: torch.full((site.heads,), 0.8).double() for site in sites}
    leaves = {index: gate.clone().requires_grad_() for index, gate in gates.items()}
    with gated(leaves):
        logits_of(module(x))[0, 1].backward()
    for site in sites:
        for head in range(site.heads):
            step = 1e-5 * nn.functional.one_hot(torch.tensor(head), site.heads).double()
            up, down = (
                logits(model, x, gates | {site.index: gates[site.index] + sign * step})[0, 1]
                for sign in (1, -1)
            )
            slope = leaves[site.index].grad[head]
            assert torch.isclose((up - down) / 2e-5, slope, rtol=1e-5, atol=1e-7)
            assert slope.abs() > 1e-6


def test_maps_are_recorded_as_they_were_before_the_gates() -> None:
    for kind in BLOCKS:
        model = nets.load(kind)
        x = zoo.noise(model)
        with torch.no_grad():
            with recording() as plain:
                model.forward(x)
            with recording() as outside, gated({0: without(2, 1)}), recording() as inside:
                model.forward(x)
        assert torch.equal(inside[0], plain[0])
        assert torch.equal(inside[1], outside[1])
        assert not torch.equal(inside[1], plain[1])  # the second layer sees what the first sends


def test_weights_that_a_network_returns_are_the_gated_ones() -> None:
    module = zoo.seeded(lambda: nn.MultiheadAttention(8, 2, batch_first=True))
    x = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(0))
    _, plain = module(x, x, x, average_attn_weights=False)
    with gated({0: torch.tensor([1.0, 0.25])}):
        _, found = module(x, x, x, average_attn_weights=False)
    assert torch.allclose(found, plain * torch.tensor([1.0, 0.25])[:, None, None])


def test_a_gate_that_does_not_fit() -> None:
    model = nets.load(nets.Vit)
    x = zoo.noise(model, 3)
    with expect_refusal(MethodError, "attention 1 works on (3, 2, 17, 4)", "shape (4,)"):
        logits(model, x, {1: torch.ones(4)})
    with expect_refusal(MethodError, "attention 0 works on 3 windows, the gate has 2 samples"):
        logits(model, x, {0: torch.ones(2, 2)})
    with expect_refusal(MethodError, "a gate for attention 7, but 3 were seen"):
        logits(model, x, {7: torch.ones(2)})


def test_nothing_is_left() -> None:
    model = nets.load(nets.Encoder)
    x = zoo.noise(model)
    plain = model.forward(x)
    with pytest.raises(ZeroDivisionError), gated({0: torch.zeros(2)}):
        _ = 1 / 0
    with pytest.raises(MethodError), gated({0: torch.zeros(5)}):
        model.forward(x)
    assert torch.equal(model.forward(x), plain)
    module = zoo.seeded(lambda: nn.MultiheadAttention(8, 2))
    with pytest.raises(AssertionError), recording():  # torch's own, from inside its function
        module(torch.zeros(5, 1, 6), torch.zeros(5, 1, 6), torch.zeros(5, 1, 6))
    with recording() as maps:
        torch.zeros(3, 5, 5).softmax(dim=-1)  # three axes are no attention outside of it
    assert maps == []
    assert hooks_on(model.module) == 0


def test_threads_do_not_feel_each_others_gates() -> None:
    model = nets.load(nets.Vit)
    x = zoo.noise(model)
    plain = model.forward(x).detach()
    closed = logits(model, x, {0: torch.zeros(2)})
    assert not torch.allclose(plain, closed)

    def one(index: int) -> bool:
        if index % 2:
            return torch.equal(logits(model, x, {0: torch.zeros(2)}), closed)
        return torch.allclose(model.forward(x), plain)

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(one, range(60)))
