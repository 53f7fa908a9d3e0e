from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.errors import InputError
from engine.inputs.tables import Table, load_table
from engine.models.columns import Column
from engine.models.labels import truth_of
from engine.models.learning_columns import MAX_CATEGORIES, learn_columns
from tests.engine.refusals import expect_refusal


def column(*cells: Any) -> Column:
    return learn_columns(table(*cells)).columns[0]


def table(*cells: Any) -> Table:
    frame = pd.DataFrame({"a": pd.Series(list(cells), dtype=object), "rest": range(len(cells))})
    return load_table(frame, name="people")


# -- numbers


def test_a_number_is_told_with_mean_spread_and_range() -> None:
    found = column("1", "2.5", "-4")
    values = np.array([1, 2.5, -4])
    assert found == Column(
        "a", mean=float(values.mean()), std=float(values.std()), low=-4.0, high=2.5
    )


@pytest.mark.parametrize(
    ("cells", "whole"), [(("1", "2.0", 3), True), (("1", "2.5"), False), ((1e30, 2), True)]
)
def test_only_whole_numbers(cells: tuple[Any, ...], whole: bool) -> None:
    assert column(*cells).whole is whole


def test_a_constant_number_is_not_divided_by_zero() -> None:
    found = column("7", "7")
    assert (found.mean, found.std) == (7.0, 1.0)


@pytest.mark.parametrize("cells", [(True, False, True), ("True", "False", "TRUE"), (1, "false", 1)])
def test_true_and_false_are_numbers(cells: tuple[Any, ...]) -> None:
    found = column(*cells)
    assert (found.kind, found.mean, found.low, found.high) == ("number", 2 / 3, 0, 1)


@pytest.mark.parametrize("cell", ["inf", "1e300", 10**400])
def test_a_number_beyond_what_a_network_can_be_given(cell: Any) -> None:
    with expect_refusal(InputError, "people, row 2, column 'a': ", "is too large a number"):
        column("1", cell)


# -- categories


def test_a_whole_number_that_python_does_not_write_out_is_a_text() -> None:
    assert column("1", 10**5000).kind == "category"


def test_one_text_among_numbers_makes_a_category() -> None:
    found = column("10", "9", "x", "9", "1_000")
    assert (found.kind, found.categories) == ("category", ("10", "1_000", "9", "x"))


def test_categories_are_in_the_order_of_their_names_with_their_shares() -> None:
    found = column("red", "blue", " red ", "green")
    assert found == Column("a", "category", ("blue", "green", "red"), shares=(0.25, 0.25, 0.5))


def test_how_a_category_is_written_most_often_is_remembered() -> None:
    assert column(" red", " red", "red", "blue", 7).written == ("7", "blue", " red")
    assert column("red ", "blue").categories == ("blue", "red")


def test_too_many_categories() -> None:
    with expect_refusal(InputError, "column 'a' has 201 different texts", "up to 200", "leave it"):
        column(*(f"name {index}" for index in range(MAX_CATEGORIES + 1)))


def test_as_many_categories_as_can_be() -> None:
    assert len(column(*(f"name {index}" for index in range(MAX_CATEGORIES))).categories) == 200


# -- empty cells


@pytest.mark.parametrize(
    "cells", [("1", "", "3"), (1, None, 3), (1, float("nan"), "3"), (1, "NA", 3)]
)
def test_an_empty_cell_makes_a_number_optional(cells: tuple[Any, ...]) -> None:
    found = column(*cells)
    assert (found.kind, found.optional, found.mean) == ("number", True, 2.0)


def test_an_empty_cell_makes_a_category_optional_and_is_none_itself() -> None:
    found = column("red", "", None, "n/a", "red")
    assert (found.categories, found.optional, found.shares) == (("red",), True, (1.0,))


def test_a_column_without_empty_cells_is_not_optional() -> None:
    assert not column("red", "blue").optional
    assert not column("1", "2").optional


def test_a_column_with_nothing_in_it() -> None:
    with expect_refusal(InputError, "people: column 'a' is empty in every row"):
        column("", None, "NA")


# -- the label


def labelled(*given: Any) -> Any:
    frame = pd.DataFrame({"age": range(len(given)), "sick": pd.Series(list(given), dtype=object)})
    there = load_table(frame, name="people")
    return there, learn_columns(there, "sick")


def test_the_label_is_no_input() -> None:
    _, spec = labelled("yes", "no", "yes")
    assert (spec.names, spec.label, spec.labels) == (("age",), "sick", ("no", "yes"))
    assert spec.task == "classification"


def test_without_a_label_all_columns_are_inputs() -> None:
    spec = learn_columns(load_table(b"a,b\n1,2\n"))
    assert (spec.names, spec.label, spec.labels) == (("a", "b"), "", ())


def test_a_label_of_few_numbers_is_a_classification_in_their_order() -> None:
    _, spec = labelled("10", "9", "1.0", "1", "-2")
    assert (spec.task, spec.labels) == ("classification", ("-2", "1", "9", "10"))


@pytest.mark.parametrize(("different", "task"), [(20, "classification"), (21, "regression")])
def test_a_label_of_many_numbers_is_a_regression(different: int, task: str) -> None:
    _, spec = labelled(*(str(index % different) for index in range(50)))
    assert spec.task == task
    assert len(spec.labels) == (20 if task == "classification" else 0)


def test_a_label_of_many_texts_is_a_classification() -> None:
    _, spec = labelled(*(f"kind {index}" for index in range(300)))
    assert (spec.task, len(spec.labels)) == ("classification", 300)


@pytest.mark.parametrize("given", [(True, False), ("True", "False"), ("False", "True", "")])
def test_a_label_of_true_and_false(given: tuple[Any, ...]) -> None:
    assert labelled(*given)[1].labels == ("False", "True")


@pytest.mark.parametrize(
    ("given", "places"),
    [
        (("10", "9", "1.0", "1"), [2, 1, 0, 0]),
        (("b", "", " a"), [1, -1, 0]),
        ((2.5, "2.50", 1), [1, 1, 0]),
        ((True, False), [1, 0]),
    ],
)
def test_the_truth_is_found_among_the_labels_that_were_learned(
    given: tuple[Any, ...], places: list[int]
) -> None:
    assert truth_of(*labelled(*given)).tolist() == places


def test_the_label_is_found_whatever_its_case() -> None:
    spec = learn_columns(load_table(b"a,Sick Now\n1,2\n"), "sick_now")
    assert (spec.names, spec.label) == (("a",), "Sick Now")


def test_a_label_that_is_not_there() -> None:
    with expect_refusal(InputError, "people has no column 'sik'; did you mean"):
        learn_columns(load_table(b"age,sick\n1,2\n", name="people"), "sik")


def test_a_table_of_the_label_alone() -> None:
    with expect_refusal(InputError, "people has no column but the label"):
        learn_columns(load_table(b"sick\nno\n", name="people"), "sick")


# -- whatever the table came in


def test_text_and_parquet_are_learned_alike() -> None:
    frame = pd.DataFrame(
        {
            "n": [1.5, -2.25, 7],
            "w": [3, 4, 5],
            "b": [True, False, True],
            "c": ["x", "y", "x"],
            "gaps": [1.0, None, 2],
            "label": [True, False, False],
        }
    )
    text = load_table(frame.to_csv(index=False).encode())
    assert learn_columns(text, "label") == learn_columns(load_table(frame), "label")
