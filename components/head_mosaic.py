"""What all heads look at, as one picture of small maps; a click picks a head."""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from components import frames, head_axes, head_made_up, picking, saying
from components.export import png
from components.head_names import named
from components.tokens import SEQUENTIAL, colours
from engine.head_results import HeadMaps, Place

_GAP = 3  # pixels between maps
_WIDE = 560  # about how wide the picture is
_LEAST, _MOST = 24, 84
_EMPTY = 255


@dataclass(frozen=True)
class Mosaic:
    """How the maps are laid out: layers in rows, heads in columns.

    Attributes:
        heads: of each layer.
        side: of a map, in pixels of the picture.
    """

    heads: tuple[int, ...]
    side: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture in pixels."""
        step = self.side + _GAP
        return max(self.heads) * step - _GAP, len(self.heads) * step - _GAP

    def at(self, x: float, y: float) -> tuple[int, int] | None:
        """Return layer and head at a point of the picture, in pixels; None between maps."""
        step = self.side + _GAP
        (head, across), (layer, down) = divmod(x, step), divmod(y, step)
        inside = across < self.side and down < self.side and x >= 0 and y >= 0
        if not inside or layer >= len(self.heads) or head >= self.heads[int(layer)]:
            return None
        return int(layer), int(head)


def layout_of(maps: HeadMaps) -> Mosaic:
    """Return how maps are laid out: each a whole multiple of the finest grid, if it fits."""
    fine = max(max(grid) for grid in maps.grids)
    room = min(_MOST, max(_LEAST, _WIDE // max(maps.heads)))
    return Mosaic(maps.heads, fine * (room // fine) if fine <= room else room)


def picture(maps: HeadMaps, place: Place | None = None) -> Image.Image:
    """Draw what each head attends to, each map up to its own largest weight.

    Args:
        maps: of one picture.
        place: shares of height and width whose patch asks; None: the class token, or the mean
            of the patches where there is none.

    Returns:
        A palette picture; transparent where there is no head.
    """
    mosaic = layout_of(maps)
    width, height = mosaic.size
    canvas = np.full((height, width), _EMPTY, dtype=np.uint8)
    step = mosaic.side + _GAP
    for layer, heads in enumerate(maps.heads):
        for head in range(heads):
            values = maps.seen(layer, head, place)
            tile = _tile(values, mosaic.side)
            top, left = layer * step, head * step
            canvas[top : top + mosaic.side, left : left + mosaic.side] = tile
    drawn = Image.fromarray(canvas)
    palette = colours(np.linspace(0, 1, _EMPTY), SEQUENTIAL).tobytes()
    drawn.putpalette(palette + bytes(3))  # the last colour is the transparent one
    drawn.info["transparency"] = _EMPTY
    return drawn


def _tile(values: np.ndarray, side: int) -> np.ndarray:
    largest = float(values.max(initial=0.0)) or 1.0
    places = np.rint(values / largest * (_EMPTY - 1)).astype(np.uint8)
    how = Image.Resampling.BOX if max(values.shape) > side else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(places).resize((side, side), how))


def figure(
    maps: HeadMaps,
    place: Place | None = None,
    chosen: tuple[int, int] | None = None,
    off: Collection[tuple[int, int]] = (),
) -> go.Figure:
    """Draw the mosaic with heads to click on; a click returns layer and head from 0.

    Args:
        maps, place: as of ``picture``.
        chosen: the head that is looked at, ringed; or None.
        off: heads that are switched off, struck out.
    """
    mosaic = layout_of(maps)
    layers, columns = len(mosaic.heads), max(mosaic.heads)
    step = mosaic.side + _GAP
    half = mosaic.side / step / 2
    places = [(layer, head) for layer, heads in enumerate(mosaic.heads) for head in range(heads)]
    texts = [
        f"{named(*at)}: at most {saying.share(float(maps.seen(*at, place).max()))}" for at in places
    ]
    drawn = go.Figure(picking.crosses((head, layer) for layer, head in sorted(off)))
    drawn.add_trace(
        picking.cells(
            [head for _, head in places],
            [layer for layer, _ in places],
            places,
            texts,
            0.8 * mosaic.side,
        )
    )
    drawn.add_layout_image(
        source="data:image/png;base64," + base64.b64encode(png(picture(maps, place))).decode(),
        xref="x", yref="y", x=-half, y=-half,
        sizex=columns - 1 + 2 * half, sizey=layers - 1 + 2 * half,
        sizing="stretch", layer="below",
    )  # fmt: skip
    frames.finished(drawn, mosaic.size[1] + head_axes.BELOW)
    head_axes.fit(drawn, layers, columns, constrain="domain")
    drawn.update_yaxes(scaleanchor="x", constraintoward="top")
    drawn.update_layout(plot_bgcolor="rgba(0,0,0,0)")
    if chosen is not None:
        picking.ring(drawn, chosen[1], chosen[0], half)
    return drawn


def example() -> go.Figure:
    """Made-up maps, a head chosen and two switched off."""
    return figure(head_made_up.maps(), None, (4, 2), {(0, 1), (2, 5)})
