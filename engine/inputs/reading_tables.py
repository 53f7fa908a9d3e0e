"""From a file to a frame of numbers and text, without guessing at what is broken."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import InputError, one_line

if TYPE_CHECKING:
    import pandas as pd

TABLE_EXTENSIONS = ("csv", "tsv", "txt", "parquet")
MAX_TABLE_BYTES = 500 * 2**20
MAX_COLUMNS = 5000
_TOLD = "CSV, TSV or Parquet"
_DELIMITERS = (",", "\t", ";", "|")
_PARQUET = b"PAR1"
_FOREIGN = {
    b"PK\x03\x04": "looks like a spreadsheet or an archive; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "looks like an old spreadsheet; save the sheet as CSV",
    b"\x1f\x8b": "is compressed; unpack it first",
    b"%PDF": "is a PDF; save the table as CSV",
}

Read = "tuple[pd.DataFrame, str, tuple[str, ...]]"


def read_table(source: Any) -> tuple[pd.DataFrame, str, tuple[str, ...]]:
    """Return a table's frame, its name, and what was done on the way in.

    Raises:
        InputError: as ``load_table``.
    """
    if hasattr(source, "iloc") and hasattr(source, "columns"):
        return _checked(source.reset_index(drop=True), "table"), "table", ()
    content, name = _content(source)
    if not content.strip(b"\0 \r\n\t"):
        raise InputError(f"{name} is empty")
    for magic, told in _FOREIGN.items():
        if content.startswith(magic):
            raise InputError(f"{name} {told}")
    if content.startswith(_PARQUET):
        return _checked(_parquet(content, name), name), name, ()
    frame, notes = _delimited(content, name)
    return _checked(frame, name), name, notes


def _content(source: Any) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        return source, "table"
    if isinstance(source, str | os.PathLike):
        return _file(Path(source)), Path(source).name
    if not hasattr(source, "read"):
        raise InputError(
            f"a table is a path, bytes, an open file or a frame, not {type(source).__name__}"
        )
    called = getattr(source, "name", None)
    name = Path(called).name if isinstance(called, str | os.PathLike) else "table"
    content = source.read()
    if not isinstance(content, bytes):
        raise InputError(f"{name} was opened as text; open it as binary")
    return content, name


def _file(path: Path) -> bytes:
    if str(path).startswith(("http:", "https:")):
        raise InputError(f"{path}: addresses are not fetched; download the table and name the file")
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder; name one {_TOLD} file in it")
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise InputError(
                f"{path.name} is over {MAX_TABLE_BYTES // 2**20} MB, too large to read"
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})") from None


def _parquet(content: bytes, name: str) -> pd.DataFrame:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.read_table(io.BytesIO(content), use_threads=False).to_pandas()
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{name} is a damaged Parquet file ({one_line(error)})") from None


def _delimited(content: bytes, name: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    import pyarrow as pa
    from pyarrow import csv

    text, notes = _as_utf8(content, name)
    delimiter = _delimiter(text)
    bad: list[str] = []

    def on_bad_row(row: csv.InvalidRow) -> str:
        line = f"line {row.number}" if row.number else "a line"
        bad.append(f"{line} has {row.actual_columns} values, the header {row.expected_columns}")
        return "error"

    header = _header(text, delimiter, name)
    try:
        read = csv.read_csv(
            io.BytesIO(text),
            read_options=csv.ReadOptions(use_threads=False, block_size=2**26),
            parse_options=csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=len(header) > 1,
                invalid_row_handler=on_bad_row,
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()),
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
    except (pa.ArrowException, ValueError, KeyError) as error:
        told = bad[0] if bad else f"no {_TOLD} file ({one_line(error)})"
        raise InputError(f"{name}: {told}") from None
    return read.to_pandas(), notes


def _as_utf8(content: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16").encode(), ("read as UTF-16",)
        except UnicodeError:
            raise InputError(f"{name} is no text: broken UTF-16") from None
    plain = content.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in plain:
        raise InputError(f"{name} is no text; a table is a {_TOLD} file")
    try:
        plain.decode("utf-8")
        return plain, ()
    except UnicodeDecodeError:
        return plain.decode("cp1252", "replace").encode(), ("read as Windows-1252, not UTF-8",)


def _delimiter(text: bytes) -> str:
    """Return what parts the header's names: the commonest of those that are in use."""
    first = text.lstrip(b"\r\n").split(b"\n", 1)[0].decode()
    quoted = first.split('"')[::2]  # what stands outside of quotes
    counts = {mark: sum(part.count(mark) for part in quoted) for mark in _DELIMITERS}
    return max(_DELIMITERS, key=counts.__getitem__)


def _header(text: bytes, delimiter: str, name: str) -> list[str]:
    import csv

    lines = io.StringIO(text[: 2**22].decode("utf-8", "ignore"), newline="")
    try:
        found = next((row for row in csv.reader(lines, delimiter=delimiter) if row), [])
    except csv.Error as error:
        raise InputError(f"{name} is no {_TOLD} file ({one_line(error)})") from None
    _check_names(found, name)
    return found


def _check_names(names: list[str], name: str) -> None:
    if len(names) > MAX_COLUMNS:
        raise InputError(f"{name} has {len(names)} columns; up to {MAX_COLUMNS} can be read")
    seen: set[str] = set()
    for place, column in enumerate(names, start=1):
        plain = str(column).strip()
        if not plain:
            raise InputError(f"{name}: column {place} has no name")
        if plain in seen:
            raise InputError(f"{name}: two columns are named {plain!r}")
        seen.add(plain)


def _checked(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Check names and size, and take index and white space around the names off."""
    _check_names([str(column) for column in frame.columns], name)
    if not len(frame.columns):
        raise InputError(f"{name} has no columns")
    if not len(frame):
        raise InputError(f"{name} has a header, but no rows")
    found = frame.copy(deep=False)
    found.columns = [str(column).strip() for column in frame.columns]
    return found
