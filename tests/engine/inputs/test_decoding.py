from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.errors import InputError
from engine.inputs import decoding
from engine.inputs.decoding import decode
from tests.engine.refusals import expect_refusal

ORIENTATION = 0x0112
LOSSLESS = {
    "PNG": {},
    "BMP": {},
    "TIFF": {},
    "WEBP": {"lossless": True},
}

# What each EXIF orientation asks for, as an operation on the stored pixels.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


def noise(height: int = 48, width: int = 64, channels: int = 3) -> np.ndarray:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def encoded(picture: np.ndarray | Image.Image, kind: str, **options: Any) -> bytes:
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def decoded(picture: np.ndarray | Image.Image, kind: str = "PNG", **options: Any) -> np.ndarray:
    return decode(encoded(picture, kind, **options), "picture")[0]


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_formats_give_the_pixels_back(kind: str) -> None:
    pixels, notes = decode(encoded(noise(), kind, **LOSSLESS[kind]), "picture")
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, noise())
    assert notes == ()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_come_near(kind: str) -> None:
    pixels = np.full((20, 30, 3), (200, 100, 50), np.uint8)
    found = decoded(pixels, kind, quality=95).astype(int)
    assert found.shape == pixels.shape
    assert np.abs(found - pixels).max() <= 4


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "JPEG"])
def test_grey_stays_grey(kind: str) -> None:
    pixels = np.full((5, 7), 90, np.uint8)
    found = decoded(pixels, kind)
    assert found.shape == (5, 7)
    assert np.abs(found.astype(int) - 90).max() <= 1


def test_gif_palette_becomes_rgb() -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 8, 7]]], np.uint8)
    assert np.array_equal(decoded(pixels, "GIF"), pixels)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_first_frame_of_several(kind: str) -> None:
    frames = [np.full((6, 8, 3), level, np.uint8) for level in (10, 120, 250)]
    first, *others = (Image.fromarray(frame) for frame in frames)
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encoded(first, kind, save_all=True, append_images=others, **options)
    pixels, notes = decode(content, "film")
    assert np.array_equal(pixels, frames[0])
    assert notes == ("first frame of several",)


def tagged(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_exif_orientation(kind: str, orientation: int) -> None:
    stored = noise(3, 5)
    content = encoded(stored, kind, exif=tagged(orientation), **LOSSLESS[kind])
    pixels, notes = decode(content, "phone")
    assert np.array_equal(pixels, UPRIGHT[orientation](stored))
    if kind != "TIFF":  # Pillow turns those itself
        assert (notes != ()) == (orientation != 1)


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_of_jpeg(orientation: int) -> None:
    blocks = np.array([[[250, 0, 0], [0, 250, 0], [0, 0, 250]], [[0, 0, 0], [128] * 3, [250] * 3]])
    stored = blocks.repeat(16, axis=0).repeat(16, axis=1).astype(np.uint8)
    found = decoded(stored, "JPEG", exif=tagged(orientation), quality=95, subsampling=0)
    centres = found[8::16, 8::16].astype(int)
    assert np.abs(centres - UPRIGHT[orientation](blocks)).max() <= 6


def on_white(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    share = alpha[..., None] / 255
    return colour * share + 255 * (1 - share)


def test_alpha_is_laid_on_white() -> None:
    pixels = noise(channels=4)
    found, notes = decode(encoded(pixels, "PNG"), "logo")
    assert np.abs(found - on_white(pixels[..., :3], pixels[..., 3])).max() <= 1
    assert notes == ("transparency laid on white",)


def test_grey_with_alpha_is_laid_on_white() -> None:
    pixels = noise(channels=2)
    found = decoded(Image.merge("LA", [Image.fromarray(pixels[..., i].copy()) for i in (0, 1)]))
    assert found.shape == (48, 64, 3)
    assert np.abs(found - on_white(pixels[..., :1], pixels[..., 1])).max() <= 1


def palette(indices: list[list[int]]) -> Image.Image:
    picture = Image.fromarray(np.array(indices, np.uint8)).convert("L")
    picture.putpalette([10, 20, 30, 200, 100, 0, 7, 7, 7])
    return picture


def test_palette() -> None:
    pixels, notes = decode(encoded(palette([[0, 1], [2, 0]]), "PNG"), "chart")
    assert pixels.tolist() == [[[10, 20, 30], [200, 100, 0]], [[7, 7, 7], [10, 20, 30]]]
    assert notes == ()


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_palette_with_a_transparent_colour(kind: str) -> None:
    content = encoded(palette([[0, 1], [2, 0]]), kind, transparency=0)
    pixels, notes = decode(content, "chart")
    white = [255, 255, 255]
    assert pixels.tolist() == [[white, [200, 100, 0]], [[7, 7, 7], white]]
    assert notes == ("transparency laid on white",)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits(kind: str) -> None:
    values = np.array([[0, 257, 1000], [32768, 65000, 65535]], np.uint16)
    pixels, notes = decode(encoded(values, kind), "scan")
    assert np.array_equal(pixels, np.rint(values / 257))
    assert notes == ("16-bit grey scaled to 8 bits",)


def test_thirty_two_bits_beyond_sixteen_are_stretched() -> None:
    values = np.array([[-100_000, 0], [100_000, 300_000]], np.int32)
    pixels, notes = decode(encoded(values, "TIFF"), "scan")
    assert pixels.tolist() == [[0, 64], [128, 255]]
    assert notes == ("32-bit grey stretched to 8 bits",)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[0.0, 0.25], [0.5, 1.0]], [[0, 64], [128, 255]]),
        ([[0.2, 0.2], [0.4, 0.4]], [[51, 51], [102, 102]]),
        ([[-1.0, 0.0], [1.0, 3.0]], [[0, 64], [128, 255]]),
        ([[7.0, 7.0], [7.0, 7.0]], [[0, 0], [0, 0]]),
        ([[np.nan, 0.5], [1.0, 1.0]], [[0, 128], [255, 255]]),
    ],
)
def test_floating_point_tiff(values: list[list[float]], expected: list[list[int]]) -> None:
    pixels, notes = decode(encoded(np.array(values, np.float32), "TIFF"), "map")
    assert pixels.tolist() == expected
    assert notes == ("floating-point grey scaled to 8 bits",)


