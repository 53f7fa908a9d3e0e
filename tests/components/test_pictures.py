from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from components import pictures, tokens, views
from engine.results import Attribution


def view_of(values: np.ndarray, kind: views.Kind = "positive") -> views.View:
    manifest = {"key": "k", "display": {"fold": "sum", "view": "positive"}}
    return views.look_at(Attribution(manifest, values.astype(np.float32)), kind, 100)


def rgb(code: str) -> tuple[int, ...]:
    return tuple(int(code[i : i + 2], 16) for i in (1, 3, 5))


def test_heat_uses_both_ends_of_the_scale() -> None:
    picture = np.asarray(pictures.heat(view_of(np.array([[0.0, 1.0]])), (2, 1)))
    assert tuple(picture[0, 0]) == rgb(tokens.SEQUENTIAL[0])
    assert tuple(picture[0, 1]) == rgb(tokens.SEQUENTIAL[-1])


def test_zero_is_the_middle_of_the_diverging_scale() -> None:
    picture = np.asarray(pictures.heat(view_of(np.array([[0.0, 1.0]]), "signed"), (2, 1)))
    assert tuple(picture[0, 0]) == rgb(tokens.DIVERGING[5])


def test_overlay_follows_the_formula() -> None:
    photo = Image.new("RGB", (2, 1), (200, 100, 50))
    view = view_of(np.array([[0.2, 1.0]]))
    drawn = np.asarray(pictures.overlay(photo, view, 0.8), dtype=np.float64)
    grey = np.asarray(photo.convert("L"), dtype=np.float64)[0, 0]
    below = np.array([200, 100, 50]) + 0.55 * (grey - np.array([200, 100, 50]))
    for column, value in ((0, 0.2), (1, 1.0)):
        alpha = min(1.6 * value, 1) ** 0.8 * 0.8
        colour = tokens.colours(np.array(value), tokens.SEQUENTIAL).astype(np.float64)
        expected = below + alpha * (colour - below)
        assert drawn[0, column] == pytest.approx(expected, abs=1)


def test_no_opacity_is_the_photograph() -> None:
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8))
    drawn = pictures.overlay(photo, view_of(np.eye(8)), 0)
    assert np.array_equal(np.asarray(drawn), np.asarray(photo))


def test_a_stronger_map_changes_more() -> None:
    photo = Image.new("RGB", (4, 4), "#336699")
    weak = view_of(np.full((4, 4), 0.1) + np.eye(4) * 0.9)
    drawn = np.asarray(pictures.overlay(photo, weak), dtype=np.float64)
    change = np.abs(drawn - np.asarray(photo, dtype=np.float64)).sum(axis=2)
    assert change[0, 0] > change[0, 1]


def test_frame_keeps_the_inside_and_dims_the_outside() -> None:
    whole = Image.new("RGB", (400, 200), "#FF0000")
    drawn = np.asarray(pictures.framed(whole, (100, 0, 300, 200), height=100))
    assert drawn.shape == (100, 200, 3)
    assert tuple(drawn[50, 100]) == (255, 0, 0)
    assert tuple(drawn[50, 10]) != (255, 0, 0)
    assert tuple(drawn[50, 50]) == rgb(tokens.ACCENT)


@pytest.mark.parametrize("size", [(4000, 10), (10, 4000), (1, 1)])
def test_frame_of_any_shape(size: tuple[int, int]) -> None:
    drawn = pictures.framed(Image.new("RGB", size), (0, 0, *size))
    assert drawn.width >= 1
    assert drawn.height <= 96


def test_overview_picture_is_small() -> None:
    rng = np.random.default_rng(0)
    photo = Image.fromarray(rng.integers(90, 160, (224, 224, 3), dtype=np.uint8)).resize((560, 560))
    buffer = io.BytesIO()
    pictures.overlay(photo, view_of(rng.random((7, 7)))).save(buffer, "JPEG", quality=86)
    assert buffer.tell() <= 80_000


def test_scales_rise_in_lightness_and_pairs_stay_apart() -> None:
    lightness = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in map(rgb, tokens.SEQUENTIAL)]
    assert lightness == sorted(lightness)
    left, right = np.array(rgb(tokens.DIVERGING[0])), np.array(rgb(tokens.DIVERGING[-1]))
    assert np.abs(left - right).max() > 80
