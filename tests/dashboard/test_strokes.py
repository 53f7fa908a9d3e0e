"""A mask that is drawn: what strokes do, undo, and the way through a link."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.masks import strokes
from dashboard.masks.strokes import Drawing
from engine.errors import ParameterError


def box(rows: slice, columns: slice, size: tuple[int, int] = (6, 8)) -> np.ndarray:
    where = np.zeros(size, dtype=bool)
    where[rows, columns] = True
    return where


def test_strokes_hide_and_show_and_can_be_undone() -> None:
    first = box(slice(0, 3), slice(0, 4))
    now = Drawing.blank((6, 8)).drawn(first, hide=True)
    np.testing.assert_array_equal(now.keep, ~first)
    some = now.drawn(box(slice(0, 1), slice(0, 8)), hide=False)
    assert int((~some.keep).sum()) == 8
    np.testing.assert_array_equal(some.undone().keep, now.keep)
    assert some.undone().undone().keep.all() and not some.undone().undone().past
    assert Drawing.blank((6, 8)).undone().keep.all()


def test_a_toggle_hides_what_is_not_all_hidden() -> None:
    half, whole = box(slice(0, 2), slice(0, 2)), box(slice(0, 4), slice(0, 2))
    now = Drawing.blank((6, 8)).drawn(half, hide=True).toggled(whole)
    np.testing.assert_array_equal(now.keep, ~whole)
    assert now.toggled(whole).keep.all()


def test_a_stroke_that_changes_nothing_is_no_step() -> None:
    now = Drawing.blank((6, 8))
    assert now.drawn(box(slice(0, 0), slice(0, 0)), hide=True) is now


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_a_link_brings_every_mask_back(rows: int, columns: int, seed: int) -> None:
    keep = np.random.default_rng(seed).random((rows, columns)) < 0.5
    found = Drawing.from_text(Drawing(keep).as_text())
    assert found is not None
    np.testing.assert_array_equal(found.keep, keep)


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=40))
def test_a_broken_link_is_no_drawing(text: str) -> None:
    Drawing.from_text(text)
    assert Drawing.from_text(f"8x8.{text}!") is None


@pytest.mark.parametrize(
    "text", ["", "8x8", "8x8.", "0x8.abc", "99999x99999.eJw", "-1x-1.eJw", "axb.c"]
)
def test_what_is_no_drawing_is_none(text: str) -> None:
    assert Drawing.from_text(text) is None


def test_a_packed_bomb_is_not_unpacked() -> None:
    import base64
    import zlib

    bomb = base64.urlsafe_b64encode(zlib.compress(bytes(50_000_000), 9)).decode().rstrip("=")
    assert Drawing.from_text(f"8x8.{bomb}") is None


def test_another_size_keeps_the_shape() -> None:
    now = Drawing(~box(slice(0, 3), slice(0, 4))).fitted((12, 16))
    assert now.keep.shape == (12, 16)
    np.testing.assert_array_equal(now.keep, ~box(slice(0, 6), slice(0, 8), (12, 16)))


def test_boxes_take_cells_by_their_middle_whatever_the_corner() -> None:
    found = strokes.in_box((4, 4), (2.4, 0.6), (1.2, -0.4))
    np.testing.assert_array_equal(found, box(slice(0, 2), slice(1, 3), (4, 4)))


@pytest.mark.parametrize("turn", [1, -1])
def test_lassos_take_cells_inside_whichever_way_round(turn: int) -> None:
    x, y = [0.5, 3.5, 3.5, 0.5][::turn], [0.5, 0.5, 2.5, 2.5][::turn]
    np.testing.assert_array_equal(
        strokes.in_lasso((5, 5), x, y), box(slice(1, 3), slice(1, 4), (5, 5))
    )


def test_a_lasso_is_as_matplotlibs_path_says() -> None:
    path = pytest.importorskip("matplotlib.path")
    draw = np.random.default_rng(3)
    angle = np.sort(draw.random(9)) * 2 * np.pi
    corners = np.stack([5 + 4 * np.cos(angle), 5 + 3 * np.sin(angle)], axis=1)
    row, column = np.indices((10, 12))
    inside = path.Path(corners).contains_points(np.stack([column.ravel(), row.ravel()], axis=1))
    np.testing.assert_array_equal(
        strokes.in_lasso((10, 12), corners[:, 0], corners[:, 1]), inside.reshape(10, 12)
    )


def test_corners_by_hand_take_in_the_cells_they_lie_on() -> None:
    x, y = strokes.corners_of("1 1; 1 4, 3 4, 3 1,", (4, 6))
    expected = box(slice(0, 3), slice(0, 4), (4, 6))
    np.testing.assert_array_equal(strokes.in_corners((4, 6), x, y), expected)


@pytest.mark.parametrize("text", ["", "1 1, 2 2", "1 1, 2 2, three 3", "0 1, 2 2, 3 3", "1, 2, 3"])
def test_corners_that_are_none_are_told(text: str) -> None:
    with pytest.raises(ParameterError, match="corner"):
        strokes.corners_of(text, (4, 6))
