"""What a person should know of a model before trusting it. No torch here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """What a person should know of a model.

    Attributes:
        title: its name in sentences.
        summary: one line.
        licence: of the weights.
        origin: where the weights come from.
        paper: key in the bibliography, or "".
        facts: more that was measured or should be said, by what it is about ("Limits").
        notes: what was assumed where it could not be found out.
    """

    title: str
    summary: str = ""
    licence: str = ""
    origin: str = ""
    paper: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
