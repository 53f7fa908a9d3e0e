from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.errors import InputError
from engine.inputs.images import ImageInput, load_image
from engine.missingness.drawings import drawn_mask, label_image
from engine.models.loaded import LoadedModel
from tests.engine import zoo
from tests.engine.refusals import expect_refusal


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return zoo.load("tiny-cnn")  # sees 16 × 16


def picture(height: int, width: int, **more: Any) -> ImageInput:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return load_image(pixels, **more)


def image(values: np.ndarray) -> ImageInput:
    return load_image(values.astype(np.uint8))


def test_a_drawing_as_large_as_the_picture_goes_its_way(model: LoadedModel) -> None:
    # 64 × 96: resized to 16 × 24, cut to the middle 16: columns 16 to 80 of the picture.
    photo = picture(64, 96)
    drawing = np.full((64, 96), 255)
    drawing[:, :32] = 0  # the left 16 of these are seen: a quarter of 64
    keep = drawn_mask(model, photo, image(drawing))
    assert keep.shape == (16, 16)
    assert not keep[:, :4].any()
    assert keep[:, 4:].all()


def test_what_lies_beside_the_picture_stays(model: LoadedModel) -> None:
    photo = picture(32, 64, fit="letterbox")  # 8 rows high, margins of 4 above and below
    keep = drawn_mask(model, photo, image(np.zeros((32, 64))))
    assert keep[:4].all()
    assert keep[12:].all()
    assert not keep[4:12].any()
    labels = label_image(model, photo, image(np.full((32, 64), 9)))
    assert np.unique(labels[4:12]).tolist() != np.unique(labels[:4]).tolist()
    assert len(np.unique(labels)) == 2


@pytest.mark.parametrize("size", [16, 4])
def test_drawings_on_what_the_network_sees_or_on_its_grid(model: LoadedModel, size: int) -> None:
    expected = np.random.default_rng(1).random((size, size)) < 0.5
    drawing = np.where(expected, 128, 127)
    assert np.array_equal(drawn_mask(model, picture(64, 64), image(drawing)), expected)
    colours = np.zeros((size, size, 3))
    colours[expected] = 200, 10, 30
    labels = label_image(model, picture(64, 64), image(colours))
    assert np.array_equal(labels == labels[expected][0], expected)
    assert labels.dtype == np.int64


def test_labels_are_not_blended(model: LoadedModel) -> None:
    stripes = np.arange(160)[None].repeat(160, axis=0) // 40 * 60  # 0, 60, 120, 180
    labels = label_image(model, picture(160, 160), image(stripes))
    assert np.array_equal(labels, np.arange(16)[None].repeat(16, axis=0) // 4 + 1)


def test_other_sizes_and_too_many_colours(model: LoadedModel) -> None:
    with expect_refusal(
        InputError, "the mask has 7 × 5 pixels", "the picture (96 × 64 pixels)", "(16 × 16)"
    ):
        drawn_mask(model, picture(64, 96), image(np.zeros((5, 7))))
    many = np.random.default_rng(0).integers(0, 256, (64, 64, 3))
    with expect_refusal(InputError, "colours; a label image has one for each region", "use PNG"):
        label_image(model, picture(64, 64), image(many))


def test_a_tensor_has_no_size_but_the_networks_own(model: LoadedModel) -> None:
    keep = drawn_mask(model, zoo.noise(model), image(np.eye(16) * 255))
    assert np.array_equal(keep, np.eye(16, dtype=bool))
    with expect_refusal(InputError, "draw it as what the network sees (16 × 16)"):
        drawn_mask(model, zoo.noise(model), image(np.eye(17) * 255))


def test_grey_colour_and_transparent_files(model: LoadedModel, tmp_path: Any) -> None:
    white = np.eye(16, dtype=np.uint8) * 255
    for mode in ("L", "RGB", "1"):
        Image.fromarray(white).convert(mode).save(tmp_path / "m.png")
        keep = drawn_mask(model, picture(64, 64), load_image(tmp_path / "m.png"))
        assert np.array_equal(keep, np.eye(16, dtype=bool))
