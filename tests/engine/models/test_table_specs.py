from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from engine.errors import ModelError
from engine.inputs.tables import load_table
from engine.models.matching import match
from engine.models.table_specs import Column, TableSpec
from tests.engine.refusals import expect_refusal

AGE = Column("age", mean=40.0, std=10.0)
COLOUR = Column("colour", "category", ("red", "green", "blue"), shares=(0.2, 0.5, 0.3))
HEIGHT = Column("height", mean=-1.5, std=0.25, title="Height")
SPEC = TableSpec((AGE, COLOUR, HEIGHT), label="sick", labels=("no", "yes"))
CODES = replace(SPEC, encoding="codes")

CELLS = pd.DataFrame(
    {
        "height": ["-1.25", "2", "0", "-1.5"],
        "colour": ["blue", "red", "green", "blue"],
        "age": ["50", "35.5", "-4", "40"],
    }
)


def matched(spec: TableSpec, cells: pd.DataFrame = CELLS) -> pd.DataFrame:
    return match(load_table(cells), spec).frame


def by_hand(spec: TableSpec, cells: pd.DataFrame) -> np.ndarray:
    """Each feature from its cell, one after another, in float64."""
    rows = []
    for _, row in cells.iterrows():
        features: list[float] = []
        for column in spec.columns:
            if column.kind == "category":
                hot = [float(row[column.name] == name) for name in column.categories]
                features += hot if spec.encoding == "one-hot" else [float(np.argmax(hot))]
            elif spec.encoding == "one-hot":
                features.append((float(row[column.name]) - column.mean) / column.std)
            else:
                features.append(float(row[column.name]))
        rows.append(features)
    return np.array(rows)


# -- what it says of itself


def test_names_titles_and_features() -> None:
    assert SPEC.names == ("age", "colour", "height")
    assert SPEC.titles == ("age", "colour", "Height")
    assert SPEC.widths == (1, 3, 1)
    assert SPEC.shape == (5,)
    assert SPEC.column_of.tolist() == [0, 1, 1, 1, 2]


def test_in_codes_each_column_is_one_feature() -> None:
    assert (CODES.widths, CODES.shape) == ((1, 1, 1), (3,))


def test_the_mean_row() -> None:
    assert SPEC.mean_row.tolist() == pytest.approx([0, 0.2, 0.5, 0.3, 0])
    assert CODES.mean_row.tolist() == [40, 1, -1.5]
    assert SPEC.mean_row.dtype == np.float32


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda: TableSpec(()), "a table needs at least one column"),
        (lambda: TableSpec((AGE, COLOUR, AGE)), "two columns are named 'age'"),
        (lambda: TableSpec((AGE,), task="regresion"), "no task 'regresion'; did you mean regre"),  # type: ignore[arg-type]
        (lambda: TableSpec((AGE,), encoding="onehot"), "no encoding 'onehot'; did you mean one-"),  # type: ignore[arg-type]
    ],
)
def test_specs_that_make_no_sense(build: Any, told: str) -> None:
    with expect_refusal(ModelError, told):
        build()


# -- from and to a dict


@pytest.mark.parametrize("spec", [SPEC, TableSpec((AGE,), task="regression")])
def test_a_spec_comes_back_from_its_dict(spec: TableSpec) -> None:
    assert TableSpec.from_dict(spec.as_dict()) == spec


def test_what_the_manifest_tells_brings_back_the_encoding_too() -> None:
    told = CODES.describe()
    assert told.pop("kind") == "table"
    assert TableSpec.from_dict(told) == CODES


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (None, 'expected an object with a list "columns"'),
        ([], 'expected an object with a list "columns"'),
        ({}, 'expected an object with a list "columns"'),
        ({"columns": "age"}, 'expected an object with a list "columns"'),
        ({"columns": {"name": "age"}}, 'expected an object with a list "columns"'),
        ({"columns": []}, "a table needs at least one column"),
        ({"columns": [{}]}, "columns: each needs a name"),
        ({"columns": [{"name": "a"}, {"name": "a"}]}, "two columns are named 'a'"),
        ({"columns": [{"name": "a", "std": -1}]}, "column 'a': std must be above 0"),
        ({"columns": [{"name": "a"}], "classes": []}, "columns: unknown field 'classes'"),
        ({"columns": [{"name": "a"}], "task": "x"}, "no task 'x'"),
        ({"columns": [{"name": "a"}], "task": ["x"]}, "no task ['x']"),
        ({"columns": [{"name": "a"}], "encoding": "x"}, "no encoding 'x'"),
        ({"columns": [{"name": "a"}], "labels": 2}, 'columns: "labels" is a list of texts'),
        ({"columns": [{"name": "a"}], "labels": "no"}, 'columns: "labels" is a list of texts'),
    ],
)
def test_what_tells_no_spec(told: Any, why: str) -> None:
    with expect_refusal(ModelError, why):
        TableSpec.from_dict(told)


