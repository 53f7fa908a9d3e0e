from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import InputError
from engine.inputs import images
from engine.inputs.images import ImageInput, load_image
from tests.engine.refusals import expect_refusal


def pixels(height: int = 6, width: int = 9) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def png(picture: np.ndarray | Image.Image) -> bytes:
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cat.png"
    path.write_bytes(png(pixels()))
    return path


def test_path_text_bytes_and_open_file_agree(file: Path) -> None:
    with file.open("rb") as opened:
        found = [load_image(s) for s in (file, str(file), file.read_bytes(), opened)]
    assert all(np.array_equal(image.pixels, pixels()) for image in found)
    assert [image.name for image in found] == ["cat.png", "cat.png", "image", "cat.png"]
    assert len({image.digest for image in found}) == 1


def test_files_without_a_name_of_their_own() -> None:
    assert load_image(io.BytesIO(png(pixels()))).name == "image"
    for kind in (tempfile.TemporaryFile, tempfile.SpooledTemporaryFile):
        with kind() as opened:
            opened.write(png(pixels()))
            opened.seek(0)
            assert np.array_equal(load_image(opened).pixels, pixels())


def test_a_name_given_wins(file: Path) -> None:
    assert load_image(file, name="Chelsea").name == "Chelsea"
    assert load_image(pixels(), name="drawn").name == "drawn"


def test_size_is_width_and_height(file: Path) -> None:
    assert load_image(file).size == (9, 6)


def test_pixels_cannot_be_changed_afterwards(file: Path) -> None:
    mine = pixels()
    image = load_image(mine)
    mine[:] = 0
    assert np.array_equal(image.pixels, pixels())
    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0] = 0


def test_missing_file(tmp_path: Path) -> None:
    with expect_refusal(InputError, "gone.png: no such file"):
        load_image(tmp_path / "gone.png")


def test_folder(tmp_path: Path) -> None:
    with expect_refusal(InputError, f"{tmp_path} is a folder", "PNG"):
        load_image(tmp_path)


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with expect_refusal(InputError, "empty.png is empty (0 bytes)"):
        load_image(tmp_path / "empty.png")


def test_text_file(tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no picture\nat all")
    with expect_refusal(InputError, "notes.png is not a picture"):
        load_image(tmp_path / "notes.png")


@pytest.mark.parametrize("path", ["a\0b.png", "x" * 5000])
def test_paths_that_cannot_exist(path: str) -> None:
    with expect_refusal(InputError, "cannot be read"):
        load_image(path)


def test_huge_file_is_not_even_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_FILE_BYTES", 10)
    with expect_refusal(InputError, "cat.png is over", "too large to read"):
        load_image(file)


@pytest.mark.parametrize("source", [None, 5, 1.5, [1, 2], {"a": 1}, object()])
def test_what_is_no_source_at_all(source: object) -> None:
    with expect_refusal(InputError):
        load_image(source)  # type: ignore[arg-type]


def test_a_file_opened_as_text_or_closed(file: Path) -> None:
    with file.open(encoding="latin-1") as opened, expect_refusal(InputError):
        load_image(opened)  # type: ignore[arg-type]
    with expect_refusal(InputError):
        load_image(opened)  # type: ignore[arg-type]


def test_uint8_arrays() -> None:
    grey = pixels()[..., 0]
    assert np.array_equal(load_image(pixels()).pixels, pixels())
    assert np.array_equal(load_image(grey).pixels, grey)
    assert np.array_equal(load_image(grey[:, :, None]).pixels, grey)
    assert np.array_equal(load_image(pixels()[:, ::-1]).pixels, pixels()[:, ::-1])


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floating_point_arrays(kind: type) -> None:
    image = load_image((pixels() / 255).astype(kind))
    assert image.pixels.dtype == np.uint8
    assert np.array_equal(image.pixels, pixels())


def test_rgba_arrays_are_laid_on_white() -> None:
    array = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], np.uint8)
    expected = [[[200, 100, 0], [255, 255, 255], [244, 224, 204]]]
    assert load_image(array).pixels.tolist() == expected
    assert load_image(array / 255.0).pixels.tolist() == expected


@pytest.mark.parametrize("shape", [(5,), (5, 5, 2), (5, 5, 5), (3, 5, 5), (1, 5, 5, 3), (0, 5), ()])
def test_arrays_of_the_wrong_shape(shape: tuple[int, ...]) -> None:
    with expect_refusal(InputError, str(shape), "(height, width)"):
        load_image(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("value", [-0.01, 1.01, 255.0, np.nan, np.inf])
def test_floating_point_arrays_out_of_range(value: float) -> None:
    with expect_refusal(InputError, "values in [0, 1]"):
        load_image(np.full((4, 4), value))


@pytest.mark.parametrize("kind", ["int64", "uint16", "bool", "complex64", "<U3"])
def test_arrays_of_the_wrong_type(kind: str) -> None:
    with expect_refusal(InputError, "uint8 or floating point"):
        load_image(np.ones((4, 4), kind))


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "LA", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_pillow_pictures(mode: str) -> None:
    picture = Image.new("RGB", (9, 6), (200, 100, 50)).convert(mode)
    image = load_image(picture)
    assert image.size == (9, 6)
    expected = np.asarray(picture.convert("RGB")).astype(int)
    found = np.asarray(image.picture.convert("RGB")).astype(int)
    assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize("kind", [np.uint16, np.float32, np.int32])
def test_deep_pillow_pictures_come_out_as_from_their_file(kind: type) -> None:
    top = 1 if kind is np.float32 else 65535
    picture = Image.fromarray(np.linspace(0, top, 24).reshape(4, 6).astype(kind))
    file = io.BytesIO()
    picture.save(file, "TIFF")
    assert np.array_equal(load_image(picture).pixels, load_image(file.getvalue()).pixels)


def test_pillow_pictures_are_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(pixels()).save(file, "PNG", exif=exif)
    opened = Image.open(io.BytesIO(file.getvalue()))
    assert np.array_equal(load_image(opened).pixels, load_image(file.getvalue()).pixels)


def test_pillow_pictures_that_are_cut_short() -> None:
    content = png(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8))
    with expect_refusal(InputError, "damaged"):
        load_image(Image.open(io.BytesIO(content[: len(content) // 2])))


def test_digest_is_of_the_pixels_alone() -> None:
    base = load_image(pixels(), name="a")
    assert load_image(pixels(), name="b", fit="letterbox").digest == base.digest
    assert load_image(Image.fromarray(pixels())).digest == base.digest
    other = pixels()
    other[0, 0, 0] ^= 1
    assert load_image(other).digest != base.digest
    flat = np.zeros((4, 6), np.uint8)
    assert load_image(flat).digest != load_image(flat.reshape(6, 4)).digest


def test_fit() -> None:
    image = load_image(pixels())
    assert image.fit == "crop"
    boxed = image.with_fit("letterbox")
    assert (image.fit, boxed.fit) == ("crop", "letterbox")
    assert boxed.pixels is image.pixels
    with expect_refusal(InputError, "no fit 'croop'; did you mean crop?"):
        load_image(pixels(), fit="croop")  # type: ignore[arg-type]


def test_notes_come_through() -> None:
    image = load_image(png(np.full((4, 4, 4), 100, np.uint8)))
    assert image.notes == ("transparency laid on white",)


def test_picture_is_the_pixels() -> None:
    image = ImageInput(pixels(), "a")
    assert image.picture.mode == "RGB"
    assert np.array_equal(np.asarray(image.picture), pixels())
