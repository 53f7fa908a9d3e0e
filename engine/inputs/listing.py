"""Which pictures an image set holds: names, labels and masks, without decoding anything."""

from __future__ import annotations

import csv
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from engine.errors import InputError, nearest, one_line
from engine.inputs.decoding import EXTENSIONS, FORMATS

_SUFFIXES = {f".{extension.lower().lstrip('.')}" for extension in EXTENSIONS}
_COLUMNS = ("path", "label", "mask")
_MAX_CSV_BYTES = 200 * 2**20


@dataclass(frozen=True)
class Entry:
    """One picture of a set.

    Attributes:
        name: unique in the set ("cat/0001.png", without the folder that all share).
        path: its file.
        label: its class, or None.
        mask: the file that tells where the class is seen, or None.
        title: what a person would call it; "" is its name.
    """

    name: str
    path: Path
    label: str | None = None
    mask: Path | None = None
    title: str = ""


@dataclass(frozen=True)
class Skipped:
    """What was left out, and why."""

    name: str
    reason: str


Listing = tuple[list[Entry], list[Skipped]]


def list_folder(folder: Path) -> Listing:
    """List class folders and what is in them; pictures that lie loose have no label.

    Raises:
        InputError: the folder cannot be read.
    """
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    try:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror})") from None
    for path in files:
        inside = path.relative_to(folder)
        if any(part.startswith(".") for part in inside.parts):
            continue
        name = inside.as_posix()
        if path.suffix.lower() not in _SUFFIXES:
            skipped.append(Skipped(name, "not a picture's file name"))
        elif reason := _reason_against(path):
            skipped.append(Skipped(name, reason))
        else:
            entries.append(Entry(name, path, inside.parts[0] if len(inside.parts) > 1 else None))
    return entries, skipped


def list_csv(file: Path) -> Listing:
    """List the rows of a CSV file.

    Raises:
        InputError: it cannot be read, is no text, or has no column ``path``.
    """
    rows = csv.DictReader(io.StringIO(_text(file), newline=""), dialect="excel")
    columns = _columns(rows.fieldnames or (), file.name)
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    seen: set[str] = set()
    for number, row in enumerate(_rows(rows, file.name), start=2):
        cells = {name: str(row.get(column) or "").strip() for name, column in columns.items()}
        name = cells["path"]
        reason = _reason_against_row(file.parent, cells)
        if not name:
            skipped.append(Skipped(f"row {number}", "no path"))
        elif name in seen:
            skipped.append(Skipped(name, f"listed again in row {number}"))
        elif reason:
            skipped.append(Skipped(name, reason))
        else:
            seen.add(name)
            mask = file.parent / cells["mask"] if cells.get("mask") else None
            entries.append(Entry(name, file.parent / name, cells.get("label") or None, mask))
    return entries, skipped


def _rows(rows: csv.DictReader[str], name: str) -> list[dict[str, str]]:
    try:
        return list(rows)
    except csv.Error as error:
        raise InputError(f"{name} is not a CSV file: {one_line(error)}") from None


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MAX_CSV_BYTES:
            raise InputError(f"{file.name} is over {_MAX_CSV_BYTES // 2**20} MB")
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{file.name} is not a CSV file in UTF-8") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None


def _columns(found: object, name: str) -> dict[str, str]:
    given = {str(column).strip().lower(): str(column) for column in (found or ())}  # type: ignore[attr-defined]
    if "path" not in given:
        told = nearest("path", given) if given else "the file is empty"
        raise InputError(f"{name} has no column 'path' (path, label, mask are read); {told}")
    return {column: given[column] for column in _COLUMNS if column in given}


def _reason_against_row(folder: Path, cells: dict[str, str]) -> str:
    if not cells["path"]:
        return "no path"
    reason = _reason_against(folder / cells["path"])
    if reason or not cells.get("mask"):
        return reason
    wrong = _reason_against(folder / cells["mask"])
    return f"its mask: {wrong}" if wrong else ""


def _reason_against(path: Path) -> str:
    """Say why a file is no picture, or "" if its beginning looks like one."""
    try:
        if path.stat().st_size == 0:
            return "empty"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its size: it is told when the picture is read
            with Image.open(path, formats=FORMATS):
                return ""
    except FileNotFoundError:
        return "no such file"
    except UnidentifiedImageError:
        return "not a picture"
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return f"cannot be read ({one_line(error)})"
