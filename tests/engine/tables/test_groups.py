"""How columns go together, which are joined, and what a group is credited with."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch
from scipy import stats

from engine.errors import Cancelled
from engine.execution.chunks import Chunks
from engine.execution.cost import Cost
from engine.inputs.tables import drawn_places
from engine.models.learning_columns import learn_columns
from engine.models.rows import load_rows
from engine.table_results import Groups
from engine.tables.association import association, cramers_v, grouped
from engine.tables.group_shapley import exact, sampled
from engine.tables.measure import Run
from engine.tables.measuring import measure, plan_measure
from engine.tables.steps import Steps
from tests.engine.tables import nets


def strengths_of(**columns: object) -> np.ndarray:
    table = nets.table_of(**columns)
    return association(load_rows(table, learn_columns(table), 9999, 0, None, truth=False))


def test_numbers_go_by_spearman() -> None:
    x = np.random.default_rng(0).normal(size=(60, 3)).round(1)
    found = strengths_of(a=x[:, 0], b=x[:, 1], c=x[:, 0] ** 3)
    wanted = stats.spearmanr(np.stack([x[:, 0], x[:, 1], x[:, 0] ** 3], axis=1)).statistic
    assert np.allclose(found, wanted)
    assert found[0, 2] == pytest.approx(1)


def test_categories_go_by_cramers_v() -> None:
    draw = np.random.default_rng(1)
    a = draw.choice(list("pqr"), 200)
    b = np.where(draw.random(200) < 0.5, a, draw.choice(list("pqrs"), 200))
    found = strengths_of(a=a, b=b, c=a)
    counts = stats.contingency.crosstab(a, b).count
    assert found[0, 1] == pytest.approx(stats.contingency.association(counts, "cramer"))
    assert found[0, 2] == pytest.approx(1)
    assert np.array_equal(found, found.T)


def test_a_number_and_a_category_go_by_the_correlation_ratio() -> None:
    # The marks of three classes, 6 pupils each (a textbook example): η² = between / total.
    marks = {
        "algebra": [45, 70, 29, 15, 21],
        "geometry": [40, 20, 30, 42],
        "statistics": [65, 95, 80, 70, 85, 73],
    }
    names = [name for name, values in marks.items() for _ in values]
    found = strengths_of(kind=names, mark=[float(m) for values in marks.values() for m in values])
    assert found[0, 1] == pytest.approx(np.sqrt(6780 / 9640), abs=1e-4)
    assert found[0, 1] == found[1, 0]


def test_columns_that_never_change_go_with_none() -> None:
    found = strengths_of(a=np.arange(9.0), b=np.ones(9), c=["x"] * 9, d=list("xyxyxyxyx"))
    assert np.array_equal(np.diag(found), np.ones(4))
    assert found[1, [0, 2, 3]].tolist() == [0, 0, 0]
    assert found[2, [0, 1, 3]].tolist() == [0, 0, 0]


def test_joining() -> None:
    strengths = np.array([[1, -0.9, 0.1, 0], [-0.9, 1, 0, 0], [0.1, 0, 1, 0.7], [0, 0, 0.7, 1]])
    assert grouped(strengths, 0.7)[0] == grouped(strengths, 0.7)[1]
    assert grouped(strengths, 0.7)[2] == grouped(strengths, 0.7)[3]
    assert len(set(grouped(strengths, 0.7))) == 2
    assert len(set(grouped(strengths, 0.8))) == 3
    assert len(set(grouped(strengths, 0.95))) == 4
    assert grouped(np.ones((1, 1)), 0.5).tolist() == [0]


def run_of(model, table) -> Run:
    plan = plan_measure(model, table, "groups")
    return Run(
        plan.rows, table, model, plan.readout, None, plan.parameters, 0,
        Steps(model, Cost()), Chunks(50),
    )  # fmt: skip


def brute_force(score, x: np.ndarray, background: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Shapley values of one row: what joining adds, over all orders and rows to compare with."""
    count = group.max() + 1
    values = np.zeros(count)
    orders = list(permutations(range(count)))
    for order in orders:
        for other in background:
            mixed, before = other.copy(), score(other)
            for member in order:
                mixed[group == member] = x[group == member]
                after = score(mixed)
                values[member] += after - before
                before = after
    return values / (len(orders) * len(background))


def test_group_values_are_those_of_all_orders() -> None:
    model, table = nets.mixed_net(), nets.mixed_table(20)
    run = run_of(model, table)
    features = run.features()
    group = np.array([0, 0, 1, 2])[run.rows.spec.column_of]
    found = exact(run, features[:3], features[5:9], group)

    def score(x: np.ndarray) -> float:
        with torch.no_grad():
            return float(model.module(torch.from_numpy(x[None])).sigmoid())

    for place in range(3):
        wanted = brute_force(score, features[place].numpy(), features[5:9].numpy(), group)
        assert np.allclose(found[place], wanted, atol=1e-5)


