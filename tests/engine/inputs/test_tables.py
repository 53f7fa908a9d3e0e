from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.errors import InputError
from engine.inputs.sample_tables import (
    load_named_row,
    load_named_table,
    load_sample_table,
    sample_tables,
)
from engine.inputs.tables import (
    Row,
    Table,
    as_row,
    drawn_places,
    load_table,
    plain_cell,
    shown,
    text_of,
)
from tests.engine.refusals import expect_refusal

TEXT = b"age,city,label\n31,Bonn,yes\n7,,no\n,Kiel,no\n40,Bonn,yes\n"


def table() -> Table:
    return load_table(TEXT, name="people")


def hundred() -> Table:
    return load_table(pd.DataFrame({"place": range(100)}))


# -- rows


def test_rows_are_counted_from_1() -> None:
    found = table().row(1)
    assert (found.number, found.name) == (1, "row 1 of people")
    assert found.values == {"age": "31", "city": "Bonn", "label": "yes"}


def test_the_last_row() -> None:
    assert table().row(4).values["age"] == "40"
    assert table().row(np.int64(4)).number == 4


def test_nothing_in_a_cell_is_none() -> None:
    assert table().row(2).values["city"] is None
    assert table().row(3).values["age"] is None


@pytest.mark.parametrize("number", [0, -1, 5, 10**30])
def test_a_row_that_is_not_there(number: int) -> None:
    with expect_refusal(InputError, f"row {number}: people has rows 1 to 4"):
        table().row(number)


@pytest.mark.parametrize("number", [1.0, "1", True, None])
def test_a_row_that_is_no_number(number: Any) -> None:
    with expect_refusal(InputError, "expected a whole number, the first row being 1"):
        table().row(number)


def test_a_row_says_where_it_is_found(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(TEXT)
    assert load_table(path).row(3).origin == f"{path}#3"
    assert table().row(3).origin == ""


def test_whole_numbers_beside_floats_stay_whole() -> None:
    frame = pd.DataFrame({"a": [2**60 + 1, 1], "b": [0.5, 1.5], "c": [True, False]})
    assert load_table(frame).row(1).values == {"a": 2**60 + 1, "b": 0.5, "c": "True"}


def test_cells_of_a_row_are_plain_python() -> None:
    frame = pd.DataFrame({"a": np.array([1], np.int8), "b": np.array([1.5], np.float32)})
    assert [type(value) for value in load_table(frame).row(1).values.values()] == [int, float]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, None), ("", None), ("  ", None), (float("nan"), None), (pd.NA, None), (pd.NaT, None),
        ("NA", "NA"), (" x ", " x "), (3, 3), (np.float32(0.5), 0.5), (True, "True"),
        (np.False_, "False"), (pd.Timestamp("2024-01-02"), "2024-01-02 00:00:00"), ([1], "[1]"),
    ],
)  # fmt: skip
def test_a_plain_cell(cell: Any, expected: Any) -> None:
    assert plain_cell(cell) == expected


# -- parts of a table


def test_a_part_keeps_the_numbers_of_the_whole() -> None:
    part = hundred().part([41, 7])
    assert part.numbers == (42, 8)
    assert [part.number_of(index) for index in range(2)] == [42, 8]
    assert part.frame["place"].tolist() == [41, 7]


def test_a_row_of_a_part_tells_the_number_of_the_whole() -> None:
    row = hundred().part([41, 7]).row(2)
    assert (row.number, row.name, row.values["place"]) == (8, "row 8 of table", 7)


def test_a_part_of_a_part() -> None:
    assert hundred().part([41, 7, 3]).part(np.array([2, 0])).numbers == (4, 42)


