"""From delimited text to a frame of texts: CSV, TSV, and what else parts its values by a mark."""

from __future__ import annotations

import csv as plain_csv
import io
import re
from typing import TYPE_CHECKING

from engine.errors import InputError, one_line

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MAX_COLUMNS = 5000
TOLD = "CSV, TSV or Parquet"
_DELIMITERS = (",", "\t", ";", "|")
_HEADER_BYTES = 2**22
_BLOCK_BYTES = 2**26
_INDEX = "row"


def read_delimited(content: bytes, name: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the cells of a delimited text as they stand there, and what was done to read it.

    Empty lines before the header, after the last row and between rows are passed over; between
    the rows of a single column they are empty cells.

    Args:
        content: of the file, in UTF-8, UTF-16 or Windows-1252.
        name: of the file, for errors.

    Raises:
        InputError: no text, no rows, or rows of another length than the header.
    """
    text, notes = _as_utf8(content, name)
    text = text.rstrip(b"\r\n")
    delimiter = _delimiter(text)
    header = _header(text, delimiter, name)
    try:
        frame = _parsed(text, delimiter, header).to_pandas()
    except ValueError as error:  # pyarrow's own are of this kind
        told = _ragged(text, delimiter, len(header)) or f"no {TOLD} file ({one_line(error)})"
        raise InputError(f"{name}: {told}") from None
    _check_closed(text, frame, name)
    return frame, notes


def check_names(names: list[str], name: str) -> None:
    """Check that each column has a name of its own.

    Raises:
        InputError: none, too many, without a name, or twice the same.
    """
    if not names:
        raise InputError(f"{name} has no columns")
    if len(names) > MAX_COLUMNS:
        raise InputError(f"{name} has {len(names)} columns; up to {MAX_COLUMNS} can be read")
    seen: set[str] = set()
    for place, column in enumerate(names, start=1):
        plain = column.strip()
        if not plain:
            raise InputError(f"{name}: column {place} has no name")
        if plain in seen:
            raise InputError(f"{name}: two columns are named {plain!r}")
        seen.add(plain)


def _as_utf8(content: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
    notes: tuple[str, ...] = ()
    plain = content.removeprefix(b"\xef\xbb\xbf")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            plain, notes = content.decode("utf-16").encode(), ("read as UTF-16",)
        except UnicodeError:
            raise InputError(f"{name} is no text: broken UTF-16") from None
    if b"\0" in plain:
        raise InputError(f"{name} is no text; a table is a {TOLD} file")
    try:
        plain.decode("utf-8")
    except UnicodeDecodeError:
        return plain.decode("cp1252", "replace").encode(), ("read as Windows-1252, not UTF-8",)
    return plain, notes


def _delimiter(text: bytes) -> str:
    """Return what parts the header's names: the commonest of those that are in use."""
    first = re.split(rb"[\r\n]", text[:_HEADER_BYTES].lstrip(b"\r\n"), maxsplit=1)[0]
    outside = first.decode("utf-8", "ignore").split('"')[::2]  # of quotes
    counts = {mark: sum(part.count(mark) for part in outside) for mark in _DELIMITERS}
    return max(_DELIMITERS, key=counts.__getitem__)


def _header(text: bytes, delimiter: str, name: str) -> list[str]:
    lines = io.StringIO(text[:_HEADER_BYTES].decode("utf-8", "ignore"), newline="")
    try:
        found = next((row for row in plain_csv.reader(lines, delimiter=delimiter) if row), [])
    except plain_csv.Error as error:
        raise InputError(f"{name} is no {TOLD} file ({one_line(error)})") from None
    if not found:
        raise InputError(f"{name} is empty")
    if len(found) > 1 and not found[0].strip() and _INDEX not in found:
        found[0] = _INDEX  # pandas writes its row numbers in front, without a name
    check_names(found, name)
    return found


def _parsed(text: bytes, delimiter: str, header: list[str]) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    return csv.read_csv(
        io.BytesIO(text.lstrip(b"\r\n") + b"\n"),
        read_options=csv.ReadOptions(
            use_threads=False,
            block_size=_BLOCK_BYTES,
            column_names=header,
            skip_rows_after_names=1,
        ),
        parse_options=csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=len(header) > 1
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()),
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
        ),
    )


def _ragged(text: bytes, delimiter: str, width: int) -> str:
    """Say which line has another number of values than the header, or "" where none has."""
    lines = io.TextIOWrapper(io.BytesIO(text), "utf-8", newline="")
    reader = plain_csv.reader(lines, delimiter=delimiter)
    before = 0
    try:
        for row in reader:
            if row and len(row) != width:
                values = "1 value" if len(row) == 1 else f"{len(row)} values"
                return f"line {before + 1} has {values}, the header {width}"
            before = reader.line_num
    except plain_csv.Error:
        pass
    return ""


def _check_closed(text: bytes, frame: pd.DataFrame, name: str) -> None:
    """Refuse a text that ends within quotes, for they have swallowed all that follows them."""
    if text.count(b'"') % 2 == 0 or not len(frame):
        return
    last = str(frame.iloc[-1, -1]).rstrip("\r\n").replace('"', '""').encode()
    if text.endswith(b'"' + last):
        line = len(re.findall(rb"\r\n?|\n", text[: len(text) - len(last)])) + 1
        raise InputError(f"{name}: the quote that opens in line {line} is never closed")
