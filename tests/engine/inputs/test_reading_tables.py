from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import engine.inputs.delimited as delimited
import engine.inputs.reading_tables as reading
from engine.errors import InputError
from engine.inputs.tables import load_table
from tests.engine.refusals import expect_refusal

PEOPLE = pd.DataFrame(
    {
        "name": ["Ann, A.", 'Bob "B"', "Cé\nC", "Dö; D", "x\ty"],
        "age": [31, 7, 0, -4, 10**12],
        "height": [1.5, -0.25, 1e-9, 1e20, 3.0],
    }
)


def cells(source: Any) -> list[list[str]]:
    return load_table(source).frame.astype(str).to_numpy().tolist()


def as_parquet(frame: pd.DataFrame, **options: Any) -> bytes:
    file = io.BytesIO()
    frame.to_parquet(file, **options)
    return file.getvalue()


# -- the same content, whatever it comes in


@pytest.mark.parametrize("mark", [",", "\t", ";", "|"])
def test_every_delimiter_reads_the_same_cells(mark: str) -> None:
    content = PEOPLE.to_csv(index=False, sep=mark).encode()
    assert load_table(content).columns == ("name", "age", "height")
    assert load_table(content).frame["name"].tolist() == PEOPLE["name"].tolist()


@pytest.mark.parametrize("mark", [",", "\t", ";", "|"])
def test_numbers_of_text_are_the_numbers_of_parquet(mark: str) -> None:
    text = load_table(PEOPLE.to_csv(index=False, sep=mark).encode()).frame
    binary = load_table(as_parquet(PEOPLE)).frame
    for name in ("age", "height"):
        assert text[name].astype(float).tolist() == binary[name].astype(float).tolist()


def test_parquet_keeps_its_numbers() -> None:
    frame = load_table(as_parquet(PEOPLE)).frame
    pd.testing.assert_frame_equal(frame, PEOPLE)


def test_a_frame_in_hand_keeps_its_cells_but_not_its_index() -> None:
    shuffled = PEOPLE.iloc[[3, 1]]
    pd.testing.assert_frame_equal(load_table(shuffled).frame, shuffled.reset_index(drop=True))
    assert shuffled.index.tolist() == [3, 1]


def test_a_named_index_in_parquet_is_a_column() -> None:
    assert load_table(as_parquet(PEOPLE.set_index("name"))).columns[-1] == "name"


def test_a_nameless_index_in_parquet_is_none() -> None:
    assert load_table(as_parquet(PEOPLE.iloc[[2, 0]])).columns == tuple(PEOPLE.columns)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(end: str) -> None:
    assert cells(end.join(["a,b", "1,2", "3,4", ""]).encode()) == [["1", "2"], ["3", "4"]]


def test_quotes_hold_delimiters_newlines_and_quotes() -> None:
    assert cells(b'a,b\n"1,\r\n2","say ""x"""\n') == [["1,\r\n2", 'say "x"']]


def test_a_quote_within_a_cell_is_a_quote() -> None:
    assert cells(b'a,b\n5" pipe,3"\n1,2\n') == [['5" pipe', '3"'], ["1", "2"]]


@pytest.mark.parametrize("content", [b"a,b\n1,2\n\n\n", b"a,b\n1,2\r\n\r\n", b"\n\r\na,b\n\n1,2"])
def test_empty_lines_are_no_rows(content: bytes) -> None:
    assert cells(content) == [["1", "2"]]


def test_a_single_column() -> None:
    table = load_table(b"a\n1\n2\n\n")
    assert table.columns == ("a",)
    assert table.frame["a"].tolist() == ["1", "2"]


@pytest.mark.parametrize("nothing", ["", '""'])
def test_an_empty_line_within_a_single_column_is_an_empty_cell(nothing: str) -> None:
    assert cells(f"\na\n1\n{nothing}\n2\n".encode()) == [["1"], [""], ["2"]]


def test_empty_cells_stay_empty_and_words_stay_words() -> None:
    assert cells(b"a,b,c\n,NA,null\n") == [["", "NA", "null"]]


