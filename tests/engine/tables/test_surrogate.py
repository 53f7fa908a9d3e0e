from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.models.loading import load_model
from engine.models.table_specs import Column, TableSpec
from engine.table_results import Surrogate
from engine.tables.measuring import measure
from engine.tables.trees import told_threshold
from tests.engine.tables import nets


class Tree(nn.Module):
    """x0 ≤ 0.25: 1 where x1 ≤ −0.5, else 3; else 7. In codes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        left = torch.where(x[:, 1] <= -0.5, 1.0, 3.0)
        return torch.where(x[:, 0] <= 0.25, left, torch.full_like(left, 7.0))[:, None]


def tree_model():
    columns = tuple(Column(f"x{i}", title=f"Column {i}") for i in range(3))
    spec = TableSpec(columns, task="regression", encoding="codes")
    return load_model(Tree(), input_spec=spec, classes=["value"], device="cpu")


def follow(found: Surrogate, cells: np.ndarray) -> float:
    node = 0
    while found.feature[node] >= 0:
        cell, threshold = cells[found.feature[node]], found.threshold[node]
        category = found.columns[found.feature[node]] in found.manifest["display"]["categories"]
        right = cell == threshold if category else cell > threshold
        node = found.children[node][int(right)]
    return float(found.prediction[node])


def test_a_model_that_is_a_tree_is_found_again() -> None:
    draw = np.random.default_rng(0)
    table = nets.table_of(**{f"x{i}": draw.uniform(-1, 1, 4000) for i in range(3)})
    found = measure(tree_model(), table, "surrogate", depth=2)
    assert isinstance(found, Surrogate)
    assert found.outcome["fidelity"]["r2"] > 0.99
    assert found.outcome["fidelity"]["rows"] == 1333
    assert found.feature.tolist() == [0, 1, -1, -1, -1]
    assert found.threshold[0] == pytest.approx(0.25, abs=2e-3)
    assert found.threshold[1] == pytest.approx(-0.5, abs=2e-3)
    assert found.children.tolist() == [[1, 4], [2, 3], [-1, -1], [-1, -1], [-1, -1]]
    assert found.prediction[[2, 3, 4]].tolist() == [1, 3, 7]
    assert found.share[0] == 1
    assert found.share[[2, 3, 4]].sum() == pytest.approx(1)
    assert found.values[2] == 0
    assert found.values.sum() == pytest.approx(1)
    rules = found.outcome["rules"]
    assert rules[0].startswith("if Column 0 ≤ 0.2")
    assert "and Column 1 > -0." in rules[0]
    assert rules[0].endswith(f"then value 3 ({100 * found.share[3]:.0f} % of the rows)")
    assert any(rule.startswith("if Column 0 > 0.2") and "then value 7" in rule for rule in rules)


def test_fidelity_is_one_where_the_thresholds_cannot_be_missed() -> None:
    draw = np.random.default_rng(0)
    table = nets.table_of(**{f"x{i}": draw.choice([-1.0, 0.0, 1.0], 600) for i in range(3)})
    found = measure(tree_model(), table, "surrogate")
    assert found.outcome["fidelity"]["r2"] == pytest.approx(1.0)
    for row in table.frame.to_numpy()[:50]:
        wanted = float(Tree()(torch.tensor(row[None]))[0])
        assert follow(found, row) == pytest.approx(wanted)


def test_the_tree_says_what_scikit_learns_does() -> None:
    from sklearn.tree import DecisionTreeRegressor

    model, table = nets.mixed_net(), nets.mixed_table(300)
    found = measure(model, table, "surrogate", depth=4, top=100, seed=7)
    scores = nets.sigmoid(nets.predict(model, table)[:, 0])
    order = np.random.default_rng([7, 300]).permutation(300)
    spec = model.table_spec
    asked = [
        (table.frame[c.name] == name).to_numpy(float)
        if c.kind == "category"
        else table.frame[c.name].to_numpy(float)
        for c in spec.columns
        for name in (c.categories or [""])
    ]
    x = np.stack(asked, axis=1)
    tree = DecisionTreeRegressor(max_depth=4, min_samples_leaf=2, random_state=7)
    tree.fit(x[order[100:]], scores[order[100:]])
    names = {c.name: list(c.categories) for c in spec.columns}
    cells = [
        [names[n].index(v) if names[n] else v for n, v in row.items()]
        for row in table.frame[list(spec.names)].to_dict("records")
    ]
    told = np.array([follow(found, np.array(row, dtype=float)) for row in cells])
    assert np.allclose(told, tree.predict(x), atol=1e-5)
    missed = ((scores - tree.predict(x))[order[:100]] ** 2).sum()
    held = scores[order[:100]]
    r2 = 1 - missed / ((held - held.mean()) ** 2).sum()
    assert found.outcome["fidelity"]["r2"] == pytest.approx(r2, abs=1e-4)
    same = ((held > 0.5) == (tree.predict(x)[order[:100]] > 0.5)).mean()
    assert found.outcome["fidelity"]["agreement"] == pytest.approx(same)


def test_among_three_classes_no_half_decides() -> None:
    table = nets.mixed_table(300)
    for target in range(3):
        found = measure(nets.mixed_net(3), table, "surrogate", target=target)
        assert set(found.outcome["fidelity"]) == {"rows", "r2"}
    assert "agreement" in measure(nets.mixed_net(2), table, "surrogate").outcome["fidelity"]


@pytest.mark.parametrize(
    ("threshold", "values", "told"),
    [
        (2013.5, [2012.0, 2013.0, 2014.0], 2013.0),
        (-2.5, [-3.0, -2.0], -3.0),
        (59698.0, [59000.0, 59697.0, 59699.0], 59698.0),
        (0.249731, [0.1, 0.2496, 0.2498, 0.3], 0.2497),
        (2013.53, [2013.51, 2013.54, 2019.0], 2013.53),
        (0.1 + 2e-13, [0.1 + 1e-13, 0.1 + 4e-13], 0.1000000000002),
    ],
)
def test_a_threshold_that_is_told_divides_the_rows_as_it_does(
    threshold: float, values: list[float], told: float
) -> None:
    given = np.array(values)
    found = told_threshold(threshold, given)
    assert found == told
    assert np.array_equal(given <= found, given <= threshold)


class Recent(nn.Module):
    """3 after the year 2013, before 1; and 5 more above an income of 59,698.5."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (1 + 2 * (x[:, :1] > 2013.5) + 5 * (x[:, 1:] > 59698.5)).float()


