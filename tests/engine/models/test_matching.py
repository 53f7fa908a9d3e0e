from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.errors import InputError
from engine.inputs.tables import Row, Table, load_table
from engine.models import cells
from engine.models.checked_cells import numbers_of
from engine.models.labels import label_column, truth_of
from engine.models.learning_columns import learn_columns
from engine.models.matching import find_columns, match, match_row, row_columns, usable_rows
from engine.models.table_specs import Column, TableSpec
from tests.engine.refusals import expect_refusal

AGE = Column("age")
COLOUR = Column("colour", "category", ("red", "green"))
SPEC = TableSpec((AGE, COLOUR), label="sick", labels=("no", "yes"))
OPTIONAL = TableSpec((replace(AGE, optional=True), replace(COLOUR, optional=True)))


def table(**columns: Any) -> Table:
    return load_table(pd.DataFrame(columns), name="people")


def numbers(*given: Any) -> Table:
    return load_table(pd.DataFrame({"age": pd.Series(list(given), dtype=object)}), name="people")


def colours(*given: Any) -> Table:
    found = pd.Series(list(given), dtype=object)
    return load_table(pd.DataFrame({"age": range(len(given)), "colour": found}), name="people")


# -- columns by name


def test_the_order_of_columns_does_not_matter() -> None:
    there = table(sick=["no"], colour=["red"], age=[3])
    found = match(there, SPEC)
    assert tuple(found.frame.columns) == ("age", "colour")
    assert (found.unused, found.renamed, found.notes) == ((), (), ())


def test_small_differences_of_names_are_told() -> None:
    spec = TableSpec((Column("hair_colour"), Column("Age")))
    found = match(load_table(b"AGE,Hair-Colour\n1,2\n"), spec)
    assert found.frame.to_numpy().tolist() == [[2, 1]]
    assert found.renamed == (("Hair-Colour", "hair_colour"), ("AGE", "Age"))
    assert found.notes == (
        "“Hair-Colour” is read as “hair_colour”",
        "“AGE” is read as “Age”",
    )


def test_the_same_name_goes_before_a_like_one() -> None:
    found = match(load_table(b"AGE,age\n1,2\n"), TableSpec((AGE,)))
    assert found.frame["age"].tolist() == [2]
    assert found.unused == ("AGE",)


def test_no_column_is_read_twice() -> None:
    spec = TableSpec((Column("a_b"), Column("a b")))
    assert find_columns(load_table(b"A-B,a b\n1,2\n"), spec) == {"a_b": "A-B", "a b": "a b"}
    with expect_refusal(InputError, "lacks the column 'a_b'"):
        find_columns(load_table(b"a b,c\n1,2\n"), spec)


def test_unused_columns_are_told() -> None:
    there = table(age=[1], colour=["red"], x=[1], sick=["no"], y=[2])
    assert match(there, SPEC).unused == ("x", "y")
    assert match(there, SPEC).notes == ("not used by the model: x, y",)


def test_many_unused_columns_are_counted() -> None:
    there = table(age=[1], colour=["red"], **{f"c{index}": [0] for index in range(5)})
    assert match(there, SPEC).notes == ("not used by the model: c0, c1, c2 and 2 more",)


@pytest.mark.parametrize(
    ("present", "told"),
    [
        ("ages,colour", "people lacks the column 'age'; did you mean ages?"),
        ("x,y", "people lacks the columns 'age', 'colour'; there are x, y"),
    ],
)
def test_columns_that_are_missing_are_all_told(present: str, told: str) -> None:
    with expect_refusal(InputError, told):
        match(load_table(f"{present}\n1,2\n".encode(), name="people"), SPEC)


def test_many_missing_columns_are_counted() -> None:
    spec = TableSpec(tuple(Column(f"c{index}") for index in range(9)))
    with expect_refusal(InputError, "'c0', 'c1', 'c2', 'c3', 'c4', 'c5' and 3 more"):
        match(load_table(b"x\n1\n"), spec)


def test_a_header_of_several_lines_is_told_on_one() -> None:
    there = load_table(b'"the\nage\n",x\n1,2\n')
    assert match(there, TableSpec((Column("The Age"),))).renamed == (("the\nage", "The Age"),)
    assert (
        match(there, TableSpec((Column("The Age"),))).notes[0] == "“the age” is read as “The Age”"
    )
    with expect_refusal(InputError, "there are the age, x"):
        match(there, TableSpec((Column("zzzz"),)))


