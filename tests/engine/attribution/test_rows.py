from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from engine.attribution.explain import explain, plan
from engine.attribution.rows import columns_told, per_column, row_told, table_of
from engine.errors import InputError, ModelError, TargetError
from engine.inputs.tables import Row, Table, load_table
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.table_specs import Column, TableSpec
from tests.engine import zoo
from tests.engine.refusals import expect_refusal

SPEC = TableSpec(
    (
        Column("age", mean=40.0, std=10.0, title="Age"),
        Column("colour", "category", ("red", "green", "blue")),
        Column("weight", mean=70.0, std=12.0),
    )
)


def model(spec: TableSpec = SPEC, name: str = "mlp") -> LoadedModel:
    return load_model(zoo.build(name), input_spec=spec)


def table(rows: int = 12) -> Table:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "weight": draw.normal(70, 12, rows).round(1),
            "id": range(rows),
            "age": draw.integers(18, 90, rows),
            "colour": draw.choice(["red", "green", "blue"], rows),
        }
    )
    return load_table(frame.to_csv(index=False).encode(), name="people")


# -- one value for each column


def test_the_values_are_one_for_each_column() -> None:
    found = explain(model(), table().row(3), "integrated-gradients", 0)
    assert found.values.shape == (3,)


def test_the_value_of_a_category_is_the_sum_over_its_features() -> None:
    loaded, row = model(), table().row(3)
    x = loaded.prepare(row).requires_grad_()
    gradient = torch.autograd.grad(loaded.forward(x)[0, 1], x)[0][0]
    products = (gradient * x[0]).detach().double().numpy()
    expected = [products[0], products[1:4].sum(), products[4]]
    found = explain(loaded, row, "gradient-x-input", 1).values
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("values", [torch.rand(5), torch.rand(2, 5), torch.rand(3)])
def test_what_is_for_each_column_already_stays(values: torch.Tensor) -> None:
    found = per_column(values, SPEC)
    assert found.shape[-1] == 3
    assert torch.equal(found, values if values.shape[-1] == 3 else SPEC.fold(values))


def test_what_is_no_table_stays() -> None:
    values = torch.rand(5)
    assert per_column(values, zoo.FIVE) is values


# -- what is told beside


def test_columns_are_told() -> None:
    found = explain(model(), table().row(3), "gradient", 0).manifest["display"]
    assert found["columns"] == ["age", "colour", "weight"]
    assert found["titles"] == ["Age", "colour", "weight"]
    assert found["task"] == "classification"


def test_columns_are_told_of_tables_only() -> None:
    assert columns_told(zoo.FIVE) == {}


def test_the_cells_of_the_row_are_told() -> None:
    there = table()
    source = explain(model(), there.row(3), "gradient", 0).manifest["source"]
    cells = there.frame.iloc[2]
    assert source["row"] == {
        "age": float(cells["age"]),
        "colour": cells["colour"],
        "weight": float(cells["weight"]),
    }
    assert (source["input"], source["input_origin"]) == ("row 3 of people", "")


def test_an_empty_cell_is_told_as_none() -> None:
    spec = TableSpec((Column("age", optional=True), Column("weight")), encoding="codes")
    assert row_told(Row({"age": "", "weight": 3}), spec) == {"age": None, "weight": 3.0}


@pytest.mark.parametrize(("given", "spec"), [(torch.rand(5), SPEC), (Row({"a": 1}), zoo.FIVE)])
def test_no_cells_are_told_of_what_is_no_row_of_a_table(given: Any, spec: Any) -> None:
    assert row_told(given, spec) is None


# -- what the row is compared with


def test_a_row_is_compared_with_its_table() -> None:
    there = table()
    found = explain(model(), there.row(3), "integrated-gradients", 0)
    assert found.manifest["request"]["background"] == there.digest


def test_another_table_can_be_named() -> None:
    there, other = table(), table(5)
    found = plan(model(), there.row(3), "integrated-gradients", 0, background=other)
    assert found.request["background"] == other.digest
    assert len(found.background.table) == 5


