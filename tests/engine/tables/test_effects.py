"""Partial dependence, ICE and accumulated local effects against closed forms and others."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from engine.errors import InputError, MethodError, ParameterError
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.table_specs import Column, TableSpec
from engine.table_results import Effects
from engine.tables.accumulated_effects import accumulate
from engine.tables.measuring import measure, plan_measure
from engine.tables.telling import ranking
from tests.engine.tables import nets

EFFECTS = ("partial-dependence", "individual-expectation", "accumulated-effects")


def slopes(found: Effects) -> np.ndarray:
    return np.diff(found.values) / np.diff(found.grid)


def correlated(rows: int = 300) -> nets.Table:
    draw = np.random.default_rng(0)
    x = draw.normal(size=rows)
    return nets.table_of(x0=x, x1=x + 0.1 * draw.normal(size=rows), x2=draw.normal(size=rows))


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("column", [0, 1, 2])
def test_slopes_of_a_linear_model_are_its_weights(name: str, column: int) -> None:
    weights = (3.0, -2.0, 0.0)
    found = measure(nets.linear(weights), correlated(), name, column=f"x{column}")
    assert np.allclose(slopes(found), weights[column], atol=2e-3)
    assert found.manifest["display"]["column"] == f"x{column}"
    assert found.manifest["display"]["categories"] == []
    cells = correlated().frame[f"x{column}"].to_numpy()
    assert set(found.density) <= set(cells)
    assert len(found.density) == found.outcome["rows"]


class Product(nn.Module):
    """x0 · x1 + x0²"""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :1] * x[:, 1:2] + x[:, :1] ** 2


def product() -> LoadedModel:
    spec = TableSpec((Column("x0"), Column("x1"), Column("x2")), task="regression")
    return load_model(Product(), input_spec=spec, classes=["value"], device="cpu")


def test_partial_dependence_is_the_mean_of_what_the_formula_says() -> None:
    table = correlated()
    found = measure(product(), table, "partial-dependence", column="x0", points=9)
    other = table.frame["x1"].to_numpy()
    assert np.allclose(found.values, found.grid * other.mean() + found.grid**2, atol=1e-4)
    spread = np.abs(found.grid) * other.std(ddof=1) / np.sqrt(len(other))
    assert np.allclose(found.error, spread, atol=1e-5)
    assert np.array_equal(found.grid, np.unique(found.grid))
    assert set(found.grid) <= set(table.frame["x0"])
    assert found.grid[[0, -1]].tolist() == [table.frame["x0"].min(), table.frame["x0"].max()]


def test_lines_are_what_the_formula_says_of_each_row() -> None:
    table = correlated()
    found = measure(product(), table, "individual-expectation", column="x0", rows=12)
    other = table.frame["x1"].to_numpy()[found.rows - 1]
    wanted = found.grid * other[:, None] + found.grid**2
    assert found.lines.shape == (12, len(found.grid))
    assert np.allclose(found.lines, wanted, atol=1e-4)
    assert np.allclose(found.values, wanted.mean(axis=0), atol=1e-4)
    centred = measure(
        product(), table, "individual-expectation", column="x0", rows=12, centred=True
    )
    assert np.allclose(centred.lines, wanted - wanted[:, :1], atol=1e-4)
    assert centred.manifest["display"]["centred"] is True


@pytest.mark.parametrize("name", ["partial-dependence", "individual-expectation"])
def test_they_are_scikit_learns_own_on_an_estimator(name: str) -> None:
    from sklearn.inspection import partial_dependence

    model, table = nets.forest(), nets.mixed_table()
    found = measure(model, table, name, column="size", target="yes")
    numbers = table.frame[["size", "weight", "age"]]
    wanted = partial_dependence(
        model.module.estimator,
        numbers,
        ["size"],
        custom_values={"size": found.grid},
        method="brute",
        kind="both",
        response_method="predict_proba",
    )
    assert np.allclose(found.values, wanted["average"][0], atol=1e-5)
    if found.lines is not None:
        assert np.allclose(found.lines, wanted["individual"][0], atol=1e-5)


@pytest.mark.parametrize("name", ["partial-dependence", "individual-expectation"])
def test_the_error_of_the_step_leaves_out_what_rows_differ_by_anyway(name: str) -> None:
    x = np.random.default_rng(0).normal(size=(80, 2))
    table = nets.table_of(x0=x[:, 0], x1=100 * x[:, 1])
    found = measure(nets.linear([10.0, 1.0]), table, name, column="x0")
    assert found.error.min() > 5
    assert found.outcome["difference_error"] < 1e-4
    moving = measure(
        product(), nets.table_of(x0=x[:, 0], x1=x[:, 1], x2=x[:, 1]), name, column="x0"
    )
    top, bottom = moving.values.argmax(), moving.values.argmin()
    steps = (moving.grid[top] - moving.grid[bottom]) * x[:, 1]
    wanted = steps.std(ddof=1) / np.sqrt(80)
    assert moving.outcome["difference_error"] == pytest.approx(wanted, rel=1e-3)


def slow_ale(predict, x: np.ndarray, column: int, edges: np.ndarray) -> np.ndarray:
    """As in the paper, row by row: edges z, parts (z[k−1], z[k]], the first with its start."""
    effect = np.zeros(len(edges))
    counts = np.zeros(len(edges) - 1)
    for k in range(1, len(edges)):
        gains = []
        for row in x:
            inside = edges[k - 1] < row[column] <= edges[k]
            if inside or (k == 1 and row[column] == edges[0]):
                low, high = row.copy(), row.copy()
                low[column], high[column] = edges[k - 1], edges[k]
                gains.append(predict(high) - predict(low))
        counts[k - 1] = len(gains)
        effect[k] = effect[k - 1] + np.mean(gains)
    mean = sum(counts[k] * (effect[k] + effect[k + 1]) / 2 for k in range(len(counts)))
    return effect - mean / counts.sum()


@pytest.mark.parametrize("points", [2, 5, 20, 200])
def test_accumulated_effects_are_those_of_the_paper(points: int) -> None:
    table = correlated(150)
    found = measure(product(), table, "accumulated-effects", column="x0", points=points)
    x = table.frame.to_numpy()
    wanted = slow_ale(lambda row: row[0] * row[1] + row[0] ** 2, x, 0, found.grid)
    assert np.allclose(found.values, wanted, atol=1e-4)


def test_accumulated_effects_leave_out_what_correlation_alone_adds() -> None:
    """Where x0 ≈ x1, x0·x1 moves by x0 dx0; partial dependence has x0·mean(x1) instead."""
    table = correlated(3000)
    found = measure(product(), table, "accumulated-effects", column="x0", points=30)
    middle = np.abs(found.grid) < 1.5
    curve = (1.5 * found.grid**2)[middle]  # ∫ (x1 + 2 x0) dx0 with x1 ≈ x0
    apart = found.values[middle] - curve
    assert apart.std() < 0.15


def test_the_error_is_that_of_many_draws() -> None:
    draw = np.random.default_rng(0)
    steps = np.repeat([0, 1, 2], [40, 20, 30])
    shares = np.array([0.2, 0.3, 0.3, 0.2])
    spread = np.array([1.0, 2.0, 0.5])[steps]
    curves, errors = [], []
    for _ in range(2000):
        curve, error = accumulate(steps + spread * draw.normal(size=90), steps, shares)
        curves.append(curve)
        errors.append(error)
    assert np.allclose(np.std(curves, axis=0), np.mean(errors, axis=0), rtol=0.05)
    assert np.mean(curves, axis=0) @ shares == pytest.approx(0, abs=1e-6)


def test_effects_of_categories() -> None:
    """A model that adds a number of its own for each category: both curves are these."""
    effects = np.array([1.0, 4.0, -2.0])
    module = nn.Linear(4, 1)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[*effects, 0.5]]))
        module.bias.fill_(0)
    columns = (Column("kind", "category", nets.KINDS), Column("size"))
    spec = TableSpec(columns, task="regression")
    model = load_model(module, input_spec=spec, classes=["value"], device="cpu")
    table = nets.mixed_table()
    shares = np.array([(table.frame["kind"] == kind).mean() for kind in nets.KINDS])
    local = measure(model, table, "accumulated-effects", column="kind")
    assert np.allclose(local.values, effects - effects @ shares, atol=1e-4)
    assert np.allclose(local.error, 0, atol=1e-5)
    assert local.grid.tolist() == [0, 1, 2]
    assert local.manifest["display"]["categories"] == list(nets.KINDS)
    whole = measure(model, table, "partial-dependence", column="kind")
    level = 0.5 * table.frame["size"].mean()
    assert np.allclose(whole.values, effects + level, atol=1e-3)


def test_categories_are_held_against_their_neighbours() -> None:
    """By hand: rows of either of two neighbours tell of the step between them."""
    model, table = nets.mixed_net(), nets.mixed_table(30)
    found = measure(model, table, "accumulated-effects", column="kind", output="logit")
    names = found.manifest["display"]["categories"]
    steps = []
    for before, after in pairwise(names):
        rows = table.frame[table.frame["kind"].isin([before, after])]
        scores = [
            nets.predict(model, nets.table_of(**rows.assign(kind=kind)))[:, 0]
            for kind in (before, after)
        ]
        steps.append((scores[1] - scores[0]).mean())
    curve = np.concatenate([[0], np.cumsum(steps)])
    shares = np.array([(table.frame["kind"] == name).mean() for name in names])
    assert np.allclose(found.values, curve - curve @ shares, atol=1e-4)


def lettered(letters: str) -> tuple[LoadedModel, nets.Table]:
    """A model that adds i² for the i-th of the letters a to f, and rows that have some of them."""
    module = nn.Linear(6, 1)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[float(i**2) for i in range(6)]]))
        module.bias.fill_(0)
    spec = TableSpec((Column("kind", "category", tuple("abcdef")),), task="regression")
    model = load_model(module, input_spec=spec, classes=["value"], device="cpu")
    return model, nets.table_of(kind=list(letters))


def test_categories_that_no_row_has_are_left_out_and_told() -> None:
    model, table = lettered("abf" * 4 + "aa")
    found = measure(model, table, "accumulated-effects", column="kind")
    assert found.grid.tolist() == [0, 1, 5]
    assert found.outcome["unseen"] == ["c", "d", "e"]
    effects, shares = np.array([0.0, 1.0, 25.0]), np.array([6, 4, 4]) / 14
    assert np.allclose(found.values, effects - effects @ shares, atol=1e-4)
    assert [entry["title"] for entry in ranking(found)] == ["a", "b", "f"]
    whole = measure(*lettered("abcdef" * 2), "accumulated-effects", column="kind")
    assert whole.outcome["unseen"] == []
    one = measure(*lettered("ddd"), "accumulated-effects", column="kind")
    assert (one.grid.tolist(), one.values.tolist(), one.error.tolist()) == ([3], [0], [0])


def test_the_probability_is_explained_unless_the_logit_is_asked_for() -> None:
    model, table = nets.mixed_net(), nets.mixed_table(50)
    found = measure(model, table, "partial-dependence", column="kind")
    assert found.manifest["request"]["output"] == "probability"
    assert found.manifest["display"]["unit"] == "mean probability of yes"
    as_red = nets.table_of(**table.frame.assign(kind="red"))
    place = found.manifest["display"]["categories"].index("red")
    wanted = nets.sigmoid(nets.predict(model, as_red)).mean()
    assert found.values[place] == pytest.approx(wanted, rel=1e-5)
    logit = measure(model, table, "partial-dependence", column="kind", output="logit")
    assert logit.values[place] == pytest.approx(nets.predict(model, as_red).mean(), rel=1e-5)


def test_a_column_is_needed_and_found_by_name_or_title() -> None:
    model, table = nets.mixed_net(), nets.mixed_table()
    with pytest.raises(MethodError, match="is of one column; name it: there are size, weight"):
        plan_measure(model, table, "partial-dependence")
    with pytest.raises(InputError, match="reads no column 'sise'; did you mean size"):
        plan_measure(model, table, "partial-dependence", column="sise")
    with pytest.raises(MethodError, match="looks at all columns; it takes no column"):
        plan_measure(model, table, "permutation", column="size")
    asked = plan_measure(model, table, "partial-dependence", column="SIZE")
    assert asked.request["measure"]["column"] == "size"
    with pytest.raises(ParameterError, match="takes from 2 to 200"):
        plan_measure(model, table, "individual-expectation", column="size", rows=201)
