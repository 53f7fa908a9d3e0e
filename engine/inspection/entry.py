"""One line of a model's card."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One thing that was found out.

    Attributes:
        name: what it is about ("Normalisation").
        value: what was found, as a person would say it.
        how: how that is known: "told by timm", "seen in one pass", "assumed", "corrected".
        option: the option of a reference that corrects it, or "".
    """

    name: str
    value: str
    how: str
    option: str = ""