# -- numbers


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("3", 3), (" 3.50 ", 3.5), ("-1e-3", -0.001), ("+7", 7), (".5", 0.5), (4, 4), (2.5, 2.5),
        (np.float32(0.5), 0.5), ("True", 1), ("false", 0), ("TRUE", 1), (True, 1), (np.False_, 0),
    ],
)  # fmt: skip
def test_a_cell_that_is_a_number(cell: Any, number: float) -> None:
    assert numbers_of(numbers(cell, 1), "age").tolist() == [number, 1]


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("x", "'x' is no number"), ("1,5", "'1,5' is no number"), ("1_000", "'1_000' is no number"),
        ("0x1A", "is no number"), ("1 000", "is no number"), ("12 kg", "'12 kg' is no number"),
        ("yes", "'yes' is no number"), ("inf", "'inf' is too large a number"),
        (float("-inf"), "'-inf' is too large"), ("1e400", "too large"), (10**400, "too large"),
        (1e39, "'1e+39' is too large a number"), ([1], "'[1]' is no number"),
        (1j, "'1j' is no number"), (pd.Timestamp("2024-01-02"), "is no number"),
        ("x" * 99, f"'{'x' * 40}' is no number"), ("a\nb", r"'a\nb' is no number"),
        ("", "the cell is empty"), (None, "the cell is empty"), (float("nan"), "the cell is empty"),
        ("NA", "the cell is empty"), (" null ", "the cell is empty"), (pd.NA, "the cell is empty"),
        (pd.NaT, "the cell is empty"),
    ],
)  # fmt: skip
def test_a_cell_that_is_no_number(cell: Any, told: str) -> None:
    with expect_refusal(InputError, "people, row 2, column 'age': ", told):
        numbers_of(numbers(1, cell), "age")


def test_empty_cells_are_nan_where_they_may_be() -> None:
    found = numbers_of(numbers("1", "", None, "NA", float("nan")), "age", optional=True)
    assert np.array_equal(found, [1, np.nan, np.nan, np.nan, np.nan], equal_nan=True)


def test_a_bad_number_is_told_where_cells_may_be_empty() -> None:
    with expect_refusal(InputError, "row 3, column 'age': 'x' is no number"):
        numbers_of(numbers("1", "", "x"), "age", optional=True)


@pytest.mark.parametrize(
    ("bad", "told"),
    [(1, ": 'x' is no number"), (2, "(and 1 more row of"), (4, "(and 3 more rows of")],
)
def test_further_bad_cells_are_counted(bad: int, told: str) -> None:
    with expect_refusal(InputError, "row 2, ", told):
        numbers_of(numbers("1", *["x"] * bad, "2"), "age")


@pytest.mark.parametrize(
    "kind", ["int8", "uint64", "float32", "bool", "Int64", "Float32", "boolean"]
)
def test_columns_of_every_kind_of_number(kind: str) -> None:
    there = table(age=pd.Series([1, 0, 1], dtype=kind))
    assert numbers_of(there, "age").tolist() == [1, 0, 1]


@pytest.mark.parametrize("kind", ["Int64", "boolean", "float64"])
def test_nothing_in_a_column_of_numbers(kind: str) -> None:
    there = table(age=pd.Series([1, None], dtype=kind))
    assert np.isnan(numbers_of(there, "age", optional=True)).tolist() == [False, True]
    with expect_refusal(InputError, "row 2, column 'age': the cell is empty"):
        numbers_of(there, "age")


# -- categories


@pytest.mark.parametrize("cell", ["green", " green ", np.str_("green")])
def test_a_cell_that_is_a_category(cell: str) -> None:
    assert match(colours("red", cell), SPEC).frame["colour"].tolist() == ["red", "green"]


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("pink", "'pink' is not among the categories the model knows (red, green)"),
        ("Red", "'Red' is not among"),
        (3, "'3' is not among"),
        ("", "the cell is empty"),
        (None, "the cell is empty"),
        ("n/a", "the cell is empty"),
    ],
)
def test_a_cell_that_is_no_category(cell: Any, told: str) -> None:
    with expect_refusal(InputError, "people, row 2, column 'colour': ", told):
        match(colours("red", cell), SPEC)


