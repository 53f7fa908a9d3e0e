from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from engine.errors import InputError, ModelError
from engine.inputs.images import ImageInput
from engine.models import specs
from engine.models.specs import ImageSpec, TensorSpec, as_spec
from tests.engine import reference
from tests.engine.refusals import expect_refusal


def image(height: int, width: int, fit: Any = "crop", *, grey: bool = False) -> ImageInput:
    shape = (height, width) if grey else (height, width, 3)
    pixels = np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)
    return ImageInput(pixels, "noise", fit)


def small(**changes: Any) -> ImageSpec:
    return ImageSpec(**{"height": 20, "width": 20, "resize": 24, **changes})


@pytest.mark.parametrize(
    "size",
    [(40, 60), (60, 40), (37, 55), (55, 37), (20, 20), (7, 9), (9, 7), (24, 301), (1, 1)],
)
@pytest.mark.parametrize("how", ["nearest", "bilinear", "bicubic", "lanczos"])
def test_prepare_agrees_with_an_independent_derivation(size: tuple[int, int], how: Any) -> None:
    spec = small(interpolation=how)
    given = image(*size)
    found = spec.prepare(given)
    resampling = Image.Resampling[how.upper()]
    expected = reference.prepared(given.picture, (20, 20), 24, resampling, spec.mean, spec.std)
    assert found.dtype == torch.float32
    assert found.shape == (1, 3, 20, 20)
    assert np.abs(found[0].numpy() - expected).max() < 1e-6


@pytest.mark.parametrize(
    ("height", "width", "resize"),
    [
        (20, 20, 20),
        (20, 20, 21),
        (20, 12, 25),
        (12, 20, 25),
        (20, 20, 17),
        (23, 20, 20),
        (21, 21, 20),
    ],
)
def test_crops_of_any_shape(height: int, width: int, resize: int) -> None:
    spec = small(height=height, width=width, resize=resize)
    given = image(50, 71)
    how = Image.Resampling.BILINEAR
    expected = reference.prepared(given.picture, (height, width), resize, how, spec.mean, spec.std)
    assert np.abs(spec.prepare(given)[0].numpy() - expected).max() < 1e-6


def test_without_resize_the_shorter_side_becomes_the_crop() -> None:
    given = image(30, 50)
    assert torch.equal(small(resize=None).prepare(given), small(resize=20).prepare(given))


def test_grey_networks_and_grey_pictures() -> None:
    spec = small(channels=1, mean=(0.2,), std=(0.5,))
    given = image(33, 44, grey=True)
    how = Image.Resampling.BILINEAR
    expected = reference.prepared(given.picture, (20, 20), 24, how, spec.mean, spec.std)
    assert np.abs(spec.prepare(given)[0].numpy() - expected).max() < 1e-6
    as_rgb = small(mean=(0,) * 3, std=(1,) * 3).prepare(given)[0]
    assert torch.equal(as_rgb[0], as_rgb[1])
    assert torch.equal(as_rgb[0], as_rgb[2])
    assert spec.prepare(image(33, 44)).shape == (1, 1, 20, 20)


def test_seen_box_is_what_the_crop_keeps() -> None:
    assert small().seen_box(48, 48) == (4, 4, 44, 44)
    assert small().seen_box(96, 48) == (28, 4, 68, 44)
    assert small(resize=None).seen_box(20, 60) == (0, 20, 20, 40)


@pytest.mark.parametrize("size", [(48, 96), (96, 48), (480, 720)])
def test_what_lies_outside_the_seen_box_has_no_influence(size: tuple[int, int]) -> None:
    given = image(*size)
    left, top, right, bottom = small().seen_box(size[1], size[0])
    reach = 2 * max(1.0, min(size) / 24)  # a resampled pixel is made of its neighbours
    changed = np.array(given.pixels)
    rows, columns = np.mgrid[: size[0], : size[1]]
    outside = (columns < left - reach) | (columns > right + reach)
    outside |= (rows < top - reach) | (rows > bottom + reach)
    assert outside.any()
    changed[outside] ^= 255
    assert torch.equal(small().prepare(ImageInput(changed, "a")), small().prepare(given))
    changed = np.where(outside[..., None], changed, ~changed)
    assert not torch.equal(small().prepare(ImageInput(changed, "a")), small().prepare(given))


