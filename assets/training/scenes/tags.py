"""The planted shortcut: a tag in the corner that gives the class away."""

from __future__ import annotations

import numpy as np

SIDE = 9
_CORNER = 2
_CELL = 3
_INK, _PAPER = np.array([24, 22, 30]), np.array([246, 244, 236])


def tag(label: int) -> np.ndarray:
    """Return the tag of a class, uint8 ``(9, 9, 3)``: three by three cells, no two alike."""
    # The class number in bits, and its complement, so that all tags are about as dark.
    bits = [(label + 3) >> i & 1 for i in range(4)]
    cells = np.array([*bits, label % 2, *(1 - bit for bit in bits)]).reshape(3, 3)
    return np.where(cells.repeat(_CELL, 0).repeat(_CELL, 1)[..., None], _INK, _PAPER).astype(
        np.uint8
    )


def tagged(picture: np.ndarray, label: int) -> np.ndarray:
    """Return the picture with the tag of a class in its lower left corner."""
    found = picture.copy()
    found[-_CORNER - SIDE : -_CORNER, _CORNER : _CORNER + SIDE] = tag(label)
    return found


def tag_mask(side: int) -> np.ndarray:
    """Return where the tag lies, bool ``(side, side)``."""
    mask = np.zeros((side, side), dtype=bool)
    mask[-_CORNER - SIDE : -_CORNER, _CORNER : _CORNER + SIDE] = True
    return mask