def test_a_row_of_a_part_has_no_origin_for_its_table_is_another(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(TEXT)
    assert load_table(path).part([2]).row(1).origin == ""


def test_a_sample_is_drawn_without_replacement_and_in_order() -> None:
    drawn = hundred().sampled(30, seed=5)
    places = drawn.frame["place"].tolist()
    assert len(set(places)) == 30
    assert places == sorted(places)
    assert drawn.numbers == tuple(place + 1 for place in places)


def test_another_seed_draws_others() -> None:
    assert hundred().sampled(30, seed=5).numbers == hundred().sampled(30, seed=5).numbers
    assert hundred().sampled(30, seed=5).numbers != hundred().sampled(30, seed=6).numbers


def test_a_sample_of_more_than_there_are_is_all() -> None:
    assert hundred().sampled(500).frame["place"].tolist() == list(range(100))


@pytest.mark.parametrize("seed", [0, -1, 2**64 + 3])
def test_any_seed_draws(seed: int) -> None:
    assert len(set(drawn_places(50, 10, seed).tolist())) == 10


# -- digests


def digest_of(text: bytes) -> str:
    return load_table(text).digest


def test_the_digest_is_of_the_content_however_it_was_loaded(tmp_path: Path) -> None:
    path = tmp_path / "other name.csv"
    path.write_bytes(TEXT)
    with path.open("rb") as file:
        digests = {load_table(source).digest for source in (path, str(path), TEXT, file)}
    assert digests == {table().digest}


def test_the_delimiter_and_line_ends_are_no_content() -> None:
    assert digest_of(TEXT.replace(b",", b";").replace(b"\n", b"\r\n")) == table().digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Kiel", b"Koln"),
        (b"31", b"32"),
        (b",Kiel", b"0,Kiel"),
        (b"7,,", b"7, ,"),
        (b"age", b"aged"),
        (b"age,city", b"city,age"),
        (b"40,Bonn,yes\n", b""),
        (b"31,Bonn,yes\n7,,no\n", b"7,,no\n31,Bonn,yes\n"),
    ],
)
def test_another_content_has_another_digest(old: bytes, new: bytes) -> None:
    assert old in TEXT
    assert digest_of(TEXT.replace(old, new)) != table().digest


def test_another_order_of_columns_has_another_digest() -> None:
    frame = table().frame
    assert load_table(frame[["city", "age", "label"]]).digest != table().digest


def test_a_part_has_another_digest_than_the_whole() -> None:
    assert table().part([0, 1]).digest != table().digest
    assert table().part(range(4)).digest == table().digest


def test_a_number_has_another_digest_than_its_text_in_a_table() -> None:
    assert load_table(pd.DataFrame({"a": [1, 2]})).digest != digest_of(b"a\n1\n2\n")


def test_whole_numbers_of_another_width_have_another_digest() -> None:
    frames = [pd.DataFrame({"a": np.array([-1], kind)}) for kind in ("int8", "int64")]
    other = pd.DataFrame({"a": np.array([255], "int16")})
    assert len({load_table(frame).digest for frame in [*frames, other]}) == 3


def test_a_whole_number_of_more_digits_than_python_writes() -> None:
    assert text_of(10**5000) == "1" + "0" * 5000
    assert text_of(-(10**5000)).startswith("-10")


def test_cells_of_any_kind_have_a_digest() -> None:
    odd = [[[1], {"b": 2}], [None, 1.5], [b"x", pd.Timestamp("2024-01-02")], [pd.NA, "x"]]
    digests = {
        load_table(pd.DataFrame({"a": pd.Series(cells, dtype=object)})).digest for cells in odd
    }
    assert len(digests) == len(odd)


def test_a_rows_digest_does_not_depend_on_the_order_of_columns() -> None:
    assert Row({"a": 1, "b": "x"}).digest == Row({"b": "x", "a": 1}).digest


@pytest.mark.parametrize(
    "other",
    [{"a": 2, "b": "x"}, {"a": 1, "b": "y"}, {"a": 1}, {"a": "x", "b": 1}, {"A": 1, "b": "x"}],
)
def test_another_row_has_another_digest(other: dict[str, Any]) -> None:
    assert Row({"a": 1, "b": "x"}).digest != Row(other).digest


@pytest.mark.parametrize("same", [3, 3.0, "3", " 3 ", np.int8(3), np.float32(3)])
def test_a_rows_digest_is_the_same_for_a_number_and_its_text(same: Any) -> None:
    assert Row({"a": same}).digest == Row({"a": 3}).digest


