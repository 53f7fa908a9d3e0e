"""Linear layers by oneDNN: the same numbers, and torch's own where they are not for it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from engine.attention.sites import attention_sites
from engine.heads import packed
from engine.heads.ablation import all_heads
from engine.heads.judging import head_scores, plan_heads
from engine.heads.packed import PackedLinears, can_pack
from engine.heads.reuse import find_reuse
from engine.heads.sharing import forget_shared
from engine.models.loaded import LoadedModel
from tests.engine import zoo
from tests.engine.attention import nets
from tests.engine.heads.helping import ALL, Remembering, load, one_by_one, outputs

pytestmark = pytest.mark.skipif(
    not can_pack(nn.Linear(512, 512)), reason="this torch has no oneDNN"
)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Weights of the small networks of tests count as large; what they give is kept from others."""
    monkeypatch.setattr(packed, "_FEWEST", 1)
    forget_shared()
    yield
    forget_shared()


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Shapes of what was computed by oneDNN."""
    shapes: list[tuple[int, ...]] = []
    plain = PackedLinears.linear

    def linear(self: PackedLinears, args: Any, kwargs: Any) -> Any:
        found = plain(self, args, kwargs)
        if found is not None:
            shapes.append(tuple(found.shape))
        return found

    monkeypatch.setattr(PackedLinears, "linear", linear)
    return shapes


def single_heads(model: LoadedModel) -> list[list[tuple[int, int]]]:
    return [[head] for head in all_heads(attention_sites(model).sites)]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ALL)
def test_packed_passes_are_the_naive_loop(name: str, computed: list[tuple[int, ...]]) -> None:
    model = load(name)
    x, sets = zoo.noise(model, 2), single_heads(model)
    reuse = replace(find_reuse(model), packed=True)
    wanted = one_by_one(model, x, sets).double().log_softmax(dim=-1)
    computed.clear()
    _, found, _ = outputs(model, x, sets, reuse, 8)
    assert computed
    assert (found - wanted).abs().max() <= 1e-5 * wanted.abs().max()
    computed.clear()
    _, found, _ = outputs(model, x[:1], sets, replace(reuse, rows=()), 1)
    assert not computed
    assert torch.equal(found[:, 0], wanted[:, 0])  # one by one it is equal to the bit


@pytest.mark.usefixtures("small")
def test_it_is_used_where_its_trial_agrees() -> None:
    model = nets.load(nets.Vit)
    assert find_reuse(model).packed
    outcome = head_scores(model, zoo.noise(model), "divergence").manifest["outcome"]
    assert outcome["packed"] is True
    whole = find_reuse(nets.load(Remembering))  # without blocks of its own
    assert whole.packed
    assert not whole.blocks


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("fault", ["wrong", "raises", "no operator", "switched off"])
def test_torch_s_own_where_it_fails(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = head_scores(nets.load(nets.Vit), zoo.noise(nets.load(nets.Vit)), "cross-entropy")
    plain = PackedLinears.linear

    def failing(self: PackedLinears, args: Any, kwargs: Any) -> Any:
        if fault == "raises":
            raise RuntimeError("could not create a primitive")
        found = plain(self, args, kwargs)
        return None if found is None else found * (1 + 1e-3)

    if fault == "no operator":
        monkeypatch.setattr(packed, "_OPS", SimpleNamespace())
    elif fault == "switched off":
        monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    else:
        monkeypatch.setattr(PackedLinears, "linear", failing)
    model = nets.load(nets.Vit)
    reuse = find_reuse(model)
    assert not reuse.packed
    assert reuse.blocks
    assert not reuse.reason
    work = replace(plan_heads(model, zoo.noise(model), "cross-entropy"), fresh=True)
    found = work.run()
    assert found.manifest["outcome"]["packed"] is False
    assert torch.allclose(torch.tensor(found.values), torch.tensor(wanted.values), atol=1e-5)


def test_what_is_left_to_torch() -> None:
    linears = PackedLinears()
    weight, bias = nn.Parameter(torch.randn(300, 400)), nn.Parameter(torch.randn(300))
    x = torch.randn(5, 7, 400)
    with torch.no_grad():
        for given in ((x, weight, bias), (x, weight), (x.transpose(0, 1), weight, None)):
            found = linears.linear(given, {})
            assert found is not None
            wanted = F.linear(*given)
            assert found.shape == wanted.shape
            assert (found - wanted).abs().max() <= 1e-5 * wanted.abs().max()
        left: list[Any] = [
            (x.double(), weight, bias),
            (x.bfloat16(), weight, bias),
            (x, weight.detach(), bias),
            (x, nn.Parameter(weight.double()), bias),
            (x, nn.Parameter(weight[:100]), bias),
            (x, weight, bias.double()),
            (x[:0], weight, bias),
            (x[0, 0], weight, bias),
            (x, weight, bias, None),
            (x,),
        ]
        assert all(linears.linear(given, {}) is None for given in left)
        assert linears.linear((x, weight), {"bias": bias}) is None
    assert linears.linear((x, weight, bias), {}) is None  # gradients are wanted
    assert not can_pack(nets.Vit())
    assert not can_pack(nn.Linear(512, 512).double())


def test_a_weight_that_changes_is_laid_out_anew() -> None:
    linears = PackedLinears()
    layer, x = nn.Linear(400, 300), torch.randn(9, 400)
    with torch.no_grad():
        for factor in (1, 3):
            layer.weight *= factor
            found = linears.linear((x, layer.weight, layer.bias), {})
            assert found is not None
            assert torch.allclose(found, layer(x), rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("small")
def test_nothing_is_left_in_memory(computed: list[tuple[int, ...]]) -> None:
    model = nets.load(nets.Vit)
    head_scores(model, zoo.noise(model), "divergence")
    assert computed
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one) is PackedLinears]