# -- features


@pytest.mark.parametrize("spec", [SPEC, CODES], ids=["one-hot", "codes"])
def test_features_are_those_made_by_hand(spec: TableSpec) -> None:
    found = spec.encode(matched(spec))
    assert found.dtype == (np.float32 if spec is SPEC else np.float64)
    assert np.allclose(found, by_hand(spec, CELLS), rtol=1e-6, atol=0)


def test_features_of_a_thousand_rows_drawn() -> None:
    draw = np.random.default_rng(0)
    cells = pd.DataFrame(
        {
            "age": draw.normal(40, 10, 1000),
            "colour": draw.choice(["red", "green", "blue"], 1000),
            "height": draw.integers(-9, 9, 1000),
        }
    )
    for spec in (SPEC, CODES):
        expected = by_hand(spec, cells)
        assert np.allclose(spec.encode(matched(spec, cells)), expected, rtol=1e-6, atol=1e-7)


def test_cells_that_are_no_categoricals_are_encoded_too() -> None:
    plain = matched(SPEC).astype({"colour": object})
    assert np.array_equal(SPEC.encode(plain), SPEC.encode(matched(SPEC)))


def with_gaps() -> tuple[TableSpec, pd.DataFrame]:
    columns = tuple(replace(column, optional=True) for column in SPEC.columns)
    spec = TableSpec(columns, encoding="codes")
    cells = pd.DataFrame({"age": ["", "3"], "colour": ["red", "NA"], "height": ["1", None]})
    return spec, cells


def test_in_codes_nothing_is_nan() -> None:
    spec, cells = with_gaps()
    found = spec.encode(matched(spec, cells))
    expected = np.array([[np.nan, 0, 1], [3, np.nan, np.nan]])
    assert np.array_equal(found, expected, equal_nan=True)


def test_decoding_is_the_way_back_from_codes() -> None:
    found = CODES.decode(CODES.encode(matched(CODES)))
    assert tuple(found.columns) == CODES.names
    assert found["colour"].tolist() == CELLS["colour"].tolist()
    assert found["age"].tolist() == [50.0, 35.5, -4.0, 40.0]
    assert found["height"].tolist() == [-1.25, 2.0, 0.0, -1.5]


@pytest.mark.parametrize("rows", [[0, 1], [1]])
def test_nothing_is_decoded_as_pandas_tells_nothing(rows: list[int]) -> None:
    spec, cells = with_gaps()
    found = spec.decode(spec.encode(matched(spec, cells))[rows])
    assert found["colour"].isna().tolist() == [row == 1 for row in rows]
    assert isinstance(found["colour"].iloc[-1], float)
    assert found["age"].isna().tolist() == [row == 0 for row in rows]


def test_one_hot_features_cannot_be_decoded() -> None:
    with expect_refusal(ModelError, "only rows in codes can be turned back into a table"):
        SPEC.decode(np.zeros((1, 5)))


# -- between features and columns


def test_folding_sums_over_the_features_of_a_column() -> None:
    values = torch.arange(10, dtype=torch.float64).reshape(2, 5)
    assert SPEC.fold(values).tolist() == [[0, 1 + 2 + 3, 4], [5, 6 + 7 + 8, 9]]


def test_spreading_repeats_for_the_features_of_a_column() -> None:
    keep = torch.tensor([[True, False, True], [False, True, False]])
    assert SPEC.spread(keep).tolist() == [
        [True, False, False, False, True],
        [False, True, True, True, False],
    ]


def test_folding_what_was_spread_counts_the_features() -> None:
    values = torch.tensor([[[2.0, 3.0, 5.0]]])
    assert SPEC.fold(SPEC.spread(values)).tolist() == [[[2.0, 9.0, 5.0]]]


def test_in_codes_nothing_is_folded_or_spread() -> None:
    values = torch.rand(4, 3)
    assert torch.equal(CODES.fold(values), values)
    assert torch.equal(CODES.spread(values), values)