def test_infinite_values_in_a_tiff_do_no_harm() -> None:
    pixels, _ = decode(encoded(np.array([[-np.inf, 0, np.inf]], np.float32), "TIFF"), "map")
    assert pixels.shape == (1, 3)


def test_cmyk_jpeg() -> None:
    rgb = Image.new("RGB", (16, 16), (180, 90, 30))
    pixels, notes = decode(encoded(rgb.convert("CMYK"), "JPEG", quality=95), "print")
    assert np.abs(pixels.astype(int) - (180, 90, 30)).max() <= 6
    assert notes == ("CMYK converted to RGB",)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_one_bit(kind: str) -> None:
    bits = np.array([[True, False, True], [False, False, True]])
    assert np.array_equal(decoded(Image.fromarray(bits), kind), bits * np.uint8(255))


def test_panorama() -> None:
    pixels = noise(4, 6000)
    assert np.array_equal(decoded(pixels), pixels)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_cut_short(kind: str, share: float) -> None:
    content = encoded(noise(), kind)
    with expect_refusal(InputError, "half.bin is damaged or cut short"):
        decode(content[: int(share * len(content))], "half.bin")


def test_empty() -> None:
    with expect_refusal(
        InputError, "blank.png is empty (0 bytes)", "PNG, JPEG, WebP, BMP, TIFF or GIF"
    ):
        decode(b"", "blank.png")


@pytest.mark.parametrize(
    "content",
    [b"just some words\nand more", b"\x00" * 500, b"%PDF-1.7 \n", b"<svg xmlns=''></svg>"],
)
def test_not_a_picture(content: bytes) -> None:
    with expect_refusal(InputError, "notes.txt is not a picture", "PNG, JPEG"):
        decode(content, "notes.txt")


@pytest.mark.parametrize("kind", ["EPS", "PPM", "ICO", "TGA"])
def test_decoders_nobody_asked_for_do_not_run(kind: str) -> None:
    with expect_refusal(InputError, "is not a picture that can be read"):
        decode(encoded(noise(16, 16), kind), "other")


def png_chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def forged_png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = png_chunk(b"IDAT", zlib.compress(b"\x00" * 64))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + data + png_chunk(b"IEND", b"")


def forged_bmp(width: int, height: int) -> bytes:
    content = bytearray(encoded(noise(2, 2), "BMP"))
    content[18:26] = struct.pack("<ii", width, height)
    return bytes(content)


def forged_gif(width: int, height: int) -> bytes:
    content = bytearray(encoded(noise(2, 2), "GIF"))
    content[6:10] = struct.pack("<HH", width, height)
    return bytes(content)


@pytest.mark.parametrize("forged", [forged_png, forged_bmp, forged_gif])
@pytest.mark.parametrize(("width", "height"), [(60000, 60000), (10001, 10000)])
def test_bombs_are_refused_by_their_header(forged: Any, width: int, height: int) -> None:
    with expect_refusal(InputError, "bomb is too large", "over the limit of 100 megapixels"):
        decode(forged(width, height), "bomb")


def test_the_limit_itself_is_no_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_PIXELS", 48 * 64)
    assert decoded(noise()).shape == (48, 64, 3)
    monkeypatch.setattr(decoding, "MAX_PIXELS", 48 * 64 - 1)
    with expect_refusal(InputError, "64 × 48 pixels"):
        decoded(noise())


def test_memory_that_runs_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(decoding, "_upright_pixels", exhausted)
    with expect_refusal(InputError, "big.png does not fit into memory"):
        decode(encoded(noise(), "PNG"), "big.png")


def test_damaged_checksum() -> None:
    content = bytearray(encoded(noise(), "PNG"))
    content[len(content) // 2] ^= 0xFF
    with expect_refusal(InputError, "is damaged or cut short"):
        decode(bytes(content), "flipped.png")


def test_pictures_from_phones_that_hold_two() -> None:
    first, second = Image.new("RGB", (16, 16), (200, 0, 0)), Image.new("RGB", (16, 16))
    content = encoded(first, "MPO", save_all=True, append_images=[second])
    pixels, notes = decode(content, "phone.jpg")
    assert np.abs(pixels.astype(int) - (200, 0, 0)).max() <= 4
    assert notes == ("first frame of several",)
