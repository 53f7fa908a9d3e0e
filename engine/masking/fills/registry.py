"""All fills by name."""

from __future__ import annotations

from engine.errors import ParameterError, nearest
from engine.masking.fills.fill import Fill, Replacement
from engine.masking.fills.painted import Black, Blur, Grey, Mean, White

FILLS: dict[str, Fill] = {fill.name: fill for fill in (Mean(), Black(), Grey(), White(), Blur())}


def find_fill(fill: str | Fill) -> Fill:
    """Return a fill by name; a fill in hand is passed through.

    Raises:
        ParameterError: there is none of that name.
    """
    if isinstance(fill, Fill):
        return fill
    if fill not in FILLS:
        raise ParameterError(f"no fill {fill!r}; {nearest(str(fill), FILLS)}")
    return FILLS[fill]


def find_replacement(fill: str | Fill) -> Replacement:
    """Return a fill that has values of its own, to serve as a baseline.

    Raises:
        ParameterError: there is none of that name, or it hides in another way.
    """
    found = find_fill(fill)
    if not isinstance(found, Replacement):
        raise ParameterError(f"the fill {found.name!r} has no values, so it is no baseline")
    return found
