"""Where one head looks from one patch, over the picture; a click picks the asking patch."""

from __future__ import annotations

import base64
import io

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from components import frames, head_made_up, picking, pictures, saying
from components.head_names import patch
from components.views import View

SIDE = 448  # pixels of the picture's longer side


def view_of(values: np.ndarray) -> View:
    """Look at what patches get: from nothing to the largest share of this head and query."""
    largest = float(values.max(initial=0.0))
    return View("positive", values.astype(np.float32), largest or 1.0, largest)


def picture(photo: Image.Image, values: np.ndarray, opacity: float = 0.8) -> Image.Image:
    """Lay what patches get over the photograph, patch by patch.

    Args:
        photo: what the network saw.
        values: share of the attention that each patch gets, ``(rows, columns)``.
        opacity: 0 (photograph alone) … 1.
    """
    scale = SIDE / max(photo.size)
    size = (round(photo.width * scale), round(photo.height * scale))
    large = photo.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    blocks = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    sharp = np.asarray(blocks.resize(size, Image.Resampling.NEAREST))
    return pictures.overlay(large, view_of(sharp), opacity)


def figure(
    photo: Image.Image,
    values: np.ndarray,
    asking: tuple[int, int] | None = None,
    opacity: float = 0.8,
) -> go.Figure:
    """Draw the picture with patches to click on; a click returns row and column from 0.

    Args:
        photo: what the network saw.
        values: share of the attention that each patch gets, ``(rows, columns)``.
        asking: row and column of the patch that asks, outlined; None for the class token.
        opacity: of the map over the photograph.
    """
    rows, columns = values.shape
    buffer = io.BytesIO()
    picture(photo, values, opacity).save(buffer, "JPEG", quality=88)
    places = [(row, column) for row in range(rows) for column in range(columns)]
    texts = [saying.drawn(f"{patch(*at)}: {saying.share(float(values[at]))}") for at in places]
    drawn = go.Figure(
        picking.cells(
            [column for _, column in places],
            [row for row, _ in places],
            places,
            texts,
            0.8 * SIDE / max(rows, columns),
        )
    )
    drawn.add_layout_image(
        source="data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode(),
        xref="x", yref="y", x=-0.5, y=-0.5, sizex=columns, sizey=rows,
        sizing="stretch", layer="below",
    )  # fmt: skip
    frames.finished(drawn, SIDE)
    picking.on_grid(drawn, columns, rows)
    hidden = {"visible": False, "constrain": "domain"}
    drawn.update_xaxes(**hidden)
    ratio = _ratio(photo, rows, columns)
    drawn.update_yaxes(**hidden, scaleanchor="x", scaleratio=ratio, constraintoward="top")
    drawn.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0}, plot_bgcolor="rgba(0,0,0,0)")
    if asking is not None:
        picking.ring(drawn, asking[1], asking[0])
    return drawn


def _ratio(photo: Image.Image, rows: int, columns: int) -> float:
    """How high a patch is for its width."""
    return (photo.height / rows) / (photo.width / columns)


def example() -> go.Figure:
    """A made-up head over a plain picture with a disc."""
    y, x = np.mgrid[0:128, 0:128]
    disc = (x - 78) ** 2 + (y - 45) ** 2 < 24**2
    photo = np.where(disc[..., None], (214, 158, 92), (96, 132, 150)).astype(np.uint8)
    values = head_made_up.maps().seen(5, 3, (0.7, 0.2))
    return figure(Image.fromarray(photo), values, (5, 1))
