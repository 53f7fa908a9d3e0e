"""A mask that is being drawn: strokes, undo, and its way into a link. No Streamlit here."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from components.mask_picture import enlarged
from engine.errors import ParameterError

_STEPS = 100  # that can be undone
# Characters of a link that a drawing may take; browsers and mails cut longer ones.
LONGEST = 3000
_MOST_PIXELS = 2048**2
_HAIR = 1e-6  # of a cell


@dataclass(frozen=True, eq=False)
class Drawing:
    """What is hidden by hand, pixel by pixel of what the network sees.

    Attributes:
        keep: bool ``(height, width)``, True = stays.
        past: the masks before, the last one last.
    """

    keep: np.ndarray
    past: tuple[np.ndarray, ...] = ()

    @staticmethod
    def blank(size: tuple[int, int]) -> Drawing:
        """Return a drawing that hides nothing of so many rows and columns of pixels."""
        return Drawing(np.ones(size, dtype=bool))

    def drawn(self, where: np.ndarray, *, hide: bool) -> Drawing:
        """Return the same with a region hidden, or shown again; bool ``(height, width)``."""
        return self.changed(self.keep & ~where if hide else self.keep | where)

    def toggled(self, where: np.ndarray) -> Drawing:
        """Return the same with a region hidden, or shown if all of it was hidden."""
        return self.drawn(where, hide=bool(self.keep[where].any()))

    def changed(self, keep: np.ndarray) -> Drawing:
        """Return another mask that can be undone; the same drawing if nothing changes."""
        if np.array_equal(keep, self.keep):
            return self
        return Drawing(np.asarray(keep, dtype=bool), (*self.past, self.keep)[-_STEPS:])

    def undone(self) -> Drawing:
        """Return the drawing without its last change."""
        return Drawing(self.past[-1], self.past[:-1]) if self.past else self

    def fitted(self, size: tuple[int, int]) -> Drawing:
        """Return the same for a network that sees so many rows and columns of pixels."""
        if self.keep.shape == size:
            return self
        return Drawing(enlarged(self.keep, (size[1], size[0])))

    def as_text(self) -> str:
        """Write the mask for a link: "64x64." and the packed bits.

        >>> Drawing.from_text(Drawing.blank((4, 4)).as_text()).keep.all()
        np.True_
        """
        packed = zlib.compress(np.packbits(self.keep).tobytes(), 9)
        rows, columns = self.keep.shape
        return f"{rows}x{columns}.{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"

    @staticmethod
    def from_text(text: str) -> Drawing | None:
        """Read what ``as_text`` wrote; None where it is something else."""
        try:
            size, _, packed = text.partition(".")
            rows, columns = (int(side) for side in size.split("x"))
            if not 0 < rows * columns <= _MOST_PIXELS or min(rows, columns) < 1:
                return None
            unpacker = zlib.decompressobj()
            wanted = -(-rows * columns // 8)
            packed_bytes = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
            bits = unpacker.decompress(packed_bytes, wanted + 1)
        except (ValueError, binascii.Error, zlib.error):
            return None
        if len(bits) != wanted:
            return None
        flat = np.unpackbits(np.frombuffer(bits, np.uint8), count=rows * columns)
        return Drawing(flat.reshape(rows, columns).astype(bool))


def in_box(grid: tuple[int, int], x: Sequence[float], y: Sequence[float]) -> np.ndarray:
    """Return the cells whose middle lies in a box, bool ``grid``; corners in cells from 0.

    >>> in_box((2, 3), (0.6, 2.4), (-0.5, 0.4)).astype(int).tolist()
    [[0, 1, 1], [0, 0, 0]]
    """
    rows, columns = np.arange(grid[0]), np.arange(grid[1])
    down = (rows >= min(y)) & (rows <= max(y))
    across = (columns >= min(x)) & (columns <= max(x))
    return np.asarray(down[:, None] & across)


def in_lasso(grid: tuple[int, int], x: Sequence[float], y: Sequence[float]) -> np.ndarray:
    """Return the cells whose middle lies in a closed line, bool ``grid``; even-odd."""
    inside = np.zeros(grid, dtype=bool)
    row, column = np.indices(grid)
    corners = np.stack([np.asarray(x, float), np.asarray(y, float)], axis=1)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crosses = (row >= min(y0, y1)) & (row < max(y0, y1))
        inside ^= crosses & (column < x0 + (row - y0) * (x1 - x0) / (y1 - y0))
    return inside


def in_corners(grid: tuple[int, int], x: Sequence[float], y: Sequence[float]) -> np.ndarray:
    """The same as ``in_lasso`` with the cells whose middle lies on the line.

    >>> in_corners((3, 4), (0, 2, 2, 0), (0, 0, 1, 1)).astype(int).tolist()
    [[1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]]
    """
    shifts = [(down, across) for down in (-_HAIR, _HAIR) for across in (-_HAIR, _HAIR)]
    found = [
        in_lasso(grid, [place + across for place in x], [place + down for place in y])
        for down, across in shifts
    ]
    return np.any(found, axis=0)


def corners_of(text: str, grid: tuple[int, int]) -> tuple[list[float], list[float]]:
    """Read the corners of a lasso, "row column" each, counted from 1, parted by commas.

    Returns:
        Columns and rows, counted from 0.

    Raises:
        ParameterError: fewer than three corners, or one that is no place of the grid.

    >>> corners_of("1 1, 1 4, 3 2.5", (4, 4))
    ([0.0, 3.0, 1.5], [0.0, 0.0, 2.0])
    """
    x: list[float] = []
    y: list[float] = []
    for corner in filter(None, (part.strip() for part in text.replace(";", ",").split(","))):
        try:
            row, column = (float(number) for number in corner.split())
        except ValueError:
            raise ParameterError(
                f"the corner {corner!r} is not a row and a column, such as 3 5"
            ) from None
        if not (1 <= row <= grid[0] and 1 <= column <= grid[1]):
            raise ParameterError(
                f"the corner {corner!r} is out of range: {grid[0]} rows, {grid[1]} columns"
            )
        x.append(column - 1)
        y.append(row - 1)
    if len(x) < 3:
        raise ParameterError("a lasso has three corners or more, such as 1 1, 1 8, 8 4")
    return x, y


def on_pixels(cells: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bring cells to rows and columns of pixels."""
    return enlarged(cells, (size[1], size[0]))