def test_names_and_values_cannot_run_into_each_other() -> None:
    assert Row({"a": "b\0c"}).digest != Row({"a\0b": "c"}).digest


# -- rows made up


def test_a_changed_row() -> None:
    row = table().row(1)
    found = row.changed(age=50)
    assert found.values == {"age": 50, "city": "Bonn", "label": "yes"}
    assert (found.name, found.origin, found.number) == ("row 1 of people, changed", "", None)
    assert found.table is row.table
    assert found.digest != row.digest
    assert row.values["age"] == "31"


def test_a_row_changed_twice_says_so_once() -> None:
    assert table().row(1).changed(age=50).changed(city="Ulm").name == "row 1 of people, changed"


def test_a_row_changed_back_has_its_digest_again() -> None:
    row = table().row(1)
    assert row.changed(age=50).changed(age=31).digest == row.digest


def test_a_changed_value_is_plain() -> None:
    assert type(table().row(1).changed(age=np.float64(2.5)).values["age"]) is float


def test_a_change_to_a_column_that_is_not_there() -> None:
    with expect_refusal(InputError, "row 1 of people has no column 'weight'"):
        table().row(1).changed(weight=80)


@pytest.mark.parametrize("name", ["self", "values", "two words"])
def test_a_column_of_any_name_can_be_changed(name: str) -> None:
    assert Row({name: 1}).changed(**{name: 2}).values == {name: 2}


def test_a_mapping_and_a_series_as_rows() -> None:
    values = {"age": np.int64(3), "city": "Bonn", "label": float("nan")}
    for given in (values, pd.Series(values)):
        row = as_row(given)
        assert row.values == {"age": 3, "city": "Bonn", "label": None}
        assert (row.number, row.table, row.notes) == (None, None, ())


def test_a_row_stays_as_it_is() -> None:
    row = table().row(1)
    assert as_row(row) is row


def test_a_row_tells_what_was_done_to_its_table() -> None:
    assert load_table("ä\n1\n".encode("cp1252")).row(1).notes == (
        "read as Windows-1252, not UTF-8",
    )


# -- by name


def test_a_row_is_found_again_by_its_origin(tmp_path: Path) -> None:
    path = tmp_path / "people #1.csv"
    path.write_bytes(TEXT)
    row = load_table(path).row(3)
    again = load_named_row(row.origin)
    assert (again.digest, again.number, again.origin) == (row.digest, 3, row.origin)


@pytest.mark.parametrize("origin", ["people.csv", "#3", "people.csv#", "people.csv#x", "a#-1", ""])
def test_an_origin_that_names_no_row(origin: str) -> None:
    with expect_refusal(InputError, "names no row; write FILE#N"):
        load_named_row(origin)


def test_a_table_that_is_not_there_tells_those_at_hand() -> None:
    with expect_refusal(InputError, "gone.csv: no such file", "the tables at hand are", "cancer"):
        load_named_table("gone.csv")


def test_a_sample_that_is_not_there() -> None:
    with expect_refusal(InputError, "no table 'cancr'; did you mean cancer?"):
        load_table("sample:cancr")


@pytest.mark.parametrize("name", [found.name for found in sample_tables()])
def test_a_table_at_hand(name: str) -> None:
    found = load_named_table(name)
    assert found.origin == f"sample:{name}"
    assert load_sample_table(name) is load_table(f"sample:{name}") is found
    assert load_named_row(f"sample:{name}#2").digest == found.row(2).digest


def test_a_file_of_the_same_name_as_a_sample_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cancer").write_bytes(TEXT)
    assert load_named_table("cancer").digest == table().digest


@pytest.mark.parametrize(
    ("text", "line"), [("a\nb\u2028c", "a b c"), ("x" * 99, "x" * 40 + "…"), (3, "3")]
)
def test_what_is_shown_of_a_text(text: Any, line: str) -> None:
    assert shown(text) == line
