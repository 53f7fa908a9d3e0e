"""Prepared inputs from a file: what a model sees that takes no pictures, as a NumPy array."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from pathlib import Path

import numpy as np

from engine.errors import InputError, one_line
from engine.manifest import digest_of

ARRAYS = ".npy"


@dataclass(frozen=True, eq=False)
class ArrayInput:
    """The very numbers that a model sees.

    Attributes:
        values: float32, of one sample, with or without a batch axis of 1.
        name: what to call it.
        origin: path of its file.
    """

    values: np.ndarray = field(repr=False)
    name: str
    origin: str = ""

    def __post_init__(self) -> None:
        self.values.setflags(write=False)

    @cached_property
    def digest(self) -> str:
        """Digest of the numbers and their shape (hex)."""
        told = f"array {self.values.dtype} {self.values.shape}".encode()
        return digest_of(told, np.ascontiguousarray(self.values).data)


def is_array_file(source: object) -> bool:
    """Whether a path names a NumPy file."""
    return isinstance(source, str | os.PathLike) and Path(source).suffix.lower() == ARRAYS


def load_array(source: str | os.PathLike[str]) -> ArrayInput:
    """Read one sample from a ``.npy`` file; it never runs code.

    Raises:
        InputError: no such file, damaged, of objects, or with values that are not finite.
    """
    path = Path(source)
    try:
        _check_header(path)
        values = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, MemoryError, RecursionError) as error:
        raise InputError(f"{path.name} is no NumPy array of numbers ({one_line(error)})") from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiub":
        raise InputError(f"{path.name} holds no numbers")
    numbers = values.astype(np.float32)
    if not np.isfinite(numbers).all():
        raise InputError(f"{path.name} holds values that are not finite")
    return ArrayInput(numbers, path.name, os.fspath(source))


def _check_header(path: Path) -> None:
    """Refuse a header that tells more numbers than the file has: memory is not asked for them.

    Raises:
        InputError: it tells more than there is.
        ValueError: it cannot be read.
    """
    with path.open("rb") as file:
        major, _ = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if major == 1 else _LATER
        shape, _, dtype = read(file)
        there = path.stat().st_size - file.tell()
    told = prod(shape) * dtype.itemsize
    if told > there and not dtype.hasobject:
        raise InputError(f"{path.name} is damaged: its header tells {told} bytes, it has {there}")


_LATER = np.lib.format.read_array_header_2_0  # version 3 differs in the names of fields alone