def test_numbers_stay_as_they_are_written() -> None:
    assert cells(b"a,b,c\n007,1.50,2024-01-02\n") == [["007", "1.50", "2024-01-02"]]


def test_numbers_as_names_of_columns() -> None:
    assert load_table(b"1,2\n5,6\n").columns == ("1", "2")
    assert load_table(pd.DataFrame([[5, 6]])).columns == ("0", "1")


@pytest.mark.parametrize("header", ["  a , b b ", '" a ",b b'])
def test_white_space_around_names_is_taken_off(header: str) -> None:
    assert load_table(f"{header}\n1,2".encode()).columns == ("a", "b b")


def test_a_delimiter_in_a_quoted_name_parts_nothing() -> None:
    assert load_table(b'"a,x,y";b\n1;2\n').columns == ("a,x,y", "b")


# -- encodings


def test_byte_order_mark() -> None:
    table = load_table("\ufeffä,b\n1,2\n".encode())
    assert (table.columns, table.notes) == (("ä", "b"), ())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16(encoding: str) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"
    table = load_table(f"{mark}ä,b\n€,2\n".encode(encoding))
    assert table.columns == ("ä", "b")
    assert table.frame["ä"].tolist() == ["€"]
    assert table.notes == ("read as UTF-16",)


def test_windows_1252_is_told() -> None:
    table = load_table("ä,b\n€,2\n".encode("cp1252"))
    assert table.frame["ä"].tolist() == ["€"]
    assert table.notes == ("read as Windows-1252, not UTF-8",)


# -- where it comes from


def test_path_bytes_and_open_file_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    PEOPLE.to_csv(path, index=False)
    expected = load_table(path.read_bytes()).frame
    with path.open("rb") as file:
        for source in (path, str(path), file):
            pd.testing.assert_frame_equal(load_table(source).frame, expected)


def test_a_path_tells_name_and_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_bytes(b"a\n1\n")
    table = load_table("people.csv")
    assert (table.name, table.origin) == ("people.csv", "people.csv")