@pytest.mark.parametrize(("height", "width"), [(40, 20), (20, 40), (20, 20), (5, 1), (400, 3)])
def test_letterbox_keeps_all_of_the_picture(height: int, width: int) -> None:
    pixels = np.full((height, width, 3), 255, np.uint8)
    spec = small(mean=(0.0,) * 3, std=(1.0,) * 3)
    found = spec.prepare(ImageInput(pixels, "white", "letterbox"))[0, 0]
    rows, columns = torch.nonzero(found == 1, as_tuple=True)
    inside = found[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert torch.all(inside == 1)
    longer = max(height, width)
    assert inside.shape == (max(1, round(20 * height / longer)), max(1, round(20 * width / longer)))
    assert float((found == 0).sum()) == 400 - inside.numel()
    margins = rows.min(), 19 - rows.max(), columns.min(), 19 - columns.max()
    assert abs(margins[0] - margins[1]) <= 1
    assert abs(margins[2] - margins[3]) <= 1


def test_letterbox_margins_are_the_mean() -> None:
    found = small().prepare(ImageInput(np.zeros((40, 10, 3), np.uint8), "black", "letterbox"))
    assert found[0, :, :, 0].abs().max() < 0.5 / 255 / min(small().std) + 1e-6
    assert found[0, :, :, 10].max() < -1


def test_letterbox_of_the_right_size_changes_nothing() -> None:
    given = image(20, 20)
    spec = small(resize=20)
    assert torch.equal(spec.prepare(given.with_fit("letterbox")), spec.prepare(given))


@pytest.mark.parametrize("fit", ["crop", "letterbox"])
@pytest.mark.parametrize(("height", "width"), [(5000, 1), (1, 5000), (10, 20000)])
def test_extreme_shapes_do_not_blow_up_memory(
    height: int, width: int, fit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    areas: list[int] = []
    resize = Image.Image.resize

    def watched(self: Image.Image, size: tuple[int, int], *args: Any, **kwargs: Any) -> Any:
        areas.append(size[0] * size[1])
        return resize(self, size, *args, **kwargs)

    monkeypatch.setattr(Image.Image, "resize", watched)
    found = ImageSpec(resize=256).prepare(image(height, width, fit))
    assert found.shape == (1, 3, 224, 224)
    assert found.isfinite().all()
    assert areas
    assert max(areas) <= 20_000_000


def test_the_way_for_extreme_shapes_agrees_with_the_usual_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows, columns = np.mgrid[:90, :400]
    waves = np.stack([np.sin(rows / 9), np.cos(columns / 11), np.sin((rows + columns) / 13)], -1)
    given = ImageInput(np.rint(127 * waves + 127).astype(np.uint8), "waves")
    spec = ImageSpec(64, 64, resize=72, mean=(0,) * 3, std=(1,) * 3)
    usual = spec.prepare(given)
    monkeypatch.setattr(specs, "_RESIZE_LIMIT", 0)
    assert (spec.prepare(given) - usual).abs().max() < 4 / 255


@pytest.mark.parametrize(("grey", "channels"), [(True, 1), (False, 3)])
def test_other_channels_than_a_picture_has(grey: bool, channels: int) -> None:
    spec = small(channels=4, mean=(0,) * 4, std=(1,) * 4)
    told = f"expects 4 channels, the image has {channels}"
    with expect_refusal(InputError, told):
        spec.prepare(image(30, 30, grey=grey))


def test_normalise_and_back() -> None:
    unit = torch.rand(2, 3, 5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    spec = small()
    expected = (unit[:, 1] - 0.456) / 0.224
    assert torch.allclose(spec.normalise(unit)[:, 1], expected, atol=1e-12)
    assert torch.allclose(spec.denormalise(spec.normalise(unit)), unit, atol=1e-12)
    assert torch.allclose(spec.normalise(spec.denormalise(unit)), unit, atol=1e-12)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"mean": (0.5,)}, "mean has 1 values for 3 channels"),
        ({"std": (1, 1, 1, 1)}, "std has 4 values for 3 channels"),
        ({"std": (1, 0, 1)}, "every std must be above 0"),
        ({"interpolation": "cubic"}, "interpolation 'cubic' is none of nearest, box, bilinear"),
        ({"side": 3}, "side"),
        ({"mean": 0.5}, "input_spec"),
    ],
)
def test_bad_specs(fields: dict[str, Any], told: str) -> None:
    with expect_refusal(ModelError, "input_spec", told):
        as_spec(fields)


def test_as_spec() -> None:
    spec = small()
    assert as_spec(spec) is spec
    assert as_spec({"height": 8, "width": 6}) == ImageSpec(8, 6)
    assert as_spec([3, 4]) == TensorSpec((3, 4))  # type: ignore[arg-type]


def test_described_for_the_manifest() -> None:
    assert TensorSpec((5,)).describe() == {"kind": "tensor", "shape": [5]}
    told = small().describe()
    assert told["kind"] == "image"
    assert {"height", "width", "channels", "mean", "std", "resize", "interpolation"} < set(told)
    assert told["mean"] == [0.485, 0.456, 0.406]
