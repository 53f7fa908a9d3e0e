from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from engine.errors import Cancelled
from engine.models.rows import load_rows
from engine.models.table_specs import Column, TableSpec
from engine.table_results import ColumnScores
from engine.tables.measuring import measure, plan_measure
from engine.tables.quick_selection import _standardised
from engine.tables.sparse_autoencoder import MOST_SHARE, Recipe, _Layer, _learn, strengths
from tests.engine.tables import nets


def planted(rows: int = 1000, seed: int = 0) -> nets.Table:
    """Ten columns that hang together through two hidden numbers, and twenty of noise."""
    draw = np.random.default_rng(seed)
    hidden, mixing = draw.normal(size=(rows, 2)), draw.normal(size=(2, 10))
    told = hidden @ mixing + 0.3 * draw.normal(size=(rows, 10))
    noise = draw.normal(size=(rows, 20))
    columns = {f"told{i}": told[:, i] * 7 + 100 for i in range(10)}
    return nets.table_of(**columns, **{f"noise{i}": noise[:, i] for i in range(20)})


@pytest.mark.parametrize("seed", [0, 1])
def test_columns_that_hang_together_come_before_noise(seed: int) -> None:
    found = measure(None, planted(seed=seed), "quick-selection", seed=seed)
    assert isinstance(found, ColumnScores)
    told, noise = found.values[:10], found.values[10:]
    above = (told[:, None] > noise).mean()
    assert above > 0.85
    assert told.mean() > 1.2 * noise.mean()
    assert set(found.order()[:5]) <= set(range(10))
    assert (found.error > 0).all()


def test_it_asks_neither_model_nor_label() -> None:
    table = nets.mixed_table()
    model = nets.mixed_net()
    with_model = measure(model, table, "quick-selection", epochs=2)
    assert with_model.outcome["passes"] == {"forward": 0, "backward": 0}
    bare = nets.table_of(**table.frame.drop(columns="label"))
    without = measure(None, bare, "quick-selection", epochs=2)
    assert np.array_equal(with_model.values, without.values)
    assert without.manifest["request"]["model"] is None
    assert without.manifest["source"]["model_title"] == ""


def test_the_scale_of_a_column_decides_nothing() -> None:
    frame = planted(200).frame
    found = measure(None, nets.table_of(**frame), "quick-selection", epochs=3)
    frame["told0"] = frame["told0"] * -1000 + 5
    again = measure(None, nets.table_of(**frame), "quick-selection", epochs=3)
    assert np.allclose(found.values[1:], again.values[1:], rtol=0.15)


def test_a_column_of_which_nothing_is_known_is_no_trouble() -> None:
    frame = nets.normal_table(60).frame
    spec = TableSpec(tuple(Column(name, optional=True) for name in ("x0", "x1", "x2")))
    rows = load_rows(nets.table_of(**frame.assign(x1=np.nan)), spec, 60, 0, None, truth=False)
    scaled = _standardised(rows)[0].numpy()
    assert np.array_equal(scaled[:, 1], np.zeros(60))
    wanted = (frame["x0"] - frame["x0"].mean()) / frame["x0"].std(ddof=0)
    assert np.allclose(scaled[:, 0], wanted, atol=1e-6)


def test_gradients_are_those_of_autograd() -> None:
    """One step without momentum behind it moves every weight by rate × gradient."""
    draws = torch.Generator().manual_seed(0)
    layers = [_Layer(5, 8, 13.0, draws), _Layer(8, 5, 13.0, draws)]
    for layer in layers:
        layer.there[:] = torch.rand(layer.there.shape, generator=draws) < 0.6
        layer.weight = torch.randn(layer.there.shape, generator=draws) * layer.there
    clean = torch.randn((7, 5), generator=draws)
    leaves = [layer.weight.clone().requires_grad_() for layer in layers]
    said = (clean @ leaves[0]).sigmoid() @ leaves[1]
    (((said - clean) ** 2).sum() / 2 / 7).backward()
    before = [layer.weight.clone() for layer in layers]
    _learn(clean, layers, 0.0, draws)
    for layer, leaf, was in zip(layers, leaves, before, strict=True):
        wanted = was * (1 - 1e-5) - 0.01 * leaf.grad * layer.there
        assert torch.allclose(layer.weight, wanted, atol=1e-6)
        assert (layer.weight[~layer.there] == 0).all()


def test_moving_drops_the_weakest_and_keeps_the_number() -> None:
    draws = torch.Generator().manual_seed(0)
    layer = _Layer(100, 50, 3.0, draws)
    before, there = layer.weight.clone(), layer.there.clone()
    assert there.float().mean() == pytest.approx(3 * 150 / 5000, rel=0.15)
    layer.move(0.2, draws)
    assert layer.there.sum() == there.sum()
    dropped = there & (layer.weight != before)
    kept = there & ~dropped
    for sign in (1, -1):
        side = before * sign > 0
        assert before[dropped & side].abs().max() <= before[kept & side].abs().min()
        assert int((dropped & side).sum()) == int(0.2 * int((there & side).sum()))
    grown = layer.there & ~there
    assert (layer.weight[grown] != 0).all()
    assert (layer.weight[~layer.there] == 0).all()


def test_no_layer_is_full() -> None:
    layer = _Layer(6, 200, 13.0, torch.Generator().manual_seed(0))
    assert layer.there.float().mean() == pytest.approx(MOST_SHARE, abs=0.03)


def test_seeds_decide_and_the_steps_are_told() -> None:
    rows = torch.randn((50, 4), generator=torch.Generator().manual_seed(0))
    told = []
    recipe = Recipe(20, 13, 0.2, 0.2, 4)
    one, other, same = (strengths(rows, recipe, seed, lambda: told.append(1)) for seed in (1, 2, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert len(told) == 12


def test_it_stops_between_epochs() -> None:
    cancel, reports = threading.Event(), []

    def progress(done: int, total: int) -> None:
        reports.append((done, total))
        if done == 5:
            cancel.set()

    with pytest.raises(Cancelled):
        plan_measure(None, planted(100), "quick-selection", epochs=4).run(progress, cancel)
    assert reports == [(n, 12) for n in range(1, 6)]