def test_rules_say_whole_numbers_in_full() -> None:
    spec = TableSpec((Column("year"), Column("income")), task="regression", encoding="codes")
    model = load_model(Recent(), input_spec=spec, classes=["value"], device="cpu")
    draw = np.random.default_rng(0)
    year, income = draw.integers(2005, 2020, 900), draw.choice([59697, 59698, 59699, 59700], 900)
    found = measure(model, nets.table_of(year=year, income=income), "surrogate", depth=2)
    assert set(found.threshold[found.feature >= 0]) == {2013.0, 59698.0}
    rules = " ".join(found.outcome["rules"])
    for told in ("year ≤ 2013 ", "year > 2013 ", "income ≤ 59698 ", "income > 59698 "):
        assert told in rules
    assert found.outcome["fidelity"]["r2"] == pytest.approx(1)
    for row in np.stack([year, income], axis=1)[:100].astype(float):
        wanted = 1 + 2 * (row[0] > 2013) + 5 * (row[1] > 59698)
        assert follow(found, row) == pytest.approx(wanted)


def test_only_the_columns_that_tell_most_are_asked_about() -> None:
    table = nets.normal_table(400, 4)
    found = measure(nets.linear([0.1, 5.0, 3.0, 0.2]), table, "surrogate", top=2, depth=5)
    assert found.outcome["columns"] == ["x1", "x2"]
    assert set(found.feature[found.feature >= 0]) == {1, 2}
    assert found.values[[0, 3]].tolist() == [0, 0]


def test_rules_say_categories_and_percent() -> None:
    module = nn.Linear(3, 1)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[4.0, -4.0, -4.0]]))
        module.bias.fill_(0)
    spec = TableSpec((Column("kind", "category", nets.KINDS, title="Kind"),))
    model = load_model(module, input_spec=spec, classes=["sold"], device="cpu")
    found = measure(model, nets.table_of(kind=list(nets.KINDS) * 20), "surrogate")
    red = next(rule for rule in found.outcome["rules"] if rule.startswith("if Kind is red then"))
    other = next(rule for rule in found.outcome["rules"] if rule.startswith("if Kind is not red"))
    assert "98 % sold" in red
    assert "2 % sold" in other
    assert found.outcome["fidelity"]["agreement"] == 1.0
    assert found.threshold[0] == 0
    assert follow(found, np.array([0.0])) > 0.9
    assert follow(found, np.array([2.0])) < 0.1


def test_a_model_that_never_changes_is_one_leaf() -> None:
    found = measure(nets.linear([0, 0, 0], bias=2), nets.normal_table(30), "surrogate")
    assert found.feature.tolist() == [-1]
    assert found.outcome["rules"] == ["always value 2 (100 % of the rows)"]
    assert "r2" not in found.outcome["fidelity"]