def test_empty_cells_are_no_category_where_they_may_be() -> None:
    found = match(colours("red", "", None, "NA"), OPTIONAL).frame["colour"]
    assert found.cat.codes.tolist() == [0, -1, -1, -1]


def test_a_bad_category_is_told_where_cells_may_be_empty() -> None:
    with expect_refusal(InputError, "row 3, column 'colour': 'pink' is not among"):
        match(colours("red", "", "pink"), OPTIONAL)


def test_further_bad_categories_are_counted() -> None:
    with expect_refusal(InputError, "row 1, ", "'a' is not among", "(and 3 more rows of"):
        match(colours("a", "red", "b", "", "a"), SPEC)


def test_of_many_categories_some_are_told() -> None:
    spec = TableSpec((Column("age", "category", tuple("abcdefghij")),))
    with expect_refusal(InputError, "(a, b, c, d, e, f, g, h …)"):
        match(numbers("x"), spec)


def test_categories_of_several_lines_are_told_on_one() -> None:
    spec = TableSpec((Column("age", "category", ("a\nb", "c")),))
    with expect_refusal(InputError, "(a b, c)"):
        match(numbers("x"), spec)


@pytest.mark.parametrize("cell", [1, 1.0, "1", "1.0", "1.", np.float32(1), np.int8(1)])
@pytest.mark.parametrize("category", ["1", "1.0"])
def test_a_whole_number_is_a_category_with_or_without_point(cell: Any, category: str) -> None:
    spec = TableSpec((Column("age", "category", ("0", category)),))
    assert match(numbers(cell), spec).frame["age"].tolist() == [category]


def test_the_same_text_goes_before_a_like_number() -> None:
    spec = TableSpec((Column("age", "category", ("1", "1.0")),))
    assert match(numbers("1.0", "1"), spec).frame["age"].tolist() == ["1.0", "1"]


@pytest.mark.parametrize("kind", [bool, object, "boolean", str])
def test_true_and_false_are_categories(kind: Any) -> None:
    spec = TableSpec((Column("age", "category", ("False", "True")),))
    there = table(age=pd.Series([True, False]).astype(kind))
    assert match(there, spec).frame["age"].tolist() == ["True", "False"]


def test_a_word_for_nothing_is_a_category_if_the_model_knows_it() -> None:
    spec = TableSpec((Column("age", "category", ("None", "NA")),))
    there = numbers("None", "NA")
    assert match(there, spec).frame["age"].tolist() == ["None", "NA"]
    assert match_row(there.row(2), spec)["age"].tolist() == ["NA"]


def test_categoricals_of_another_order_are_read_by_name() -> None:
    there = table(age=[1, 2], colour=pd.Categorical(["red", "green"], ["green", "red"]))
    assert match(there, SPEC).frame["colour"].cat.codes.tolist() == [0, 1]


# -- single rows


def test_a_row_reads_as_in_its_table() -> None:
    there = load_table(b"colour,age\nred,3\ngreen,4.5\n")
    whole = match(there, SPEC).frame
    for number in (1, 2):
        pd.testing.assert_series_equal(
            match_row(there.row(number), SPEC).iloc[0], whole.iloc[number - 1], check_names=False
        )


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda there: there.row(2), "people, row 2, column 'age'"),
        (lambda there: there.part([1]).row(1), "people, row 2, column 'age'"),
        (lambda there: there.row(1).changed(age="x"), "row 1 of people, changed, column 'age'"),
        (lambda _: Row({"age": "x", "colour": "red"}, "my row"), "my row, column 'age'"),
    ],
)
def test_a_bad_cell_of_a_row_is_told_with_where_it_stands(
    make: Callable[[Table], Row], where: str
) -> None:
    there = load_table(b"colour,age\nred,3\ngreen,x\n", name="people")
    with expect_refusal(InputError, f"{where}: 'x' is no number"):
        match_row(make(there), SPEC)


def test_a_row_that_lacks_a_column() -> None:
    with expect_refusal(InputError, "row lacks the column 'colour'"):
        match_row(Row({"age": 3}), SPEC)


def test_the_names_that_a_row_has() -> None:
    assert row_columns(Row({"COLOUR": "red", "age": 3}), SPEC) == {"age": "age", "colour": "COLOUR"}


# -- rows that can be used


