"""Bytes of a picture file → upright 8-bit RGB or grey pixels, or one clear line."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
from PIL import (  # the plugins register the decoders
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from engine.errors import InputError, one_line

# Only these decoders run (JPEG's also reads MPO): others start programs of their own.
_PLUGINS = (
    PngImagePlugin.PngImageFile,
    JpegImagePlugin.JpegImageFile,
    WebPImagePlugin.WebPImageFile,
    BmpImagePlugin.BmpImageFile,
    BmpImagePlugin.DibImageFile,
    TiffImagePlugin.TiffImageFile,
    GifImagePlugin.GifImageFile,
)
FORMATS = tuple(plugin.format for plugin in _PLUGINS)
FORMATS_TOLD = "PNG, JPEG, WebP, BMP, TIFF or GIF"
EXTENSIONS = ("png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff", "gif")
MAX_PIXELS = 100_000_000


def decode(content: bytes, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Decode a picture file.

    Args:
        content: the file's bytes.
        name: how the user knows the file; used in messages.

    Returns:
        uint8 pixels, ``(height, width, 3)`` RGB or ``(height, width)`` grey, upright;
        and notes on what was done to get there ("transparency laid on white").

    Raises:
        InputError: empty, truncated, not a picture, or more than 100 megapixels.
    """
    if not content:
        raise InputError(f"{name} is empty (0 bytes); choose a {FORMATS_TOLD} file")
    return pixels_of(_opened(content, name), name)


def pixels_of(picture: Image.Image, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Do the same for a picture that Pillow has opened already."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # damaged metadata is no news to the user
        _refuse_bomb(picture, name)
        try:
            picture.load()
            return _upright_pixels(picture)
        except MemoryError:
            raise InputError(f"{name} does not fit into memory") from None
        except _BROKEN as error:
            raise InputError(f"{name} is damaged or cut short ({one_line(error)})") from None


# What Pillow's decoders raise on damaged files, beside OSError.
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    TypeError,
    IndexError,
    KeyError,
    AttributeError,
    AssertionError,
    OverflowError,
    ZeroDivisionError,
    EOFError,
    RuntimeError,
    struct.error,
)


def _opened(content: bytes, name: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise InputError(f"{name} is not a picture that can be read; use {FORMATS_TOLD}") from None
    except Image.DecompressionBombError:
        raise InputError(_too_large(name, "it")) from None
    except _BROKEN as error:
        raise InputError(f"{name} is damaged or cut short ({one_line(error)})") from None


def _refuse_bomb(picture: Image.Image, name: str) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise InputError(_too_large(name, f"{width} × {height} pixels"))
    if width < 1 or height < 1:
        raise InputError(f"{name} has no pixels ({width} × {height})")


def _too_large(name: str, what: str) -> str:
    return f"{name} is too large: {what} is over the limit of {MAX_PIXELS // 10**6} megapixels"


def _upright_pixels(picture: Image.Image) -> tuple[np.ndarray, tuple[str, ...]]:
    notes: list[str] = []
    if getattr(picture, "n_frames", 1) > 1:
        notes.append("first frame of several")
        picture.seek(0)
    upright = ImageOps.exif_transpose(picture)
    if upright.size != picture.size or upright.getexif().get(0x0112) != picture.getexif().get(
        0x0112
    ):
        notes.append("turned as its EXIF data says")
    return _eight_bit(upright, notes), tuple(notes)


def _eight_bit(picture: Image.Image, notes: list[str]) -> np.ndarray:
    mode = picture.mode
    if mode.startswith("I") or mode == "F":
        return _scaled_down(np.asarray(picture), notes)
    if mode == "1":
        return np.asarray(picture.convert("L"))
    if picture.has_transparency_data or mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        notes.append("transparency laid on white")
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return np.asarray(Image.alpha_composite(white, layer).convert("RGB"))
    if mode == "L":
        return np.asarray(picture)
    if mode not in ("RGB", "P"):
        notes.append(f"{mode} converted to RGB")
    return np.asarray(picture.convert("RGB"))


def _scaled_down(values: np.ndarray, notes: list[str]) -> np.ndarray:
    """Bring 16-bit, 32-bit and floating-point grey values to 8 bits."""
    if values.dtype.kind == "f":
        values = np.nan_to_num(values.astype(np.float64))
        unit = values.min() >= 0 and values.max() <= 1
        low, high = (0.0, 1.0) if unit else (float(values.min()), float(values.max()))
        notes.append("floating-point grey scaled to 8 bits")
    elif values.min() >= 0 and values.max() <= 65535:
        low, high = 0.0, 65535.0
        notes.append("16-bit grey scaled to 8 bits")
    else:
        low, high = float(values.min()), float(values.max())
        notes.append("32-bit grey stretched to 8 bits")
    span = (high - low) or 1.0
    return np.rint((values.astype(np.float64) - low) / span * 255).astype(np.uint8)
