"""Figures and pictures of masks hold what the masks and the answers hold."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from components import fill_bars, mask_canvas, mask_curve, mask_picture
from components.mask_words import Filled
from components.tokens import ACCENT, BAR_CHOSEN


def photo(size: int = 64) -> Image.Image:
    return Image.fromarray(np.full((size, size, 3), (200, 40, 40), dtype=np.uint8))


def test_what_is_hidden_is_hatched_and_what_stays_is_as_it_was() -> None:
    keep = np.array([[True, False], [False, True]])
    drawn = np.asarray(mask_picture.hatched(photo(), keep))
    assert (drawn[:32, :32] == (200, 40, 40)).all() and (drawn[32:, 32:] == (200, 40, 40)).all()
    hidden = drawn[:32, 32:]
    assert not (hidden == (200, 40, 40)).all(axis=-1).any()
    assert len(np.unique(hidden.reshape(-1, 3), axis=0)) == 2, "two kinds of stripes"


@pytest.mark.parametrize("size", [(8, 8), (7, 13), (64, 5)])
def test_cells_are_enlarged_as_the_engine_does(size: tuple[int, int]) -> None:
    from engine.masking.cells import enlarge

    keep = np.random.default_rng(0).random((3, 4)) < 0.5
    np.testing.assert_array_equal(
        mask_picture.enlarged(keep, size), enlarge(keep, size[1], size[0])
    )


def test_masks_to_take_away_are_white_where_the_picture_stays() -> None:
    keep = np.array([[True, False]])
    drawn = np.asarray(mask_picture.black_and_white(keep, (4, 2)))
    assert drawn.tolist() == [[255, 255, 0, 0]] * 2


def test_what_was_given_is_drawn_in_its_colours_grey_and_many_channels_too() -> None:
    values = np.stack([np.full((2, 2), level, np.float32) for level in (1, 0.5, 0)])
    drawn = np.asarray(mask_picture.seen(values, (4, 4)))
    assert drawn.shape == (4, 4, 3) and (drawn == (255, 128, 0)).all()
    assert (np.asarray(mask_picture.seen(values[1:2], (2, 2))) == 128).all()
    many = np.concatenate([values[1:2], np.ones((4, 2, 2), np.float32)])
    assert (np.asarray(mask_picture.seen(many, (2, 2))) == 128).all()


def test_a_click_on_the_canvas_returns_its_cell() -> None:
    keep = np.ones((4, 6), dtype=bool)
    keep[1, 2] = False
    drawn = mask_canvas.figure(photo(), keep, (4, 6), "cell")
    (cells,) = drawn.data
    found = {tuple(key): (x, y, text) for key, x, y, text in zip(
        cells.customdata, cells.x, cells.y, cells.text, strict=True)}  # fmt: skip
    assert len(found) == 24
    assert found[1, 2] == (2, 1, "Row 2, column 3: hidden")
    assert found[3, 5] == (5, 3, "Row 4, column 6: stays")
    assert list(drawn.layout.xaxis.range) == [-0.5, 5.5]
    assert list(drawn.layout.yaxis.range) == [3.5, -0.5]


def test_tools_set_what_dragging_does() -> None:
    keep = np.ones((4, 4), dtype=bool)
    modes = [
        mask_canvas.figure(photo(), keep, (4, 4), tool).layout.dragmode
        for tool in ("box", "lasso", "cell", "")
    ]
    assert modes == ["select", "lasso", False, False]


def test_a_click_on_a_superpixel_returns_its_number() -> None:
    regions = np.repeat([[0, 0, 1, 2]], 4, axis=0)
    keep = regions != 1
    drawn = mask_canvas.figure(photo(), keep, (4, 4), "region", regions)
    assert [key[0] for key in drawn.data[0].customdata] == [0, 0, 1, 2] * 4
    assert drawn.data[0].text[2] == "Superpixel 2: hidden"
    assert drawn.data[0].text[0] == "Superpixel 1: stays"


def test_a_cell_hidden_in_part_says_so() -> None:
    keep = np.ones((8, 8), dtype=bool)
    keep[0, 0] = False
    assert mask_canvas.figure(photo(), keep, (2, 2), "box").data[0].text[0].endswith("in part")


def test_another_mask_is_another_picture() -> None:
    keep = np.ones((4, 4), dtype=bool)
    one, other = (
        mask_canvas.figure(photo(), some, (4, 4)).layout.images[0].source for some in (keep, ~keep)
    )
    assert one != other
    picture = Image.open(io.BytesIO(base64.b64decode(other.partition(",")[2])))
    assert picture.size == (mask_canvas.SIDE, mask_canvas.SIDE)


@pytest.mark.parametrize("remove", [True, False])
def test_the_marker_stands_on_the_curve(remove: bool) -> None:
    sweep = mask_curve.made_up()
    drawn = mask_curve.figure(sweep, 0, 0.4, remove=remove)
    values = sweep.removed_probabilities if remove else sweep.kept_probabilities
    assert values is not None
    looked_at = next(trace for trace in drawn.data if trace.line.color == BAR_CHOSEN)
    np.testing.assert_allclose(looked_at.y, 100 * values[:, 0], rtol=1e-6)
    np.testing.assert_allclose(looked_at.x, 100 * sweep.share, rtol=1e-6)
    marker = next(trace for trace in drawn.data if trace.name == "here")
    assert marker.x[0] == pytest.approx(40) and marker.y[0] == pytest.approx(100 * values[8, 0])
    assert drawn.layout.shapes[0].x0 == pytest.approx(40)
    assert drawn.layout.shapes[0].line.color == ACCENT


def test_each_fill_is_a_row_that_adds_up_to_one() -> None:
    before, filled = fill_bars.made_up()
    drawn = fill_bars.figure(before, filled)
    totals = np.sum([np.asarray(bar.x) for bar in drawn.data], axis=0)
    np.testing.assert_allclose(totals, 1, atol=1e-6)
    assert drawn.layout.yaxis.ticktext[0] == "<b>The whole picture</b>"
    dog = next(bar for bar in drawn.data if bar.name == "dog")
    assert dog.x[2] == pytest.approx(0.71) and dog.text[2] == "71.0 %"
    assert dog.customdata[0] == "6.0 %" and dog.text[0] == "", "too narrow to be written on"


def test_classes_that_lead_somewhere_are_drawn_even_among_many() -> None:
    before, filled = fill_bars.made_up()
    assert fill_bars.leading(before, filled, 2) == [0, 1]
    assert fill_bars.leading(filled[1].said, [Filled("x", before)], 2) == [1, 0]
    drawn = fill_bars.figure(before, filled)
    assert {bar.name for bar in drawn.data} == {"cat", "dog", "hen"}
