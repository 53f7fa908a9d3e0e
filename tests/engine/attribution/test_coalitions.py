from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from engine.attribution.coalitions import Game
from engine.attribution.explain import explain
from engine.attribution.method import Run
from engine.execution.chunks import Chunks
from engine.execution.passes import Passes
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.outputs import Readout
from engine.models.table_specs import Column, TableSpec
from tests.engine import zoo


def game(model: LoadedModel, x: torch.Tensor, rows: torch.Tensor, chunk: int = 3) -> Game:
    readout = Readout(1, None, "logit", model.activation)
    passes: Any = Passes(model)
    return Game.of(Run(model, x, readout, {}, 0, passes, Chunks(chunk)), rows)


def test_columns_that_never_differ_do_not_play() -> None:
    model = zoo.load("table")
    x, rows = zoo.noise(model), zoo.noise(model, 4, seed=1)
    assert game(model, x, rows).moving.tolist() == [0, 1, 2]
    same = rows.clone()
    same[:, 4] = x[0, 4]
    assert game(model, x, same).moving.tolist() == [0, 1]
    same[1, 4] += 1
    assert game(model, x, same).moving.tolist() == [0, 1, 2]
    assert game(model, x, x).players == 0


def test_coalitions_stay_and_the_others_come_from_each_row() -> None:
    model = zoo.load("table")
    x, rows = zoo.noise(model), zoo.noise(model, 4, seed=1)
    rows[:, 0] = x[0, 0]  # the first column does not play
    keep = torch.tensor([[True, False], [False, True], [False, False]])
    found = game(model, x, rows).scores_of_all_rows(keep)
    assert found.shape == (3, 4)
    hidden = torch.tensor([[0, 0, 0, 0, 1], [0, 1, 1, 1, 0], [0, 1, 1, 1, 1]], dtype=torch.bool)
    for index in range(3):
        with torch.no_grad():
            expected = zoo.build("table")(torch.where(hidden[index], rows, x))[:, 1]
        assert np.allclose(found[index], expected, rtol=0, atol=1e-6)


def test_values_stand_in_their_columns() -> None:
    model = zoo.load("table")
    x, rows = zoo.noise(model), zoo.noise(model, 4, seed=1)
    rows[:, 1:4] = x[0, 1:4]
    found = game(model, x, rows).per_column(torch.tensor([2.0, 3.0]))
    assert found.tolist() == [2, 0, 3]


def test_empty_cells_of_an_estimator_that_takes_them() -> None:
    draw = np.random.default_rng(0)
    cells = draw.normal(size=(60, 3))
    cells[draw.random(cells.shape) < 0.2] = np.nan
    truth = (np.nan_to_num(cells).sum(axis=1) > 0).astype(int)
    spec = TableSpec(tuple(Column(name, optional=True) for name in "abc"), encoding="codes")
    trees = HistGradientBoostingClassifier(max_iter=5).fit(cells, truth)
    model = load_model(trees, input_spec=spec)
    x = torch.tensor([[0.5, torch.nan, 1.0]])
    rows = torch.tensor([[0.1, torch.nan, 1.0], [torch.nan, torch.nan, 1.0]])
    assert game(model, x, rows).moving.tolist() == [0]
    rows[0, 1] = 2.0
    assert game(model, x, rows).moving.tolist() == [0, 1]
    row = {"a": 0.5, "b": None, "c": 1.0}
    for method in ("kernel-shap", "shapley-sampling", "lime", "feature-ablation"):
        found = explain(model, row, method, 1, background=_frame(cells))
        assert np.isfinite(found.values).all()


def _frame(cells: np.ndarray) -> Any:
    import pandas as pd

    return pd.DataFrame(cells, columns=list("abc"))