def test_an_open_file_tells_its_name_only(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(b"a\n1\n")
    with (tmp_path / "people.csv").open("rb") as file:
        table = load_table(file)
    assert (table.name, table.origin) == ("people.csv", "")


def test_a_name_of_ones_own() -> None:
    assert load_table(b"a\n1\n", name="people").name == "people"


def test_a_table_stays_as_it_is() -> None:
    table = load_table(b"a\n1\n")
    assert load_table(table) is table


# -- what is refused


def spreadsheet() -> bytes:
    return b"PK\x03\x04" + bytes(range(256))


def picture() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "table is empty"),
        (b" \r\n\n\t", "table is empty"),
        (b"\xef\xbb\xbf", "table is empty"),
        (b"\xff\xfe", "table is empty"),
        (b"\0\0\0\0", "table is empty"),
        (b"a,b\n", "table has a header, but no rows"),
        (b"a", "table has a header, but no rows"),
        (b"a,b\n1,2\n3\n", "line 3 has 1 value, the header 2"),
        (b"a,b\n1,2\n3,4,5\n", "line 3 has 3 values, the header 2"),
        (b"a\n1\n2,3\n", "line 3 has 2 values, the header 1"),
        (b'\n\na,b\n\n"1\n\n1",2\n\n3\n', "line 9 has 1 value, the header 2"),
        (b'a,b\n1,2\n3,"4\n5,6\n', "the quote that opens in line 3 is never closed"),
        (b'a,b\n1,2\n3,"', "the quote that opens in line 3 is never closed"),
        (b"a,a\n1,2\n", "two columns are named 'a'"),
        (b"a, a \n1,2\n", "two columns are named 'a'"),
        (b"a,,c\n1,2,3\n", "column 2 has no name"),
        (b'b," "\n1,2\n', "column 2 has no name"),
        (b" ,row\n1,2\n", "column 1 has no name"),
        (b"a,b\n1,\0\n", "is no text; a table is a CSV, TSV or Parquet file"),
        ("\ufeffa,b\n1,\0\n".encode("utf-16-le"), "is no text"),
        (b"\xff\xfea,b\n1,2\n3", "broken UTF-16"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "is compressed; unpack it first"),
        (spreadsheet(), "looks like a spreadsheet or an archive; save the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0 old", "looks like an old spreadsheet"),
        (b"%PDF-1.7 and so on", "is a PDF; save the table as CSV"),
        (picture(), "is no text"),
        (b"PAR1 and so on", "is a damaged Parquet file"),
        (b'a,b\n"' + b"x" * 200_000 + b'",1,2', "no CSV, TSV or Parquet file"),
        (b'"' + b"x" * 200_000 + b'",b\n1,2', "no CSV, TSV or Parquet file"),
    ],
)
def test_content_that_is_no_table(content: bytes, told: str) -> None:
    with expect_refusal(InputError, "table", told):
        load_table(content)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("gone.csv", "gone.csv: no such file"),
        (Path("gone.csv"), "gone.csv: no such file"),
        ("a,b\n1,2\n", "a,b 1,2: no such file"),
        ("http://a.org/b.csv", "http://a.org/b.csv: addresses are not fetched; download"),
        ("https://a.org/b.csv", "addresses are not fetched"),
        ("x" * 5000, "cannot be read (File name too long)"),
        ("a\0b.csv", "cannot be read"),
        ({"a": [1]}, "a path, bytes, an open file or a frame, not dict"),
        (None, "not NoneType"),
        (PEOPLE["age"], "not Series"),
        (io.StringIO("a\n1\n"), "table was opened as text; open it as binary"),
        (PEOPLE.iloc[:0], "table has a header, but no rows"),
        (pd.DataFrame(), "table has no columns"),
        (pd.DataFrame(index=[1, 2]), "table has no columns"),
        (pd.DataFrame([[1, 2]], columns=["1", 1]), "two columns are named '1'"),
    ],
)
def test_sources_that_are_no_table(source: Any, told: str) -> None:
    with expect_refusal(InputError, told):
        load_table(source)


def test_a_folder(tmp_path: Path) -> None:
    with expect_refusal(InputError, "is a folder; name one CSV, TSV or Parquet file in it"):
        load_table(tmp_path)


def test_a_file_opened_as_text(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("a\n1\n")
    with (
        (tmp_path / "people.csv").open() as file,
        expect_refusal(InputError, "people.csv was opened as text"),
    ):
        load_table(file)


def test_a_file_that_was_closed() -> None:
    file = io.BytesIO(b"a\n1\n")
    file.close()
    with expect_refusal(InputError, "table cannot be read"):
        load_table(file)


def test_a_file_over_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_TABLE_BYTES", 2**20)
    content = b"a\n" + b"1\n" * 2**19
    (tmp_path / "long.csv").write_bytes(content)
    with expect_refusal(InputError, "long.csv is over 1 MB, too large to read"):
        load_table(tmp_path / "long.csv")
    with expect_refusal(InputError, "table is over 1 MB"):
        load_table(content)


def test_too_many_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MAX_COLUMNS", 3)
    with expect_refusal(InputError, "table has 4 columns; up to 3 can be read"):
        load_table(b"a,b,c,d\n1,2,3,4\n")


def test_a_cut_parquet_file() -> None:
    with expect_refusal(InputError, "table is a damaged Parquet file"):
        load_table(as_parquet(PEOPLE)[:-9])


def test_names_with_control_characters_are_told_on_one_line() -> None:
    with expect_refusal(InputError, r"two columns are named 'a\nb'"):
        load_table(b'"a\nb","a\nb"\n1,2\n')


def test_row_numbers_that_pandas_writes_in_front_get_a_name() -> None:
    table = load_table(b",a,b\n0,1,2\n1,3,4\n")
    assert table.columns == ("row", "a", "b")
    assert table.frame["a"].tolist() == ["1", "3"]


def test_errors_call_an_upload_by_its_name() -> None:
    with expect_refusal(InputError, "mine.csv is empty"):
        load_table(b"", name="mine.csv")
