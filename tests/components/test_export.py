from __future__ import annotations

import io

import numpy as np
from PIL import Image

from components import export, views
from tests.components.test_words import attribution


def test_sheet_holds_input_map_and_overlay() -> None:
    given = attribution(np.eye(7))
    view = views.look_at(given, "positive", 100)
    page = np.asarray(export.sheet(given, view, Image.new("RGB", (50, 50), "#00FF00"), 0.8))
    top, side, gap, margin = 40 + 84 + 28, 448, 24, 40
    middle = top + side // 2
    assert tuple(page[middle, margin + 10]) == (0, 255, 0)
    map_corner = page[top + 5, margin + side + gap + 5]
    assert tuple(map_corner) == (252, 255, 164)
    assert tuple(page[middle, margin + 2 * (side + gap) + 10]) != (0, 255, 0)
    assert tuple(page[5, 5]) == (255, 255, 255)


def test_png_opens() -> None:
    content = export.png(export.example())
    assert Image.open(io.BytesIO(content)).format == "PNG"
