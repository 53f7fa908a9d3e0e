"""The mask over the picture; boxes, lassos and clicks on it draw."""

from __future__ import annotations

from typing import Literal

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from components import frames, mask_picture, picking
from components.head_names import patch
from components.saying import begun

SIDE = 448  # pixels of the picture's longer side
Tool = Literal["box", "lasso", "cell", "region", ""]
_DRAG = {"box": "select", "lasso": "lasso"}


def figure(
    photo: Image.Image,
    keep: np.ndarray,
    grid: tuple[int, int],
    tool: Tool = "",
    regions: np.ndarray | None = None,
) -> go.Figure:
    """Draw what is hidden, hatched, and the cells that can be drawn on.

    The axes count cells from 0, so box and lasso come in rows and columns; a click returns row and
    column of a cell, or the number of a region.

    Args:
        photo: what the network sees.
        keep: bool ``(rows, columns)``, True = stays; cells or pixels.
        grid: rows and columns of the cells that are drawn on.
        tool: what drawing does: a box or a lasso, a click on a cell or a region; "": nothing.
        regions: int ``(height, width)``, the region of each pixel, for a click on regions.
    """
    rows, columns = grid
    size = _shown(photo)
    picture = mask_picture.hatched(photo.convert("RGB").resize(size), keep)
    if tool == "region" and regions is not None:
        picture = mask_picture.bordered(picture, regions)
    drawn = go.Figure(_cells(keep, grid, regions if tool == "region" else None))
    drawn.add_layout_image(
        source=mask_picture.uri(picture),
        xref="x", yref="y", x=-0.5, y=-0.5, sizex=columns, sizey=rows,
        sizing="stretch", layer="below",
    )  # fmt: skip
    frames.finished(drawn, SIDE)
    picking.on_grid(drawn, columns, rows)
    hidden = {"visible": False, "constrain": "domain"}
    drawn.update_xaxes(**hidden)
    ratio = (photo.height / rows) / (photo.width / columns)
    drawn.update_yaxes(**hidden, scaleanchor="x", scaleratio=ratio, constraintoward="top")
    drawn.update_layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        plot_bgcolor="rgba(0,0,0,0)",
        dragmode=_DRAG.get(tool, False),
        newselection={"line": {"color": "#111318", "width": 2, "dash": "solid"}},
    )
    return drawn


def _cells(keep: np.ndarray, grid: tuple[int, int], regions: np.ndarray | None) -> go.Scatter:
    rows, columns = grid
    places = [(row, column) for row in range(rows) for column in range(columns)]
    hidden = _hidden_share(keep, grid)
    texts = [f"{begun(patch(*at))}: {_told(hidden[at])}" for at in places]
    keys = [list(at) for at in places]
    if regions is not None:
        number = mask_picture.enlarged(regions, (columns, rows))
        keys = [[int(number[at])] for at in places]
        texts = [f"Superpixel {number[at] + 1}: {_told(hidden[at])}" for at in places]
    return picking.cells(
        [column for _, column in places],
        [row for row, _ in places],
        keys,
        texts,
        0.8 * SIDE / max(rows, columns),
    )


def _hidden_share(keep: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Return the part of each cell that is hidden, ``grid``."""
    rows, columns = grid
    fine = mask_picture.enlarged(~keep, (columns * 4, rows * 4))
    return np.asarray(fine.reshape(rows, 4, columns, 4).mean(axis=(1, 3)))


def _told(hidden: float) -> str:
    return "hidden" if hidden == 1 else "stays" if hidden == 0 else "hidden in part"


def _shown(photo: Image.Image) -> tuple[int, int]:
    scale = SIDE / max(photo.size)
    return max(1, round(photo.width * scale)), max(1, round(photo.height * scale))


def example() -> go.Figure:
    """A made-up mask, drawn with a box."""
    keep = np.ones((8, 8), dtype=bool)
    keep[1:5, 2:6] = False
    return figure(mask_picture.disc(), keep, (8, 8), "box")
