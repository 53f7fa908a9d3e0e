"""One picture to take away: what was hidden, what the network was given, what it said."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from components.export import INK, PAPER, QUIET, font
from components.predictions import percent
from engine.mask_results import MaskPreview

_SIDE, _GAP, _MARGIN = 320, 24, 40
_TOP, _NAME, _SAID = 96, 28, 52
_MOST = 4  # masks on one sheet
_LINE = "#C9CED8"


def sheet(preview: MaskPreview, photo: Image.Image) -> Image.Image:
    """Compose the picture: a row for each mask, the first four.

    Args:
        preview: of a picture.
        photo: what the network sees with nothing hidden.
    """
    columns = 2 if preview.masked is None else 3
    rows = min(len(preview.keep), _MOST)
    width = 2 * _MARGIN + columns * _SIDE + (columns - 1) * _GAP
    row = _NAME + _SIDE + _SAID
    page = Image.new("RGB", (width, _MARGIN + _TOP + rows * row + 48), PAPER)
    draw = ImageDraw.Draw(page)
    _head(draw, preview)
    for index in range(rows):
        top = _MARGIN + _TOP + index * row
        for column, (name, panel, said) in enumerate(_panels(preview, photo, index)):
            left = _MARGIN + column * (_SIDE + _GAP)
            draw.text((left, top), name, INK, font(17, 600))
            page.paste(panel, (left, top + _NAME))
            corner = (left + panel.width - 1, top + _NAME + panel.height - 1)
            draw.rectangle((left, top + _NAME, *corner), outline=_LINE)
            draw.text((left, top + _NAME + _SIDE + 8), said, QUIET, font(15))
    more = len(preview.keep) - rows
    told = f"White stays, black is hidden.{f' And {more} more masks.' if more else ''}"
    draw.text((_MARGIN, page.height - 40), told, QUIET, font(14))
    return page


def _head(draw: ImageDraw.ImageDraw, preview: MaskPreview) -> None:
    source, grid = preview.manifest["source"], preview.keep.shape[1:]
    title = f"{source['generator_title']}, {percent(float(preview.hidden.mean()))} hidden"
    guided = f", guided by {source['guide_title']}" if source["guide_title"] else ""
    draw.text((_MARGIN, _MARGIN - 8), title, INK, font(28, 650))
    about = f"{source['model_title']} · {source['input']} · {source['fill_title']}"
    cells = f"{grid[0]} × {grid[1]} cells{guided}"
    draw.text((_MARGIN, _MARGIN + 30), about, QUIET, font(16))
    draw.text((_MARGIN, _MARGIN + 52), cells, QUIET, font(16))


def _panels(
    preview: MaskPreview, photo: Image.Image, index: int
) -> list[tuple[str, Image.Image, str]]:
    """Return name, picture and what is said below, of each panel of a row."""
    keep = Image.fromarray(np.where(preview.keep[index], 255, 0).astype(np.uint8))
    mask = _fitted(keep.resize(photo.size, Image.Resampling.NEAREST), smooth=False)
    hidden = f"{percent(float(preview.hidden[index]))} hidden"
    shown = [
        ("Input", _fitted(photo), _said(preview, 0)),
        (f"Mask {index + 1}" if len(preview.keep) > 1 else "Mask", mask, hidden),
    ]
    if preview.masked is None:
        return [shown[0], (*shown[1][:2], _said(preview, index + 1))]
    given = np.rint(255 * preview.masked[index]).astype(np.uint8).transpose(1, 2, 0)
    masked = Image.fromarray(given[..., 0] if given.shape[-1] == 1 else given)
    return [*shown, ("What the network was given", _fitted(masked), _said(preview, index + 1))]


def _said(preview: MaskPreview, row: int) -> str:
    """Say what is predicted: the class at first, and the best one if it is another."""
    before, best = (int(preview.logits[place].argmax()) for place in (0, row))
    shares = preview.probabilities[row]
    named = [before] if best == before else [best, before]
    return " · ".join(
        f"{_short(preview.classes[index])} {percent(float(shares[index]))}" for index in named
    )


def _short(name: str) -> str:
    return name if len(name) <= 22 else f"{name[:21]}…"


def _fitted(picture: Image.Image, *, smooth: bool = True) -> Image.Image:
    """Bring a picture to the panel's longer side."""
    scale = _SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    enlarges = scale > 1
    how = Image.Resampling.LANCZOS if smooth and not enlarges else Image.Resampling.NEAREST
    return picture.convert("RGB").resize(size, how)


def example() -> Image.Image:
    """A made-up sheet."""
    return sheet(made_up(), Image.new("RGB", (64, 64), "#88AACC"))


def made_up(count: int = 2) -> MaskPreview:
    """Return a made-up preview of so many masks."""
    draw = np.random.default_rng(0)
    keep = draw.random((count, 8, 8)) < 0.5
    logits = draw.normal(size=(count + 1, 3)).astype(np.float32)
    large = keep.repeat(8, axis=1).repeat(8, axis=2)[:, None]
    colour = np.array([0x88, 0xAA, 0xCC], dtype=np.float32)[:, None, None] / 255
    masked = np.where(large, colour, np.float32(0.5)).astype(np.float32)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    manifest = {
        "key": "example",
        "request": {"generator": {"name": "uniform", "parameters": {}}, "hidden": 0.5},
        "display": {
            "classes": ["cat", "dog", "bird"],
            "size": [64, 64],
            "columns": None,
            "hidden": [float(share) for share in 1 - keep.mean(axis=(1, 2))],
            "exact": True,
        },
        "source": {
            "model_title": "A network",
            "input": "A picture",
            "generator_title": "Uniform",
            "fill_title": "Grey",
            "guide_title": "",
        },
        "outcome": {"passes": {"forward": count + 1, "backward": 0}, "seconds": 0.1},
    }
    return MaskPreview(manifest, keep, logits, shares, masked)
