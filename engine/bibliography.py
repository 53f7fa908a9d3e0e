"""The papers behind methods and models, by key."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from engine.errors import ResultError, nearest


@dataclass(frozen=True)
class Paper:
    """One entry of assets/bibliography.toml."""

    authors: str
    title: str
    venue: str
    year: int

    def cite(self) -> str:
        """Say it in one line.

        >>> Paper("Doe, Roe, Poe", "On Maps", "ICML", 2020).cite()
        'Doe et al., On Maps, ICML 2020'
        """
        names = self.authors.split(", ")
        who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
        return f"{who}, {self.title}, {self.venue} {self.year}"


@cache
def _papers() -> dict[str, Paper]:
    text = files("assets").joinpath("bibliography.toml").read_text("utf-8")
    return {key: Paper(**entry) for key, entry in tomllib.loads(text).items()}


def paper(key: str) -> Paper:
    """Return a paper.

    Raises:
        ResultError: there is none of that key.
    """
    if key not in _papers():
        raise ResultError(f"no paper {key!r} in the bibliography; {nearest(key, _papers())}")
    return _papers()[key]
