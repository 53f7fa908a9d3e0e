"""How numbers, shares and lists are said, in pictures and in sentences."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

_APART = "\u00a0"  # between thousands: no line breaks there
_PREFIXES = ("$", "€", "£", "¥")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 3) -> str:
    """Say a number found out, with at most ``digits`` significant digits.

    >>> [number(v) for v in (0.12345, -2.5, 880.0, 12345.0, 0.0, 1e9, float("nan"))]
    ['0.123', '−2.5', '880', '12\\xa0300', '0', '1 × 10⁹', 'nothing']
    """
    if not math.isfinite(value):
        return "nothing" if math.isnan(value) else f"{'−' if value < 0 else ''}∞"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    rounded = round(value, digits - 1 - size)
    if not 1e-4 <= abs(rounded) < 1e7:
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        front = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return _minus(f"{front} × 10{str(int(power)).translate(_RAISED)}")
    told = _grouped(rounded, max(0, digits - 1 - size))
    return _minus(told.rstrip("0").rstrip(".") if "." in told else told)


def exact(value: float) -> str:
    """Say a number in full, no digit rounded away.

    >>> [exact(v) for v in (2013.0, -0.1625, 59698.5, 1e-07)]
    ['2013', '−0.1625', '59\\xa0698.5', '1 × 10⁻⁷']
    """
    told = repr(float(value)).removesuffix(".0")
    if "e" in told:
        return number(value, 16)
    return _minus(_grouped(value, len(told.partition(".")[2])))


def signed(value: float, digits: int = 2) -> str:
    """Say a number with its sign.

    >>> [signed(v) for v in (0.214, -3.0, 0.0)]
    ['+0.21', '−3', '0']
    """
    told = number(value, digits)
    return f"+{told}" if value > 0 else told


def cell(value: Any, unit: str = "") -> str:
    """Say what stands in a cell of a table; whole numbers in full.

    >>> [cell(v, u) for v, u in ((880.0, "mm²"), (0.16282, ""), (2013, ""), (None, ""))]
    ['880 mm²', '0.163', '2013', 'empty']
    >>> cell(99999, "$"), cell("Sales"), cell(1234.5)
    ('$99\\xa0999', 'Sales', '1234')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "empty"
    if isinstance(value, str | bool):
        return str(value)
    whole = float(value).is_integer() or 1000 <= abs(value) < 1e7
    told = _minus(_grouped(value, 0)) if whole and abs(value) < 1e12 else number(float(value))
    return with_unit(told, unit)


def with_unit(told: str, unit: str) -> str:
    """Put a unit where it belongs: "$5 000", "880 mm²"."""
    if unit in _PREFIXES:
        return f"−{unit}{told[1:]}" if told.startswith("−") else f"{unit}{told}"
    return f"{told} {unit}" if unit else told


def share(value: float) -> str:
    """Say a probability or a share.

    >>> [share(p) for p in (0.0, 0.0004, 0.0042, 0.372, 0.9961, 0.99999, 1.0)]
    ['0 %', 'under 0.1 %', '0.4 %', '37 %', '99.6 %', 'over 99.9 %', '100 %']
    """
    if value in (0, 1):
        return f"{100 * value:.0f} %"
    if 0 < value < 0.001:
        return "under 0.1 %"
    if 0.999 < value < 1:
        return "over 99.9 %"
    middle = 0.01 <= abs(value) <= 0.99
    return _minus(f"{100 * value:.0f} %" if middle else f"{100 * value:.1f} %")


def joined(parts: Sequence[str]) -> str:
    """List things: "a", "a and b", "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def inside(title: str) -> str:
    """Return a title as it stands within a sentence: names and abbreviations stay.

    >>> [inside(t) for t in ("Worst area", "LDL", "African-American", "pH")]
    ['worst area', 'LDL', 'African-American', 'pH']
    """
    first = title.split(maxsplit=1)[0] if title.strip() else ""
    return title if first[1:] != first[1:].lower() else title[:1].lower() + title[1:]


def listed(title: str) -> str:
    """Return a title as it stands within a list: quoted where a comma would take it apart.

    >>> listed("Grey, smooth rim"), listed("Blurred")
    ('“grey, smooth rim”', 'blurred')
    """
    told = inside(title)
    return f"“{told}”" if "," in told else told


def named(outcome: str) -> str:
    """Return the name of an outcome within a sentence: quoted unless it is one plain word.

    >>> named("malignant"), named("earns over 50K"), named("0")
    ('malignant', '“earns over 50K”', '“0”')
    """
    return outcome if outcome.isalpha() else f"“{outcome}”"


def begun(sentence: str) -> str:
    """Return a sentence with a capital letter in front, the rest as it is."""
    return sentence[:1].upper() + sentence[1:]


def counted(count: int, thing: str) -> str:
    """Count things: "1 column", "14 columns"."""
    return f"{number(count, 9)} {thing}{'' if count == 1 else 's'}"


def drawn(text: str) -> str:
    """Return text that Plotly draws as it is: no tags, no entities read into it."""
    return html.escape(text, quote=False)


def _grouped(value: float, decimals: int) -> str:
    """Write a number with its thousands apart, from 10 000 up: 2013 may be a year."""
    apart = "," if abs(value) >= 10_000 else ""
    return f"{value:{apart}.{decimals}f}".replace(",", _APART)


def _minus(told: str) -> str:
    return told.replace("-", "−", 1) if told.startswith("-") else told
