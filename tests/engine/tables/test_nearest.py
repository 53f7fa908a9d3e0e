from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.errors import InputError, ParameterError
from engine.models.loading import load_model
from engine.models.table_specs import Column, TableSpec
from engine.tables.nearest import other_outcome
from engine.tables.outcomes import predict_table
from tests.engine.counting import counted
from tests.engine.tables import nets


def brute_force(model, table, place: int) -> list[int]:
    """Numbers of all rows with another outcome, the nearest first."""
    spec = model.table_spec
    said = nets.predict(model, table)[:, 0] > 0
    row, found = table.frame.iloc[place], []
    for other in range(len(table)):
        if said[other] == said[place]:
            continue
        sizes = [
            float(row[c.name] != table.frame[c.name].iloc[other])
            if c.kind == "category"
            else abs(row[c.name] - table.frame[c.name].iloc[other]) / c.std
            for c in spec.columns
        ]
        found.append((np.mean(sizes), other + 1))
    return [number for _, number in sorted(found)]


@pytest.mark.parametrize("place", [0, 3, 11])
def test_they_are_those_of_a_search_by_hand(place: int) -> None:
    model, table = nets.mixed_net(), nets.mixed_table(60)
    found = other_outcome(model, table, table.row(place + 1), 7)
    assert found.rows.tolist() == brute_force(model, table, place)[:7]
    assert (np.diff(found.distance) >= 0).all()
    assert set(found.outcomes) == {"yes", "no"} - {found.outcome}
    chances = nets.sigmoid(nets.predict(model, table)[:, 0])
    assert found.score == pytest.approx(chances[place], rel=1e-5)
    assert np.allclose(found.scores, chances[found.rows - 1], atol=1e-6)
    assert (found.looked_at, found.of) == (60, 60)


def test_changes_are_told_largest_first() -> None:
    model, table = nets.mixed_net(), nets.mixed_table(60)
    found = other_outcome(model, table, table.row(4), 3)
    for number, distance, changes in zip(found.rows, found.distance, found.changes, strict=True):
        sizes = [change.size for change in changes]
        assert sizes == sorted(sizes, reverse=True)
        assert min(sizes) > 0
        assert sum(sizes) / len(model.table_spec.columns) == pytest.approx(distance)
        for change in changes:
            assert change.before == table.frame[change.column].iloc[3]
            assert change.after == table.frame[change.column].iloc[number - 1]


def test_of_equally_near_rows_the_fewest_changes_come_first() -> None:
    columns = (Column("a", low=0.0, high=4.0), Column("b", low=0.0, high=4.0))
    module = nn.Linear(2, 1)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[1.0, 1.0]]))
        module.bias.fill_(-1.0)
    model = load_model(module, input_spec=TableSpec(columns), classes=["yes"], device="cpu")
    table = nets.table_of(a=[0.0, 1, 2, 0, 5], b=[0.0, 1, 0, 2, 5])
    found = other_outcome(model, table, table.row(1))
    assert found.rows.tolist() == [3, 4, 2, 5]
    assert found.distance.tolist() == [1, 1, 1, 5]
    assert [change.column for change in found.changes[0]] == ["a"]


def test_of_a_regression_they_lie_a_standard_deviation_away() -> None:
    model, table = nets.linear([1.0, 0.0, 0.0]), nets.normal_table(200)
    said = table.frame["x0"].to_numpy()
    row = table.row(int(np.abs(said).argmin()) + 1)
    far, own = said.std(), row.values["x0"]
    higher = other_outcome(model, table, row, 200, direction="higher")
    assert set(higher.rows) == set(np.flatnonzero(said - own > far) + 1)
    assert set(higher.outcomes) == {"higher"}
    lower = other_outcome(model, table, row, 200, direction="lower")
    assert set(lower.rows) == set(np.flatnonzero(said - own < -far) + 1)
    both = other_outcome(model, table, row, 200)
    assert set(both.rows) == set(higher.rows) | set(lower.rows)
    assert both.outcome == ""
    with pytest.raises(ParameterError, match="did you mean higher"):
        other_outcome(model, table, row, direction="high")
    with pytest.raises(InputError, match="for regressions"):
        mixed = nets.mixed_table()
        other_outcome(nets.mixed_net(), mixed, mixed.row(1), direction="lower")


def test_the_table_is_asked_about_once() -> None:
    model, table = nets.mixed_net(), nets.mixed_table(50)
    with counted(model.module) as count:
        said = predict_table(model, table)
        found = [other_outcome(model, table, table.row(n), predicted=said) for n in (1, 2, 3)]
    assert count.forward == 50 + 3
    assert [one.passes for one in found] == [1, 1, 1]
    alone = other_outcome(model, table, table.row(2))
    assert alone.rows.tolist() == found[1].rows.tolist()
    assert alone.passes == 51


def test_of_three_classes_any_other_counts() -> None:
    model, table = nets.mixed_net(3), nets.mixed_table(80)
    said = nets.predict(model, table).argmax(axis=1)
    found = other_outcome(model, table, table.row(1), 80)
    assert set(found.rows) == set(np.flatnonzero(said != said[0]) + 1)
    names = np.array(model.classes)[said[found.rows - 1]]
    assert found.outcomes == tuple(names)


def test_a_made_up_row_and_a_sample() -> None:
    model, table = nets.mixed_net(), nets.mixed_table(90)
    made_up = table.row(1).changed(age=33)
    found = other_outcome(model, table, made_up, predicted=predict_table(model, table, rows=40))
    assert (found.looked_at, found.of) == (40, 90)
    assert found.rows.max() > 40


def test_where_all_are_alike_there_is_none() -> None:
    model, table = nets.linear([0.0, 0.0], bias=1), nets.normal_table(10, 2)
    found = other_outcome(model, table, table.row(1))
    assert len(found.rows) == len(found.changes) == len(found.outcomes) == 0
    with pytest.raises(ParameterError, match="count=0"):
        other_outcome(model, table, table.row(1), 0)
