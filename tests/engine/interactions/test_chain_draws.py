"""Chains of layers by their own loop, against the way that is open to every model."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from engine.execution.chunks import Chunks
from engine.execution.passes import Passes
from engine.inputs.tables import Table
from engine.interactions.chain_draws import is_drawable, rectangles
from engine.interactions.columns_first import columns_first
from engine.interactions.table_data import table_data
from engine.interactions.table_world import TableWorld, cut, evenly
from engine.interactions.world import permutations
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.table_specs import Column, TableSpec
from tests.engine.interactions.making import table_of

FEATURES, ROWS, REPEATS = 5, 40, 7
SUBSETS = [(1,), (3,), (1, 3)]


class Hidden(nn.Module):
    """A network that nobody knows to be a chain."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)


def chain(*sizes: int, act: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for fed, size in pairwise(sizes):
        layers += [nn.Linear(fed, size), act(), nn.Dropout(0.5)]
    return nn.Sequential(*layers[:-2])


def loaded(net: nn.Module, outputs: int, kind: str) -> LoadedModel:
    columns = tuple(Column(f"x{i}", mean=0.1, std=1.2) for i in range(FEATURES))
    labels = tuple(map(str, range(max(2, outputs))))
    spec = TableSpec(columns, label="y", labels=labels)
    if kind == "regression":
        spec = TableSpec(columns, label="y", task="regression")
    classes = [str(i) for i in range(outputs)]
    return load_model(net, input_spec=spec, classes=classes, device="cpu")


def rows_for(outputs: int, kind: str) -> Table:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(ROWS, FEATURES))
    if kind == "regression":
        return table_of(x, 150 + 40 * draw.normal(size=ROWS))
    return table_of(x, draw.integers(0, max(2, outputs), ROWS))


def worlds(net: nn.Module, outputs: int, kind: str, chunk: int) -> tuple[TableWorld, TableWorld]:
    """The chain by its own loop, and the same network by passes of whole rows."""
    bank = permutations(ROWS, REPEATS, 0)
    found = []
    for model in (columns_first(loaded(net, outputs, kind)), loaded(Hidden(net), outputs, kind)):
        data = table_data(model, rows_for(outputs, kind), None, ROWS, 0)
        found.append(TableWorld(Passes(model), Chunks(chunk), data.rows, bank))
    assert [is_drawable(one.passes.model) for one in found] == [True, False]
    return found[0], found[1]


@pytest.mark.parametrize("chunk", [1, 5 * ROWS, 10 * ROWS, 23 * ROWS, 10_000])
@pytest.mark.parametrize(
    ("sizes", "kind"),
    [((5, 1), "one"), ((5, 8, 1), "one"), ((5, 6, 4, 3), "several"), ((5, 3, 1), "regression")],
)
def test_the_loop_of_chains_says_what_whole_passes_say(
    sizes: tuple[int, ...], kind: str, chunk: int
) -> None:
    masks = np.random.default_rng(1).uniform(-0.5, 2, (4, FEATURES))
    ours, theirs = worlds(chain(*sizes).double(), sizes[-1], kind, chunk)
    for fast, slow in zip(
        ours.moved(masks, SUBSETS, exact=False),
        theirs.moved(masks, SUBSETS, exact=False),
        strict=True,
    ):
        assert fast.shape == (4, REPEATS)
        assert np.allclose(fast, slow, rtol=1e-12, atol=1e-12)
    assert ours.passes.used == theirs.passes.used


@pytest.mark.parametrize("chunk", [3 * ROWS, 10 * ROWS])
def test_several_threads_say_the_same_to_the_bit(chunk: int) -> None:
    masks = np.random.default_rng(1).uniform(-0.5, 2, (9, FEATURES))
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)  # put back by the fixture of this folder
        ours, _ = worlds(chain(5, 16, 8, 1), 1, "one", chunk)
        found.append(np.stack(ours.moved(masks, SUBSETS, exact=False)))
        assert ours.passes.used.forward == 3 * 9 * REPEATS * ROWS
    assert np.array_equal(*found)


@pytest.mark.parametrize("act", [nn.Tanh, nn.GELU, nn.ReLU])
def test_in_single_precision_they_agree_up_to_rounding(act: type[nn.Module]) -> None:
    masks = np.random.default_rng(1).uniform(-0.5, 2, (4, FEATURES))
    ours, theirs = worlds(chain(5, 16, 8, 1, act=act), 1, "one", 500)
    fast, slow = (np.stack(one.moved(masks, SUBSETS, exact=False)) for one in (ours, theirs))
    assert np.abs(fast - slow).max() < 1e-6


