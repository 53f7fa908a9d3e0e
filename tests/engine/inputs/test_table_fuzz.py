"""Whatever the bytes: a table comes out, or one line."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.inputs.tables import Table, load_table
from engine.models.learning_columns import learn_columns
from engine.models.matching import match, match_row
from tests.engine.refusals import is_one_line


def _files() -> list[bytes]:
    draw = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "a": draw.integers(-9, 9, 12),
            "b": draw.normal(size=12),
            "text": ["x", "ä,ö", 'say "x"', "two\nlines", "", "€"] * 2,
            "kind": pd.Categorical(["u", "v"] * 6),
            "day": pd.date_range("2024-01-01", periods=12),
            "gaps": [1.5, None] * 6,
        }
    )
    text = frame.to_csv(index=False)
    made = [text.encode(), text.encode("utf-16"), text.encode("cp1252")]
    made += [frame.to_csv(index=False, sep=mark).encode() for mark in ";\t|"]
    made.append(frame[["a"]].to_csv(index=False).encode())
    for compression in ("snappy", "gzip", "zstd", None):
        file = io.BytesIO()
        frame.to_parquet(file, compression=compression)
        made.append(file.getvalue())
    file = io.BytesIO()
    frame.set_index("text").assign(nested=[[1, 2], [3]] * 6).to_parquet(file)
    return [*made, file.getvalue()]


FILES = _files()


def loads_or_says_why(content: bytes) -> None:
    try:
        found = load_table(content, name="upload")
        row, digest = found.row(len(found)), found.digest
    except InputError as error:
        assert is_one_line(str(error))
    else:
        assert isinstance(found, Table)
        assert len(found) > 0
        assert all(name == name.strip() != "" for name in found.columns)
        assert len(set(found.columns)) == len(found.columns)
        assert tuple(row.values) == found.columns
        assert digest == load_table(content).digest


def test_the_files_are_good_before_they_are_damaged() -> None:
    assert all(len(load_table(content)) == 12 for content in FILES)


@settings(max_examples=300)
@given(content=st.binary(max_size=400))
def test_random_bytes(content: bytes) -> None:
    loads_or_says_why(content)


@settings(max_examples=300)
@given(content=st.text(alphabet='ab1,;\t|"\n\r \u2028\x1c€\ufeff', max_size=60))
def test_random_text(content: str) -> None:
    loads_or_says_why(content.encode())


HEADS = [b"PAR1", b"PK\x03\x04", b"\x1f\x8b", b"%PDF", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"]


@settings(max_examples=300)
@given(head=st.sampled_from([*HEADS, b"a,b\n1,2\n"]), tail=st.binary(max_size=400))
def test_random_bytes_after_a_good_beginning(head: bytes, tail: bytes) -> None:
    loads_or_says_why(head + tail)


@settings(max_examples=1200)
@given(data=st.data())
def test_good_files_with_bytes_changed_or_cut(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(FILES)))
    places = st.integers(0, len(content) - 1)
    # What a Parquet file says of itself is at its end.
    ends = st.integers(max(0, len(content) - 1500), len(content) - 1)
    for place in data.draw(st.lists(places | ends, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.just(len(content)) | places)
    loads_or_says_why(bytes(content[:end]))


# What a text file cannot hold, or a reader of text files changes by itself.
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_WILD = st.text(alphabet="\",;\t|\n\r ab'€\u2028", max_size=8)


# A header is guessed from: marks and lines within a name could beat the one that parts them.
_NAMES = st.text(alphabet="ab1 ä€'_-\u2028", min_size=1, max_size=5).filter(str.strip)


@st.composite
def written(draw: Any) -> tuple[list[str], list[list[str]], bytes]:
    """Names, rows and the file that ``csv.writer`` makes of them."""
    names = draw(st.lists(_NAMES, min_size=1, max_size=4, unique_by=str.strip))
    cells = st.lists(_TEXT | _WILD, min_size=len(names), max_size=len(names))
    rows = draw(st.lists(cells, min_size=1, max_size=5))
    ends, quoting = draw(st.sampled_from([("\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_MINIMAL)]))
    mark = draw(st.sampled_from(",;\t|")) if len(names) > 1 else ","
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=mark, lineterminator=ends, quoting=quoting)
    writer.writerows([names, *rows])
    return names, rows, file.getvalue().encode()


@settings(max_examples=300)
@given(table=written())
def test_what_was_written_is_read_back(table: tuple[list[str], list[list[str]], bytes]) -> None:
    names, rows, content = table
    found = load_table(content)
    assert list(found.columns) == [name.strip() for name in names]
    assert found.frame.to_numpy().tolist() == rows


_NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32) | st.integers(-(2**70), 2**70)
_CELLS = _NUMBERS | _TEXT | st.booleans() | st.none() | st.sampled_from(["NA", "1.0", " 1", "1e5"])


@settings(max_examples=400)
@given(rows=st.lists(st.tuples(_CELLS, _NUMBERS, _TEXT), min_size=1, max_size=6))
def test_a_table_matches_the_columns_that_were_learned_from_it(rows: list[tuple[Any, ...]]) -> None:
    table = load_table(pd.DataFrame(rows, columns=["a", "b", "c"]))
    try:
        spec = learn_columns(table)
    except InputError as error:
        assert is_one_line(str(error))
        assume(False)
    features = spec.encode(match(table, spec).frame)
    assert features.shape == (len(rows), *spec.shape)
    optional = any(column.optional for column in spec.columns)
    assert optional or np.isfinite(features).all()


@settings(max_examples=200)
@given(rows=st.lists(st.tuples(_CELLS, _CELLS, _TEXT), min_size=1, max_size=4))
def test_a_row_alone_reads_as_it_does_in_its_table(rows: list[tuple[Any, ...]]) -> None:
    table = load_table(pd.DataFrame(rows, columns=["a", "b", "c"]))
    try:
        spec = learn_columns(table)
    except InputError:
        assume(False)
    whole = spec.encode(match(table, spec).frame)
    for index, features in enumerate(whole):
        alone = spec.encode(match_row(table.row(index + 1), spec))
        assert np.array_equal(alone[0], features, equal_nan=True)
