from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.errors import ModelError
from engine.models.columns import (
    Column,
    codes_of,
    column_dict,
    column_from,
    mean_features,
    names_of,
)
from tests.engine.refusals import expect_refusal

COLOUR = Column("colour", "category", ("red", "green", "blue"), shares=(0.2, 0.5, 0.3))
AGE = Column("age", mean=40.0, std=10.0, low=17.0, high=90.0, whole=True, title="Age", unit="years")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"kind": "text"}, "column 'x': kind is number or category, not 'text'"),
        ({"kind": "category"}, "column 'x': a category needs a list of categories"),
        (
            {"kind": "category", "categories": ("a", "b"), "shares": (1.0,)},
            "column 'x': 1 shares for 2 categories",
        ),
        ({"std": 0.0}, "column 'x': std must be above 0"),
        ({"std": -1.0}, "std must be above 0"),
        ({"std": float("nan")}, "column 'x': std is a number, not nan"),
        ({"title": 5}, "column 'x': title is a text, not 5"),
        ({"unit": None}, "column 'x': unit is a text, not None"),
        ({"low": 3.0, "high": 2.5}, "column 'x': low (3) is above high (2.5)"),
        (
            {"kind": "category", "categories": ("a", "b"), "shares": (1.5, -0.5)},
            "column 'x': shares are not below 0",
        ),
        (
            {"kind": "category", "categories": ("a", "b"), "written": (" a",)},
            "column 'x': 1 texts written for 2 categories",
        ),
        (
            {"kind": "category", "categories": ("a",), "written": (1,)},
            "column 'x': written is a list of texts",
        ),
    ],
)
def test_columns_that_make_no_sense(fields: dict[str, Any], told: str) -> None:
    with expect_refusal(ModelError, told):
        Column("x", **fields)


def test_a_title_is_told_before_the_name() -> None:
    assert (AGE.told, COLOUR.told) == ("Age", "colour")


def test_codes_are_places_among_the_categories() -> None:
    cells = pd.Series(["blue", "red", "pink", None], dtype=object)
    assert codes_of(COLOUR, cells).tolist() == [2, 0, -1, -1]


def test_names_are_the_way_back_from_codes() -> None:
    found = names_of(COLOUR, np.array([2.0, np.nan, 0.0]))
    assert found.tolist() == ["blue", None, "red"]


def test_names_are_given_back_as_they_were_written() -> None:
    column = Column("x", "category", ("a", "b"), written=(" a", "b "))
    assert names_of(column, np.array([1.0, np.nan, 0.0])).tolist() == ["b ", None, " a"]


@pytest.mark.parametrize(
    ("column", "encoding", "expected"),
    [
        (AGE, "one-hot", [0.0]),
        (AGE, "codes", [40.0]),
        (COLOUR, "one-hot", [0.2, 0.5, 0.3]),
        (COLOUR, "codes", [1.0]),
        (Column("x", "category", ("a", "b", "c", "d")), "one-hot", [0.25] * 4),
        (Column("x", "category", ("a", "b")), "codes", [0.0]),
    ],
)
def test_what_stands_for_nothing_known(column: Column, encoding: Any, expected: Any) -> None:
    assert mean_features(column, encoding).tolist() == expected


def test_only_what_differs_from_the_defaults_is_told() -> None:
    assert column_dict(Column("x")) == {"name": "x"}
    assert column_dict(COLOUR) == {
        "name": "colour",
        "kind": "category",
        "categories": ["red", "green", "blue"],
        "shares": [0.2, 0.5, 0.3],
    }


@pytest.mark.parametrize("column", [COLOUR, AGE, Column("x", optional=True)])
def test_a_column_comes_back_from_what_is_told_of_it(column: Column) -> None:
    assert column_from(column_dict(column)) == column


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"kind": "number"}, "columns: each needs a name"),
        ("age", "columns: each needs a name"),
        (None, "columns: each needs a name"),
        ({"name": "age", "men": 3}, "column 'age': unknown field 'men'"),
        ({"name": "age", "std": 0}, "column 'age': std must be above 0"),
        ({"name": "age", "std": "1"}, "column 'age': std is a number, not '1'"),
        ({"name": "age", "mean": None}, "column 'age': mean is a number, not None"),
        ({"name": "age", "low": "x"}, "column 'age': low is a number, not 'x'"),
        ({"name": "age", "mean": float("nan")}, "column 'age': mean is a number, not nan"),
        ({"name": 3}, "columns: each needs a name"),
        ({"name": "c", "kind": "category", "categories": "ab"}, "categories is a list of texts"),
        ({"name": "c", "kind": "category", "categories": [1, 2]}, "categories is a list of texts"),
        (
            {"name": "c", "kind": "category", "categories": ["a", "a"]},
            "column 'c': the category 'a' stands there twice",
        ),
        (
            {"name": "c", "kind": "category", "categories": ["a"], "shares": ["1"]},
            "column 'c': shares is a list of numbers",
        ),
    ],
)
def test_what_tells_no_column(told: Any, why: str) -> None:
    with expect_refusal(ModelError, why):
        column_from(told)