def test_rows_that_cannot_be_used_are_left_out() -> None:
    there = table(age=["1", "x", "3", ""], colour=["red", "red", "pink", "green"])
    assert usable_rows(there, SPEC).numbers == (1,)
    assert usable_rows(there, OPTIONAL).numbers == (1, 4)


def test_no_row_can_be_used() -> None:
    with expect_refusal(InputError, "people: there is no row that the model can read"):
        usable_rows(colours("pink"), SPEC)


# -- the truth


def sick(*given: Any) -> Table:
    return table(age=range(len(given)), sick=pd.Series(list(given), dtype=object))


def test_the_label_is_found_by_its_name_and_is_not_unused() -> None:
    there = load_table(b"SICK,age,colour\nyes,1,red\n")
    assert label_column(there, SPEC) == "SICK"
    assert match(there, SPEC).unused == ()


def test_there_may_be_no_label() -> None:
    there = table(age=[1], colour=["red"])
    assert label_column(there, SPEC) is None
    assert truth_of(there, SPEC) is None
    assert label_column(there, TableSpec((AGE,))) is None


def test_a_label_that_the_user_names() -> None:
    there = table(age=[1, 2], sick=["no", "no"], ill=["yes", "no"])
    assert truth_of(there, SPEC, "ill").tolist() == [1, 0]


def test_a_label_that_is_not_there() -> None:
    with expect_refusal(InputError, "people has no column 'sik'; did you mean sick?"):
        truth_of(sick("no"), SPEC, "sik")


def test_the_same_label_goes_before_a_like_one() -> None:
    assert label_column(table(Sick=["no"], sick=["yes"]), SPEC) == "sick"


def test_truth_is_the_place_among_the_labels() -> None:
    assert truth_of(sick("yes", " NO ", "maybe", "", None), SPEC).tolist() == [1, 0, -1, -1, -1]


@pytest.mark.parametrize(
    "given", [[1, 0, 1], [1.0, 0.0, 1.0], ["1", "0", "1.0"], ["1.00", "0.", " 1"]]
)
def test_truth_in_numbers(given: list[Any]) -> None:
    spec = replace(SPEC, labels=("0", "1"))
    assert truth_of(sick(*given), spec).tolist() == [1, 0, 1]


@pytest.mark.parametrize("given", [[True, False], ["True", "False"], ["TRUE", "false"]])
def test_truth_in_true_and_false(given: list[Any]) -> None:
    spec = replace(SPEC, labels=("False", "True"))
    assert truth_of(sick(*given), spec).tolist() == [1, 0]


def test_a_label_without_any_outcome() -> None:
    told = "people, column 'sick': none of its values is an outcome of the model ('no', 'yes')"
    with expect_refusal(InputError, told, "the first is '0'"):
        truth_of(sick("0", "1"), SPEC)


def test_the_truth_of_a_regression() -> None:
    spec = TableSpec((AGE,), label="sick", task="regression")
    found = truth_of(sick("1.5", 2, ""), spec)
    assert np.array_equal(found, [1.5, 2, np.nan], equal_nan=True)
    with expect_refusal(InputError, "people, row 2, column 'sick': 'high' is no number"):
        truth_of(sick("1.5", "high"), spec)


# -- many rows


@pytest.mark.slow
@pytest.mark.parametrize("as_text", [True, False])
def test_of_many_rows_no_cell_is_looked_at_by_itself(
    as_text: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(0)
    columns = {f"n{index}": draw.normal(size=100_000) for index in range(10)}
    columns |= {f"c{index}": draw.choice(["a", "b", "c"], 100_000) for index in range(4)}
    frame = pd.DataFrame({**columns, "sick": draw.choice(["no", "yes"], 100_000)})
    there = load_table(frame.to_csv(index=False).encode() if as_text else frame)
    looked: list[Any] = []

    def counted(cell: Any) -> str:
        looked.append(cell)
        return str(cell)

    monkeypatch.setattr(cells, "text_of", counted)
    spec = learn_columns(there, "sick")
    features = spec.encode(match(there, spec).frame)
    truth = truth_of(there, spec)
    assert len(looked) < 200
    assert features.shape == (100_000, 10 + 4 * 3)
    column = spec.columns[0]
    expected = (frame["n0"].to_numpy() - column.mean) / column.std
    assert np.allclose(features[:, 0], expected, atol=1e-6)
    assert np.array_equal(truth, frame["sick"] == "yes")
