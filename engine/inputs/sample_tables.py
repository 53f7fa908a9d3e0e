"""Tables that come with Haloscope; nothing is downloaded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from engine.errors import InputError, nearest
from engine.inputs.samples import SAMPLE
from engine.inputs.tables import Row, Table, load_table


@dataclass(frozen=True)
class SampleTable:
    """A table at hand.

    Attributes:
        name: its identifier ("cancer").
        title: what a person would call it.
        summary: one line: what is in it, where it comes from, its licence.
    """

    name: str
    title: str
    summary: str


_TABLES = (
    SampleTable(
        "cancer", "Breast cancer", "569 tumours, 30 measures of their cells (UCI, CC BY 4.0)."
    ),
    SampleTable(
        "adult",
        "Adult income",
        "5,000 people of the US census of 1994, with age, work and schooling (UCI, CC BY 4.0).",
    ),
    SampleTable(
        "diabetes", "Diabetes", "442 patients and how their illness went on (Efron et al. 2004)."
    ),
    SampleTable(
        "compas",
        "COMPAS",
        "6,172 arrested people in six yes-or-no columns, from public records (ProPublica). For the "
        "study of models, never for decisions about people.",
    ),
)


def sample_tables() -> tuple[SampleTable, ...]:
    """Return the tables at hand."""
    return _TABLES


@cache
def load_sample_table(name: str) -> Table:
    """Return a table at hand by its name.

    Raises:
        InputError: there is none of that name.
    """
    known = {found.name: found for found in _TABLES}
    if name not in known:
        raise InputError(f"no table {name!r}; {nearest(name, known)}")
    path = Path(str(files("assets").joinpath(f"tables/{name}.csv")))
    return replace(load_table(path, name=known[name].title), origin=f"{SAMPLE}{name}")


def load_named_table(source: str) -> Table:
    """Load a table by its path, by ``sample:NAME``, or a table at hand by its bare name.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    bare = any(source == found.name for found in _TABLES) and not Path(source).exists()
    try:
        return load_table(f"{SAMPLE}{source}" if bare else source)
    except InputError as error:
        if Path(source).exists() or source.startswith(SAMPLE):
            raise
        told = ", ".join(found.name for found in _TABLES)
        raise InputError(f"{error}; the tables at hand are {told}") from None


def load_named_row(origin: str) -> Row:
    """Load a row by what ``Row.origin`` says: ``sample:cancer#7``, or ``PATH#7``.

    Raises:
        InputError: there is no such table or row.
    """
    source, _, number = origin.rpartition("#")
    if not source or not number.isdecimal():
        raise InputError(f"{origin!r} names no row; write FILE#N, the first row being 1")
    return load_named_table(source).row(int(number))
