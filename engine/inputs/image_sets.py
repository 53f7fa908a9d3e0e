"""Image sets: a folder of class folders, or a CSV with path, label and mask; read as needed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from engine.errors import InputError
from engine.inputs.images import ImageInput, Truth, load_image
from engine.inputs.listing import Entry, Skipped, list_csv, list_folder

_THRESHOLD = 128


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Pictures with labels and, where there are any, masks; opened one at a time.

    Attributes:
        name: how the user knows it.
        entries: what it holds, in the order of the folder or of the CSV.
        skipped: what was left out, and why.
        prefix: before each picture's name where it can be found again ("sample:scenes/"), or "".
        origin: where the set can be found again: its path as it was given, or "sample:scenes".
    """

    name: str
    entries: tuple[Entry, ...]
    skipped: tuple[Skipped, ...] = ()
    prefix: str = ""
    origin: str = ""
    _by_name: dict[str, int] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> ImageInput:
        """Open one picture, with label and mask.

        Raises:
            InputError: it cannot be read, or its mask has another size.
        """
        entry = self.entries[index]
        picture = load_image(entry.path, name=entry.title or entry.name)
        origin = f"{self.prefix}{entry.name}" if self.prefix else picture.origin
        mask = None if entry.mask is None else _read_mask(entry.mask, picture)
        return replace(picture, origin=origin, truth=Truth(entry.label, mask))

    def __iter__(self) -> Iterator[ImageInput]:
        return (self[index] for index in range(len(self)))

    @property
    def labels(self) -> tuple[str | None, ...]:
        """The label of each picture."""
        return tuple(entry.label for entry in self.entries)

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels there are, in alphabetical order."""
        return tuple(sorted({label for label in self.labels if label is not None}))

    @cached_property
    def digest(self) -> str:
        """Digest of all files, labels and masks in their order (sha256, hex); reads every file."""
        hasher = hashlib.sha256()
        for entry in self.entries:
            for part in (entry.path, entry.mask):
                hasher.update(_file_digest(part) if part is not None else b"-")
            hasher.update(repr(entry.label).encode())
        return hasher.hexdigest()

    def find(self, name: str) -> int | None:
        """Return the index of a picture by its name, or None."""
        if not self._by_name:
            self._by_name.update({entry.name: i for i, entry in enumerate(self.entries)})
        return self._by_name.get(name)

    def part(self, indices: Sequence[int]) -> ImageSet:
        """Return some of the pictures as a set of their own."""
        chosen = tuple(self.entries[index] for index in indices)
        return ImageSet(self.name, chosen, self.skipped, self.prefix)


def load_images(source: str | os.PathLike[str], *, name: str | None = None) -> ImageSet:
    """Find the pictures of a set without opening them.

    Args:
        source: a folder that holds one folder for each class (or pictures without labels),
            or a CSV file with a column ``path`` (from the CSV's own folder) and, where there
            are any, ``label`` and ``mask`` (a grey picture of the same size, white where it
            matters).
        name: what to call it; by default the folder's or file's name.

    Returns:
        The set. Files that are missing or no pictures are left out and listed in ``skipped``.

    Raises:
        InputError: no such folder or file, no column ``path``, or not one picture in it.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        entries, skipped = list_folder(path)
    elif path.is_file():
        entries, skipped = list_csv(path)
    else:
        raise InputError(f"{path}: no such folder or CSV file")
    if not entries:
        first = f"; the first: {skipped[0].name}, {skipped[0].reason}" if skipped else ""
        raise InputError(f"{path} holds no picture that can be read{first}")
    return ImageSet(name or path.name, tuple(entries), tuple(skipped), origin=os.fspath(source))


def _read_mask(path: Path, picture: ImageInput) -> np.ndarray:
    mask = load_image(path)
    if mask.size != picture.size:
        told = " × ".join(map(str, mask.size)), " × ".join(map(str, picture.size))
        raise InputError(f"{picture.name}: its mask is {told[0]} pixels, the picture {told[1]}")
    grey = np.asarray(mask.picture.convert("L"))
    return grey >= _THRESHOLD


def _file_digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return b"unreadable"
