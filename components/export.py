"""One picture to take away: input, map and overlay with title, scale and caption."""

from __future__ import annotations

import io
from functools import cache
from importlib.resources import files

from PIL import Image, ImageDraw, ImageFont

from components import pictures, views, words
from components.views import View
from engine.results import Attribution

_SIDE, _GAP, _MARGIN = 448, 24, 40
INK, QUIET, PAPER = "#1A1D26", "#5A6172", "#FFFFFF"


@cache
def font(size: int, weight: int = 400) -> ImageFont.FreeTypeFont:
    """Return our typeface for pictures, at a size in pixels."""
    path = files("assets").joinpath("fonts/inter-latin-wght-normal.woff2")
    font = ImageFont.truetype(io.BytesIO(path.read_bytes()), size)
    font.set_variation_by_axes([weight])
    return font


def sheet(attribution: Attribution, view: View, photo: Image.Image, opacity: float) -> Image.Image:
    """Compose the picture.

    Args:
        attribution: the result.
        view: how it is looked at.
        photo: what the network saw.
        opacity: of the map over the photograph, 0 … 1.
    """
    width = 2 * _MARGIN + 3 * _SIDE + 2 * _GAP
    height = _MARGIN + 84 + 28 + _SIDE + 96
    page = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((_MARGIN, _MARGIN - 8), words.title(attribution), INK, font(32, 650))
    source = attribution.manifest["source"]
    about = f"{source['method_title']} · {source['model_title']} · {source['input']}"
    draw.text((_MARGIN, _MARGIN + 38), about, QUIET, font(18))
    square = photo.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    panels = (
        ("Input", square),
        ("Map", pictures.heat(view, (_SIDE, _SIDE))),
        ("Overlay", pictures.overlay(square, view, opacity)),
    )
    top = _MARGIN + 84
    for index, (name, panel) in enumerate(panels):
        left = _MARGIN + index * (_SIDE + _GAP)
        draw.text((left, top), name, INK, font(17, 600))
        page.paste(panel, (left, top + 28))
    _key(page, draw, view, (_MARGIN + _SIDE + _GAP, top + 28 + _SIDE + 18))
    draw.text((_MARGIN, height - 40), words.caption(attribution), QUIET, font(14))
    return page


def _key(page: Image.Image, draw: ImageDraw.ImageDraw, view: View, at: tuple[int, int]) -> None:
    left, top = at
    low, high = view.ends
    small = font(14)
    draw.text((left, top - 4), low, QUIET, small)
    start = left + int(draw.textlength(low, small)) + 10
    bar = pictures.colour_key(view, (150, 9))
    page.paste(bar, (start, top), bar)
    end = f"{high} (scale ends at {view.limit:.3g})"
    draw.text((start + 160, top - 4), end, QUIET, small)


def png(picture: Image.Image) -> bytes:
    """Return a picture as the bytes of a PNG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=False)
    return buffer.getvalue()


def example() -> Image.Image:
    """A made-up sheet."""
    view = views.example()
    manifest = {
        "key": "example",
        "display": {"fold": "sum", "view": "positive"},
        "source": {"model_title": "A network", "method_title": "Gradient", "input": "A picture"},
        "request": {
            "method": {"name": "gradient", "parameters": {}},
            "target": {"index": 1, "name": "cat"},
            "versus": None,
            "output": "logit",
            "seed": 0,
            "device": "cpu",
        },
        "outcome": {"passes": {"forward": 1, "backward": 1}, "seconds": 0.1},
    }
    return sheet(
        Attribution(manifest, view.values), view, Image.new("RGB", (64, 64), "#88AACC"), 0.8
    )