def test_two_features_are_all_there_are() -> None:
    # Nothing stays where both are moved.
    spec = TableSpec((Column("x0"), Column("x1")), label="y", labels=("0", "1"))
    model = load_model(chain(2, 3, 1).double(), input_spec=spec, classes=["1"], device="cpu")
    draw = np.random.default_rng(0)
    table = table_of(draw.normal(size=(ROWS, 2)), draw.integers(0, 2, ROWS))
    data = table_data(model, table, None, ROWS, 0)
    bank = permutations(ROWS, REPEATS, 0)
    ours = TableWorld(Passes(columns_first(model)), Chunks(99), data.rows, bank)
    (both,) = ours.moved(np.array([[0.5, 2.0]]), [(0, 1)], exact=False)
    x = torch.from_numpy(data.rows.features).double()[:, :2]
    truth = torch.from_numpy(np.asarray(data.rows.truth)).double()
    net = model.module.eval()
    for order, told in zip(bank, both[0], strict=True):
        with torch.no_grad():
            logits = net(x[order] * torch.tensor([0.5, 2.0]))[:, 0]
        assert told == pytest.approx(
            float(nn.functional.binary_cross_entropy_with_logits(logits, truth)), abs=1e-12
        )


def test_what_is_not_finite_is_an_infinite_loss() -> None:
    net: Any = chain(5, 4, 1)
    with torch.no_grad():
        net[-1].weight *= 1e38
    masks = np.array([[1e-9] * FEATURES, [1e9] * FEATURES])
    ours, _ = worlds(net, 1, "one", 10_000)
    ours.passes = Passes(ours.passes.model, finite=False)
    with torch.no_grad():
        net[-1].weight.clamp_(-1e35, 1e35)
    (told,) = ours.moved(masks, [(1,)], exact=False)
    assert np.isfinite(told[0]).all()
    assert np.isinf(told[1]).all()
    assert np.isinf(ours.losses(masks)).tolist() == [False, True]


def test_memory_that_runs_out_halves_the_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.interactions.chain_draws import ChainDraws

    masks = np.random.default_rng(1).uniform(-0.5, 2, (4, FEATURES))
    ours, theirs = worlds(chain(5, 8, 1).double(), 1, "one", 10_000)
    real, asked = ChainDraws.losses, []

    def tight(self: ChainDraws, start: int, stop: int) -> np.ndarray:
        asked.append(stop - start)
        if stop - start > 5:
            raise torch.cuda.OutOfMemoryError("out of memory")
        return real(self, start, stop)

    monkeypatch.setattr(ChainDraws, "losses", tight)
    (fast,) = ours.moved(masks, [(1, 3)], exact=False)
    (slow,) = theirs.moved(masks, [(1, 3)], exact=False)
    assert max(asked) > 5
    assert np.allclose(fast, slow, rtol=0, atol=1e-12)
    assert ours.passes.used == theirs.passes.used
    assert ours.chunks.size < 10_000


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 12))
def test_blocks_cover_every_place_once_and_in_order(a: int, b: int, width: int) -> None:
    start, stop = min(a, b), max(a, b)
    blocks = list(rectangles(start, stop, width))
    table = np.arange(72 * width).reshape(72, width)
    places = [place for rows, columns in blocks for place in table[rows, columns].ravel()]
    assert places == list(range(start, stop))
    assert len(blocks) <= 3


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 90), st.integers(1, 40))
def test_pieces_end_where_models_do(a: int, b: int, most: int, repeats: int) -> None:
    start, stop = min(a, b), max(a, b)
    pieces = cut(start, stop, most, repeats)
    assert [at for one in pieces for at in range(*one)] == list(range(start, stop))
    assert all(0 < end - begin <= most for begin, end in pieces)
    if most < repeats:
        assert all(begin // repeats == (end - 1) // repeats for begin, end in pieces)


@given(st.integers(1, 500), st.integers(1, 120))
def test_models_are_cut_into_equal_parts_or_not_at_all(wanted: int, repeats: int) -> None:
    found = evenly(wanted, repeats)
    assert 1 <= found <= wanted
    if wanted >= repeats:
        assert found % repeats == 0
    else:
        assert -(-repeats // found) == -(-repeats // wanted)  # no more parts than before
