from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from components import mask_sheet
from components.mask_sheet import made_up

TOP, NAME, SIDE, GAP, MARGIN = 40 + 96, 28, 320, 24, 40


def panel(page: Image.Image, column: int, row: int = 0) -> np.ndarray:
    top = TOP + row * (NAME + SIDE + 52) + NAME
    left = MARGIN + column * (SIDE + GAP)
    return np.asarray(page)[top + 1 : top + SIDE - 1, left + 1 : left + SIDE - 1]


def test_it_shows_input_mask_and_what_the_network_was_given() -> None:
    preview = made_up(2)
    page = mask_sheet.sheet(preview, Image.new("RGB", (64, 64), "#88AACC"))
    for row in range(2):
        assert (panel(page, 0, row) == [0x88, 0xAA, 0xCC]).all()
        mask = panel(page, 1, row)[19::40, 19::40, 0] > 128  # the middle of each cell
        assert np.array_equal(mask, preview.keep[row])
        given = panel(page, 2, row)[19::40, 19::40]
        assert (given[preview.keep[row]] == [0x88, 0xAA, 0xCC]).all()
        assert (np.abs(given[~preview.keep[row]].astype(int) - 128) <= 1).all()


@pytest.mark.parametrize("count", [1, 4, 9])
def test_it_grows_with_the_masks_up_to_four(count: int) -> None:
    page = mask_sheet.sheet(made_up(count), Image.new("RGB", (64, 64)))
    assert page.height == TOP + min(count, 4) * (NAME + SIDE + 52) + 48


def test_without_a_masked_picture_there_are_two_panels() -> None:
    page = mask_sheet.sheet(replace(made_up(1), masked=None), Image.new("RGB", (64, 64)))
    assert page.width == 2 * MARGIN + 2 * SIDE + GAP


def test_grey_and_oblong_pictures() -> None:
    preview = made_up(1)
    grey = replace(preview, masked=preview.masked[:, :1, :, :32].copy())
    page = mask_sheet.sheet(grey, Image.new("L", (32, 64), 100))
    inside = panel(page, 0)
    assert (inside[:, :150] == 100).all()
    assert (inside[:, 170:] == 255).all()
