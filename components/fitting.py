"""How wide text is in the fonts of the pictures, and how to make it fit."""

from __future__ import annotations

import io
from functools import cache, lru_cache
from importlib.resources import files

from PIL import ImageFont

from components import saying

LABEL = 12  # pixels: labels of axes and bars


@cache
def _font() -> ImageFont.FreeTypeFont:
    path = files("assets").joinpath("fonts/inter-latin-wght-normal.woff2")
    return ImageFont.truetype(io.BytesIO(path.read_bytes()), LABEL)


def width(text: str, size: float = LABEL) -> float:
    """Return how wide a line of text is drawn, in pixels."""
    return _length(text) * size / LABEL


@lru_cache(4096)
def _length(text: str) -> float:
    """Return how wide text is at the size of the font: pages ask the same again and again."""
    return float(_font().getlength(text))


def fitted(text: str, room: float, size: float = LABEL) -> str:
    """Cut text so that it is at most ``room`` pixels wide, an ellipsis in place of the rest."""
    if width(text, size) <= room:
        return text
    end = len(text)
    while end > 1 and width(f"{text[:end].rstrip()}…", size) > room:
        end -= 1
    return f"{text[:end].rstrip()}…"


def ending(text: str, room: float, size: float = LABEL) -> str:
    """Cut text at its beginning, where names of layers are alike: "…layers.11.attention"."""
    start = 0
    while start < len(text) - 1 and width(f"…{text[start:]}" if start else text, size) > room:
        start += 1
    return f"…{text[start:]}" if start else text


def label(title: str, told: str, room: float = 176.0) -> str:
    """Join a title and what stands there, "Worst area = 880 mm²"; the title is cut first."""
    end = f" = {fitted(told, room * 0.55)}"
    return fitted(title, room - width(end)) + end


def axis(title: str, room: float = 225.0) -> str:
    """Return the title of an axis in lines that fit below a small picture, ``room`` pixels wide."""
    return "<br>".join(saying.drawn(line) for line in wrapped(title, room, 13))


def wrapped(text: str, room: float, size: float = LABEL) -> list[str]:
    """Break text into lines at most ``room`` pixels wide, between words where possible."""
    lines: list[str] = []
    words = text.split()
    whole = " ".join(words)
    if words and width(whole, size) <= room:
        return [whole]
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(fitted(word, room, size))
    return lines