def test_of_a_long_table_a_hundred_rows_are_drawn_by_the_seed() -> None:
    there = table(250)
    first = plan(model(), there.row(3), "integrated-gradients", 0, seed=1).background
    again = plan(model(), there.row(3), "integrated-gradients", 0, seed=1).background
    other = plan(model(), there.row(3), "integrated-gradients", 0, seed=2).background
    assert len(first.chosen) == 100
    assert first.chosen == again.chosen != other.chosen
    assert first.table.numbers == tuple(place + 1 for place in first.chosen)


def test_a_changed_row_is_compared_with_the_same_table() -> None:
    there = table()
    found = plan(model(), there.row(3).changed(age=50), "integrated-gradients", 0)
    assert found.request["background"] == there.digest


@pytest.mark.parametrize("given", [Row({"a": 1}), table(1).row(1), torch.rand(5)])
def test_what_has_no_other_rows_is_compared_with_none(given: Any) -> None:
    assert table_of(given) is None


def test_a_background_that_lacks_a_column() -> None:
    other = load_table(b"age,weight\n1,2\n3,4\n", name="others")
    with expect_refusal(InputError, "others lacks the column 'colour'"):
        explain(model(), table().row(3), "integrated-gradients", 0, background=other)


def test_a_background_with_a_bad_cell_tells_its_row() -> None:
    other = load_table(b"age,weight,colour\n1,2,red\n3,4,pink\n", name="others")
    with expect_refusal(InputError, "others, row 2, column 'colour': 'pink' is not among"):
        explain(model(), table().row(3), "integrated-gradients", 0, background=other)


# -- the key


def key(given: Any, **more: Any) -> str:
    return plan(model(), given, "gradient", 0, **more).key


def test_the_order_of_columns_does_not_change_the_key() -> None:
    values = {"age": 31, "colour": "red", "weight": 61.5}
    assert key(values) == key(dict(reversed(values.items())))


def test_a_row_of_a_table_has_the_key_of_the_same_row_in_hand() -> None:
    row = table().row(3)
    assert key(row) == key(dict(row.values)) == key(pd.Series(row.values))


def test_a_number_has_the_key_of_its_text() -> None:
    values = {"age": "31", "colour": "red", "weight": "61.5"}
    assert key(values) == key({**values, "age": 31, "weight": 61.5})


def test_a_changed_cell_changes_the_key() -> None:
    row = table().row(3)
    assert key(row) != key(row.changed(weight=1))


# -- what is refused


def test_a_row_for_a_model_of_tensors() -> None:
    with expect_refusal(InputError, "takes tensors of shape (5,), not rows of a table"):
        explain(zoo.load("mlp"), table().row(1), "gradient", 0)


@pytest.mark.parametrize("given", [3, "row 3", ["red", 3]])
def test_what_is_no_row(given: Any) -> None:
    with expect_refusal(InputError, "a row is table.row(N) or a mapping from column to value"):
        explain(model(), given, "gradient", 0)


def test_a_table_is_no_row() -> None:
    with expect_refusal(InputError, "a row is table.row(N)"):
        explain(model(), table(), "gradient", 0)


def test_a_bad_cell_is_told_before_anything_is_computed() -> None:
    with expect_refusal(InputError, "row 3 of people, changed, column 'age': 'old' is no number"):
        explain(model(), table().row(3).changed(age="old"), "gradient", 0)


def test_a_model_of_tensors_has_no_columns() -> None:
    with expect_refusal(ModelError, "takes tensors of shape (5,), not tables"):
        _ = zoo.load("mlp").table_spec


# -- a regression


def value_model() -> LoadedModel:
    spec = TableSpec(SPEC.columns, label="price", task="regression")
    return load_model(torch.nn.Linear(5, 1), input_spec=spec)


def test_a_regression_explains_its_value() -> None:
    loaded, row = value_model(), table().row(3)
    weights = loaded.module.weight.detach().double().numpy()[0]
    products = weights * loaded.prepare(row).double().numpy()[0]
    found = explain(loaded, row, "gradient-x-input").values
    expected = [products[0], products[1:4].sum(), products[4]]
    assert np.allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_a_regression_has_no_probability() -> None:
    with expect_refusal(TargetError, "a regression has no probability; explain its value"):
        explain(value_model(), table().row(3), "gradient", output="probability")
