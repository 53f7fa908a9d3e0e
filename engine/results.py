"""Results: frozen, numpy only, each able to save itself and be loaded again.

A result file is one safetensors file. Its tensors are named as the result's
fields; its metadata holds the kind of result, the manifest as JSON, and a checksum of all
that, so that a file with a single wrong bit is not taken for a result.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from engine.errors import ResultError, one_line

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

    def __post_init__(self) -> None:
        for name in self.arrays:
            array = getattr(self, name)
            if array is not None:
                array.setflags(write=False)

    @property
    def key(self) -> str:
        """Digest of all that decides the numbers (hex)."""
        return str(self.manifest["key"])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the result as one safetensors file, whole or not at all.

        Raises:
            ResultError: the folder does not exist or cannot be written to.
        """
        return write_whole(Path(path), self.encoded())

    def encoded(self) -> bytes:
        """Return the content of the result's file."""
        from safetensors.numpy import save

        kept = {name: self.stored(name) for name in self.arrays}
        tensors = {
            name: np.ascontiguousarray(array) for name, array in kept.items() if array is not None
        }
        metadata = {
            "haloscope": self.kind,
            "manifest": json.dumps(self.manifest, sort_keys=True),
        }
        metadata["checksum"] = _checksum(metadata, tensors)
        return save(tensors, metadata=metadata)

    def stored(self, name: str) -> np.ndarray | None:
        """Return an array as it stands in the file; None: it is left out."""
        array: np.ndarray | None = getattr(self, name)
        return array


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


# Where each kind of result is at home; read when a file of that kind is opened.
_KINDS = {
    "attribution": "engine.results:Attribution",
    "scores": "engine.scores:Scores",
    "head-scores": "engine.head_results:HeadScores",
    "pruning-curve": "engine.head_results:PruningCurve",
    "head-strength": "engine.head_results:HeadStrength",
    "partial-pruning": "engine.head_results:PartialPruning",
    "head-patterns": "engine.head_results:HeadPatterns",
    "interactions": "engine.interaction_results:Interactions",
    "interaction-pair": "engine.interaction_results:PairCloud",
    "interaction-comparison": "engine.interaction_results:PairComparison",
    "interaction-ball": "engine.interaction_results:Ball",
    "prune-sweep": "engine.prune_results:PruneSweep",
    "prune-cell": "engine.prune_results:PruneCell",
    "prune-geometry": "engine.prune_results:Geometry",
    "mask-preview": "engine.mask_results:MaskPreview",
    "mask-sweep": "engine.mask_results:MaskSweep",
    "missingness-study": "engine.mask_results:MissingnessStudy",
    "shape-leak": "engine.mask_results:ShapeLeak",
    "linearity": "engine.mask_results:Linearity",
    "lime-by-fill": "engine.mask_results:LimeByFill",
    "column-scores": "engine.table_results:ColumnScores",
    "effects": "engine.table_results:Effects",
    "swarm": "engine.table_results:Swarm",
    "groups": "engine.table_results:Groups",
    "agreement": "engine.table_results:Agreement",
    "surrogate": "engine.table_results:Surrogate",
}


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
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        told = one_line(error)
        raise ResultError(f"{file.name} is not a result file, or is damaged ({told})") from None
    home = _KINDS.get(metadata.get("haloscope", ""))
    if home is None:
        raise ResultError(f"{file.name} is a safetensors file, but not a result of Haloscope")
    module, name = home.split(":")
    return _rebuild(getattr(import_module(module), name), file, metadata, tensors)


def _rebuild(
    kind: type[Result], file: Path, metadata: Mapping[str, str], tensors: Mapping[str, np.ndarray]
) -> Result:
    if metadata.get("checksum", "") not in ("", _checksum(metadata, tensors)):
        raise ResultError(f"{file.name} is damaged: its checksum does not match its content")
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


def _checksum(metadata: Mapping[str, str], tensors: Mapping[str, np.ndarray]) -> str:
    """Return the sha256 (hex) of what a result file says: its kind, manifest and tensors."""
    told = [metadata.get("haloscope"), metadata.get("manifest")]
    told += [f"{name} {array.dtype} {array.shape}" for name, array in sorted(tensors.items())]
    hasher = hashlib.sha256(json.dumps(told).encode())
    for _, array in sorted(tensors.items()):
        hasher.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return hasher.hexdigest()


def write_whole(path: Path, content: bytes) -> Path:
    """Write bytes to a file whole or not at all (a reader never sees half).

    On return they are on the disk, not only in the system's memory: they outlive a killed
    process and a power cut.

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
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise ResultError(f"cannot write {path}: {error.strerror or error}") from None
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return path


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can (Windows does it itself)."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


__all__ = [
    "Attribution",
    "Manifest",
    "Prediction",
    "Result",
    "load_result",
    "sync_folder",
    "write_whole",
]
