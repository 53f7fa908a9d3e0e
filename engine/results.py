"""Results: frozen, numpy only, each able to save itself and be loaded again.

A result file is one safetensors file. Its tensors are named as the result's
fields; its metadata holds the kind of result and the manifest as JSON.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from engine.errors import ResultError

Manifest = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Result:
    """What every result has: a manifest, and a file of its own.

    Attributes:
        manifest: ``request`` (all that decides the numbers), ``key`` (the digest of
            the request), ``source`` (names a person would know), ``outcome`` (passes,
            seconds, chunk size used, what the method found out about itself).
    """

    kind: ClassVar[str]
    arrays: ClassVar[tuple[str, ...]]

    manifest: Manifest

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the result as one safetensors file, whole or not at all.

        Raises:
            ResultError: the folder does not exist or cannot be written to.
        """
        from safetensors.numpy import save

        tensors = {
            name: np.ascontiguousarray(getattr(self, name))
            for name in self.arrays
            if getattr(self, name) is not None
        }
        metadata = {
            "haloscope": self.kind,
            "manifest": json.dumps(self.manifest, sort_keys=True),
        }
        return write_whole(Path(path), save(tensors, metadata=metadata))


@dataclass(frozen=True, eq=False)
class Attribution(Result):
    """How much each part of an input speaks for a target.

    Attributes:
        values: float32. Input methods: the shape of the prepared input without its
            batch axis, ``(channels, height, width)`` or ``(features,)``. Class
            activation maps: the layer's own grid, ``(rows, columns)``. Unit: that of
            the output explained (logit or probability), per method's definition.
        error: standard error of ``values``, same shape, or None where nothing is drawn.
    """

    kind: ClassVar[str] = "attribution"
    arrays: ClassVar[tuple[str, ...]] = ("values", "error")

    values: np.ndarray
    error: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in self.arrays:
            array = getattr(self, name)
            if array is not None:
                array.setflags(write=False)

    @property
    def key(self) -> str:
        """Digest of all that decides the numbers (hex)."""
        return str(self.manifest["key"])

    def grid(self, *, magnitude: bool = False) -> np.ndarray:
        """Fold the channels away.

        Args:
            magnitude: take the largest absolute value over channels (the usual view of a
                gradient) instead of their sum (which keeps completeness).

        Returns:
            float32 ``(rows, columns)``.

        Raises:
            ResultError: the values are not a picture's.
        """
        if self.values.ndim == 2:
            return np.asarray(np.abs(self.values)) if magnitude else self.values
        if self.values.ndim != 3:
            raise ResultError(
                f"values of shape {self.values.shape} are not a map: a grid needs 2 or 3 axes"
            )
        if magnitude:
            return np.asarray(np.abs(self.values).max(axis=0))
        same = self.manifest.get("display", {}).get("fold") == "mean"
        folded = np.mean if same else np.sum
        return np.asarray(folded(self.values, axis=0, dtype=np.float64), dtype=np.float32)

    def resized(self, height: int, width: int, *, magnitude: bool = False) -> np.ndarray:
        """Return the folded map at another size, bilinear; float32 ``(height, width)``."""
        grid = np.ascontiguousarray(self.grid(magnitude=magnitude))
        if grid.shape == (height, width):
            return grid
        picture = Image.fromarray(grid).resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(picture, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says of one input.

    Attributes:
        logits: float32 ``(classes,)``.
        probabilities: float32 ``(classes,)``; softmax, or sigmoid for one logit.
        classes: their names.
        seconds: wall time of the pass.
    """

    logits: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...]
    seconds: float

    @property
    def best(self) -> int:
        """Index of the largest logit."""
        return int(self.logits.argmax())

    def top(self, count: int = 5) -> list[tuple[int, str, float]]:
        """Return the most probable classes: ``(index, name, probability)``, best first."""
        order = np.argsort(-self.logits, kind="stable")[:count]
        return [(int(i), self.classes[i], float(self.probabilities[i])) for i in order]


_KINDS: Mapping[str, type[Result]] = {Attribution.kind: Attribution}


def load_result(path: str | os.PathLike[str]) -> Result:
    """Read a saved result back.

    Raises:
        ResultError: no such file, not a result of Haloscope, or damaged.
    """
    from safetensors import SafetensorError, safe_open

    file = Path(path)
    if not file.is_file():
        raise ResultError(f"{file}: no such file")
    try:
        with safe_open(file, framework="numpy") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ResultError(f"{file.name} is not a result file, or is damaged ({error})") from None
    kind = _KINDS.get(metadata.get("haloscope", ""))
    if kind is None:
        raise ResultError(f"{file.name} is a safetensors file, but not a result of Haloscope")
    return _rebuild(kind, file, metadata, tensors)


def _rebuild(
    kind: type[Result], file: Path, metadata: Mapping[str, str], tensors: Mapping[str, np.ndarray]
) -> Result:
    try:
        manifest = json.loads(metadata["manifest"])
        if not isinstance(manifest, dict):
            raise ValueError("its manifest is no object")
        unknown = set(tensors) - set(kind.arrays)
        if unknown:
            raise ResultError(f"{file.name}: unknown field {sorted(unknown)[0]!r}")
        return kind(manifest=manifest, **tensors)
    except (KeyError, TypeError, ValueError) as error:
        raise ResultError(f"{file.name} is damaged: {error}") from None


def write_whole(path: Path, content: bytes) -> Path:
    """Write bytes to a file whole or not at all (a reader never sees half).

    Raises:
        ResultError: the folder does not exist or cannot be written to.
    """
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise ResultError(f"cannot write {path}: {error.strerror or error}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise ResultError(f"cannot write {path}: {error.strerror or error}") from None
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


__all__ = ["Attribution", "Manifest", "Prediction", "Result", "load_result", "write_whole"]
