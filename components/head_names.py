"""How heads, places and measures are called; people count from 1."""

from __future__ import annotations

from components import saying

TITLES = {
    "class-to-class": "Class token to itself",
    "class-to-patches": "Class token to patches",
    "patches-to-class": "Patches to class token",
    "distance": "Mean attention distance",
    "entropy": "Entropy",
    "entropy-share": "Evenness",
    "needed": "Tokens for 90 %",
    "needed-share": "Share of tokens for 90 %",
}
UNITS = {"distance": "pixels", "entropy": "nats", "needed": "tokens"}
NEEDED = ("more than half", "an eighth to a half", "1/32 to an eighth", "1/32 or less")
BLOCKS = ("class → class", "class → patches", "patches → class", "patches → patches")


def named(layer: int, head: int) -> str:
    """Say which head is meant.

    >>> named(3, 0)
    'layer 4, head 1'
    """
    return f"layer {layer + 1}, head {head + 1}"


def patch(row: int, column: int) -> str:
    """Say which patch is meant.

    >>> patch(0, 4)
    'row 1, column 5'
    """
    return f"row {row + 1}, column {column + 1}"


def measured(name: str, value: float) -> str:
    """Say a value of a measure with its unit; shares as per cent.

    >>> measured("distance", 21.34), measured("needed-share", 0.25)
    ('21.3 pixels', '25 %')
    """
    if name not in UNITS:
        return saying.share(value)
    return f"{saying.number(value)} {UNITS[name]}"
