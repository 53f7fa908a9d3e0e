"""Images: from a file, bytes, an array or a Pillow picture to one validated input."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import IO, Literal

import numpy as np
from PIL import Image

from engine.errors import InputError, nearest
from engine.inputs.decoding import FORMATS_TOLD, decode, pixels_of
from engine.manifest import digest_of

Fit = Literal["crop", "letterbox"]
FITS: tuple[Fit, ...] = ("crop", "letterbox")
MAX_FILE_BYTES = 500 * 2**20

ImageSource = str | os.PathLike[str] | bytes | IO[bytes] | Image.Image | np.ndarray


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known of a picture beforehand; it decides no number.

    Attributes:
        label: its class as its set names it, or None.
        mask: bool ``(height, width)`` of the picture, True where the class is seen, or None.
    """

    label: str | None = None
    mask: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class ImageInput:
    """A picture, upright, with 8 bits a channel.

    Attributes:
        pixels: uint8 ``(height, width, 3)`` RGB or ``(height, width)`` grey.
        name: how the user knows it.
        fit: how it is brought to the network's size: "crop" (the network's own resize
            and centre crop) or "letterbox" (all of it, with margins).
        notes: what was done on the way in ("transparency laid on white").
        origin: where it can be found again: its path as it was given, or "sample:chelsea";
            empty for what is only in memory.
        truth: what its set knows of it, or None.
    """

    pixels: np.ndarray
    name: str
    fit: Fit = "crop"
    notes: tuple[str, ...] = ()
    origin: str = ""
    truth: Truth | None = None

    def __post_init__(self) -> None:
        self.pixels.setflags(write=False)
        if self.fit not in FITS:
            raise InputError(f"no fit {self.fit!r}; {nearest(str(self.fit), FITS)}")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @cached_property
    def digest(self) -> str:
        """Digest of the pixels (sha256, hex); name, fit, origin and truth are not part of it."""
        shape = repr(self.pixels.shape).encode()
        return digest_of(shape, np.ascontiguousarray(self.pixels).data)

    @cached_property
    def picture(self) -> Image.Image:
        """The same as a Pillow picture, mode RGB or L."""
        return Image.fromarray(self.pixels)

    def with_fit(self, fit: Fit) -> ImageInput:
        """Return the same picture, to be fitted in another way."""
        return replace(self, fit=fit)


def load_image(source: ImageSource, *, name: str | None = None, fit: Fit = "crop") -> ImageInput:
    """Load a picture.

    Args:
        source: a path, bytes, an open binary file, a Pillow picture, or an array: uint8,
            or floating point in [0, 1], of shape ``(height, width)``,
            ``(height, width, 1)``, ``(height, width, 3)`` or ``(height, width, 4)``.
        name: what to call it; by default the file's name.
        fit: "crop" or "letterbox".

    Raises:
        InputError: missing, empty, truncated, not a picture, too large, wrong shape.
    """
    if isinstance(source, np.ndarray):
        return ImageInput(_checked(source), name or "array", fit)
    if isinstance(source, Image.Image):
        return _from_picture(source, name or "picture", fit)
    content, found = _read(source)
    called = name or found
    pixels, notes = decode(content, called)
    origin = os.fspath(source) if isinstance(source, str | os.PathLike) else ""
    return ImageInput(pixels, called, fit, notes, origin)


def _read(source: str | os.PathLike[str] | bytes | IO[bytes]) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        return source, "image"
    if not isinstance(source, str | os.PathLike):
        return _read_open(source)
    path = Path(source)
    if not str(source):
        raise InputError(f"no file named; name one {FORMATS_TOLD} file")
    if str(source).startswith(("http:", "https:")):
        raise InputError(f"{source}: addresses are not fetched; download the picture and name it")
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder; name one {FORMATS_TOLD} file in it")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(f"{path.name} is over {MAX_FILE_BYTES // 2**20} MB, too large to read")
        return path.read_bytes(), path.name
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})") from None


def _read_open(source: IO[bytes]) -> tuple[bytes, str]:
    if not hasattr(source, "read"):
        raise InputError(
            "an image is a path, bytes, an open file, an array or a Pillow picture, "
            f"not {type(source).__name__}"
        )
    called = getattr(source, "name", None)
    name = Path(called).name if isinstance(called, str | os.PathLike) else "image"
    try:
        content = source.read()
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: cannot be read ({error})") from None
    if not isinstance(content, bytes):
        raise InputError(f"{name} was opened as text; open it as binary")
    return content, name


def _from_picture(picture: Image.Image, name: str, fit: Fit) -> ImageInput:
    pixels, notes = pixels_of(picture, name)
    return ImageInput(np.array(pixels), name, fit, notes)


def _checked(array: np.ndarray) -> np.ndarray:
    """Bring a user's array to uint8 grey or RGB, or say what is wrong with it."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    shaped = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if not shaped or 0 in array.shape:
        raise InputError(
            f"an image array has shape (height, width), or that with 3 or 4 channels last; "
            f"this one has {array.shape}"
        )
    if array.dtype.kind == "f":
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise InputError("a floating-point image has values in [0, 1]; this one goes beyond")
        array = np.rint(array * 255).astype(np.uint8)
    if array.dtype != np.uint8:
        raise InputError(f"an image array is uint8 or floating point; this one is {array.dtype}")
    if array.ndim == 3 and array.shape[2] == 4:
        alpha = array[:, :, 3:].astype(np.float64) / 255
        array = np.rint(array[:, :, :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return np.array(array)
