"""From a file to a frame of numbers and text, without guessing at what is broken."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import InputError, one_line
from engine.inputs.delimited import TOLD, check_names, read_delimited
from engine.inputs.tables import shown

if TYPE_CHECKING:
    import pandas as pd

TABLE_EXTENSIONS = ("csv", "tsv", "txt", "parquet")
MAX_TABLE_BYTES = 500 * 2**20
_PARQUET = b"PAR1"
_INDEX_OF_PANDAS = re.compile(r"__index_level_\d+__")
_FOREIGN = {
    b"PK\x03\x04": "looks like a spreadsheet or an archive; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "looks like an old spreadsheet; save the sheet as CSV",
    b"\x1f\x8b": "is compressed; unpack it first",
    b"%PDF": "is a PDF; save the table as CSV",
}


def read_table(source: Any, called: str | None = None) -> tuple[pd.DataFrame, str, tuple[str, ...]]:
    """Return a table's frame, its name, and what was done on the way in.

    Args:
        source: as ``load_table`` takes it.
        called: its name, if it has one that the source does not tell.

    Raises:
        InputError: as ``load_table``.
    """
    if hasattr(source, "iloc") and hasattr(source, "columns"):
        return _checked(source, "table"), "table", ()
    content, name = _content(source)
    name = called or name
    if len(content) > MAX_TABLE_BYTES:
        raise InputError(_too_large(name))
    if not content.strip(b"\0 \r\n\t\xef\xbb\xbf\xfe\xff"):
        raise InputError(f"{name} is empty")
    for magic, told in _FOREIGN.items():
        if content.startswith(magic):
            raise InputError(f"{name} {told}")
    if content.startswith(_PARQUET):
        return _checked(_parquet(content, name), name), name, ()
    frame, notes = read_delimited(content, name)
    return _checked(frame, name), name, notes


def _content(source: Any) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        return source, "table"
    if isinstance(source, str | os.PathLike):
        return _file(source), shown(Path(source).name, 200)
    if not hasattr(source, "read"):
        raise InputError(
            f"a table is a path, bytes, an open file or a frame, not {type(source).__name__}"
        )
    called = getattr(source, "name", None)
    name = shown(Path(called).name, 200) if isinstance(called, str | os.PathLike) else "table"
    try:
        content = source.read()
    except (OSError, ValueError) as error:
        raise InputError(f"{name} cannot be read ({one_line(error)})") from None
    if not isinstance(content, bytes):
        raise InputError(f"{name} was opened as text; open it as binary")
    return content, name


def _file(source: str | os.PathLike[str]) -> bytes:
    path, told = Path(source), shown(os.fspath(source), 200)
    if told.startswith(("http:", "https:")):
        raise InputError(f"{told}: addresses are not fetched; download the table and name the file")
    try:
        if path.is_dir():
            raise InputError(f"{told} is a folder; name one {TOLD} file in it")
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise InputError(_too_large(shown(path.name, 200)))
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{told}: no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{told}: cannot be read ({reason})") from None


def _too_large(name: str) -> str:
    return f"{name} is over {MAX_TABLE_BYTES // 2**20} MB, too large to read"


def _parquet(content: bytes, name: str) -> pd.DataFrame:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        read = parquet.read_table(io.BytesIO(content), use_threads=False)
        read.validate(full=True)
        # What pandas notes of its index would take a named column out of the table.
        frame = read.to_pandas(use_threads=False, ignore_metadata=True)
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{name} is a damaged Parquet file ({one_line(error)})") from None
    return frame.loc[:, [not _INDEX_OF_PANDAS.fullmatch(str(c)) for c in frame.columns]]


def _checked(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Check names and size, and take index and white space around the names off."""
    names = [str(column) for column in frame.columns]
    check_names(names, name)
    if not len(frame):
        raise InputError(f"{name} has a header, but no rows")
    found = frame.reset_index(drop=True)
    found.columns = [column.strip() for column in names]
    return found