def test_sampled_values_come_near_the_exact_ones() -> None:
    run = run_of(nets.mixed_net(), nets.mixed_table(20))
    features = run.features()
    group = run.rows.spec.column_of
    wanted = exact(run, features[:4], features[5:10], group)
    few, many = (sampled(run, features[:4], features[5:10], group, n) for n in (20, 3000))
    assert np.abs(many - wanted).max() < 0.02
    assert np.abs(many - wanted).mean() < np.abs(few - wanted).mean()


def test_many_groups_are_sampled_and_told() -> None:
    weights = np.arange(12) / 4
    table = nets.normal_table(150, 12)
    found = measure(nets.linear(weights), table, "groups", permutations=400)
    assert isinstance(found, Groups)
    assert found.outcome["sampled"] is True
    assert found.manifest["display"]["groups"][0] == ["x11"]
    assert found.manifest["display"]["groups"][-1] == ["x0"]
    # Of a linear model, a column's value is w (x − mean of the background).
    x = table.frame.to_numpy()
    rows, others = drawn_places(150, 100, 0), drawn_places(150, 30, 1)
    wanted = np.abs(weights * (x[rows] - x[others].mean(axis=0))).mean(axis=0)
    assert np.allclose(found.values, wanted[np.argsort(found.group)], rtol=0.05, atol=1e-6)


def test_columns_alike_are_one_group_with_their_credit_together() -> None:
    x = np.random.default_rng(0).normal(size=(100, 2))
    table = nets.table_of(x0=x[:, 0], x1=x[:, 1], x2=x[:, 0] * 2)
    found = measure(nets.linear([1.0, 1.0, -0.5]), table, "groups", background=100)
    assert found.outcome["sampled"] is False
    assert found.group.tolist() == [1, 0, 1]
    assert found.manifest["display"]["groups"] == [["x1"], ["x0", "x2"]]
    assert found.values[1] == pytest.approx(0, abs=1e-5)  # they cancel each other
    centred = np.abs(x[:, 1] - x[:, 1].mean())
    assert found.values[0] == pytest.approx(centred.mean(), rel=1e-5)
    assert found.error[0] == pytest.approx(centred.std(ddof=1) / 10, rel=1e-4)


def test_the_threshold_decides_what_is_joined() -> None:
    x = np.random.default_rng(0).normal(size=(100, 3))
    table = nets.table_of(x0=x[:, 0], x1=x[:, 1], x2=x[:, 0] + 0.5 * x[:, 2])
    model = nets.linear([1.0, 1.0, -0.5])
    strength = stats.spearmanr(x[:, 0], table.frame["x2"]).statistic
    joined = measure(model, table, "groups", threshold=strength - 0.01)
    apart = measure(model, table, "groups", threshold=strength + 0.01)
    assert joined.group[0] == joined.group[2] != joined.group[1]
    assert len(joined.values) == 2
    assert sorted(apart.group) == [0, 1, 2]


def test_cost_is_known_before() -> None:
    planned = plan_measure(nets.linear([1, 1, 1]), nets.normal_table(50), "groups")
    assert planned.cost == Cost(50 * 2**3 * 30)
    assert replace(planned).run().outcome["passes"]["forward"] == planned.cost.forward


def test_planning_holds_no_columns_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked on every visit of a page; the work is counted, and can be cancelled."""

    def refuse(*_: object) -> None:
        raise AssertionError("columns were held together")

    model, table = nets.linear([1.0] * 40), nets.normal_table(50, 40)
    with monkeypatch.context() as patched:
        patched.setattr("engine.tables.groups.association", refuse)
        planned = plan_measure(model, table, "groups", explained=2, background=2, permutations=2)
    steps = planned.measure.steps(planned.rows, planned.parameters)
    assert steps == 40 * 39 // 2
    cancel, done = threading.Event(), []

    def progress(so_far: int, _total: int) -> None:
        done.append(so_far)
        if so_far == 5:
            cancel.set()

    with pytest.raises(Cancelled):
        planned.run(progress, cancel)
    assert done == [1, 2, 3, 4, 5]
    assert planned.run().outcome["passes"]["forward"] <= planned.cost.forward


def test_names_that_hardly_repeat_take_no_square_of_them() -> None:
    """2 columns of 50 000 names each: their table of counts would have 2.5 · 10⁹ cells."""
    names = np.random.default_rng(0).permutation(50_000)
    assert cramers_v(names, names[::-1].copy()) == pytest.approx(1)
    codes = np.repeat([0, 1], 25_000)
    assert cramers_v(codes, np.tile([0, 1], 25_000)) == pytest.approx(0, abs=1e-7)
