"""``corrupt``: a picture as it is with one corruption at one severity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.errors import InputError, ParameterError, nearest
from engine.manifest import digest_of
from engine.parameters import check_seed
from engine.pruning.corruptions import blur, digital, noise, weather
from engine.pruning.corruptions.severities import SEVERITIES, published_size

LEVELS = 5
PAPER = "hendrycks2019benchmarking"


@dataclass(frozen=True)
class Corruption:
    """One corruption.

    Attributes:
        name: as the paper's files are called ("gaussian_noise").
        title: what a person would call it.
        family: "noise", "blur", "weather" or "digital".
        standard: whether it is one of the fifteen that count; the other four are extra.
        caveat: where a higher severity is not simply more of the same, or "".
    """

    name: str
    title: str
    family: str
    standard: bool = True
    caveat: str = ""


_OTHER_KINDS = (
    "Its published severities differ in kind, not only in strength: a higher one need not change "
    "the pixels more."
)
_ALL = (
    Corruption("gaussian_noise", "Gaussian noise", "noise"),
    Corruption("shot_noise", "Shot noise", "noise"),
    Corruption("impulse_noise", "Impulse noise", "noise"),
    Corruption("defocus_blur", "Defocus blur", "blur"),
    Corruption("glass_blur", "Glass blur", "blur", caveat=_OTHER_KINDS),
    Corruption("motion_blur", "Motion blur", "blur"),
    Corruption("zoom_blur", "Zoom blur", "blur"),
    Corruption("snow", "Snow", "weather"),
    Corruption("frost", "Frost", "weather", caveat=_OTHER_KINDS),
    Corruption("fog", "Fog", "weather"),
    Corruption("brightness", "Brightness", "digital"),
    Corruption("contrast", "Contrast", "digital"),
    Corruption("elastic_transform", "Elastic", "digital", caveat=_OTHER_KINDS),
    Corruption("pixelate", "Pixelate", "digital"),
    Corruption("jpeg_compression", "JPEG", "digital"),
    Corruption("speckle_noise", "Speckle noise", "noise", standard=False),
    Corruption("gaussian_blur", "Gaussian blur", "blur", standard=False),
    Corruption("spatter", "Spatter", "weather", standard=False, caveat=_OTHER_KINDS),
    Corruption("saturate", "Saturate", "digital", standard=False, caveat=_OTHER_KINDS),
)
_ROOMS = {"noise": noise, "blur": blur, "weather": weather, "digital": digital}


def corruptions(*, extra: bool = True) -> dict[str, Corruption]:
    """Return all corruptions by name, in the paper's order; without the extra four if asked."""
    return {found.name: found for found in _ALL if found.standard or extra}


def corrupt(images: np.ndarray, name: str, severity: int, seed: int = 0) -> np.ndarray:
    """Corrupt a picture, or several.

    What is drawn depends on the seed, the corruption and the picture's own pixels: a picture is
    corrupted alike in whatever set or batch it stands, and its severities share their draws.

    Args:
        images: uint8 ``(h, w)``, ``(h, w, c)`` or ``(n, h, w, c)``, with 1 or 3 channels, of the
            size that the network sees: it decides which published parameters are used.
        name: of the corruption.
        severity: 1 to 5.
        seed: of what is drawn.

    Returns:
        uint8 of the same shape.

    Raises:
        InputError: no uint8 pictures of such a shape.
        ParameterError: an unknown corruption, or a severity out of range.
    """
    check_corruption(name, severity)
    check_seed(seed)
    given = np.asarray(images)
    if given.dtype != np.uint8 or 0 in given.shape:
        raise InputError(f"pictures to corrupt are uint8; these are {given.dtype} {given.shape}")
    if given.ndim == 2:
        return _corrupted(given[..., None], name, severity, seed)[..., 0]
    if given.ndim not in (3, 4) or given.shape[-1] not in (1, 3):
        raise InputError(
            f"pictures have shape (h, w), (h, w, c) or (n, h, w, c) with 1 or 3 channels; "
            f"these have {given.shape}"
        )
    if given.ndim == 3:
        return _corrupted(given, name, severity, seed)
    return np.stack([_corrupted(one, name, severity, seed) for one in given])


def check_corruption(name: str, severity: int) -> None:
    """Raise ``ParameterError`` if there is no such corruption or severity."""
    if name not in corruptions():
        raise ParameterError(f"no corruption {name!r}; {nearest(str(name), corruptions())}")
    if isinstance(severity, bool) or severity not in range(1, LEVELS + 1):
        raise ParameterError(f"severity={severity!r}: expected a whole number from 1 to {LEVELS}")


def _corrupted(pixels: np.ndarray, name: str, severity: int, seed: int) -> np.ndarray:
    strength = SEVERITIES[name][published_size(*pixels.shape[:2])][severity - 1]
    number = next(i for i, found in enumerate(_ALL) if found.name == name)
    room = _ROOMS[_ALL[number].family]
    work: Callable[..., np.ndarray] = getattr(room, name)
    content = int(digest_of(np.ascontiguousarray(pixels).data)[:16], 16)
    rng = np.random.default_rng([seed % 2**64, content, number])
    changed = work(pixels.astype(np.float32) / 255, strength, rng)
    return np.rint(changed.clip(0, 1) * 255).astype(np.uint8)
