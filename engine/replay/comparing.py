"""How far a result that was computed again is from the one that was saved."""

from __future__ import annotations

from math import inf, isfinite
from typing import Any, Literal

import numpy as np

from engine.results import Manifest, Result

Verdict = Literal["equal to the bit", "within tolerance", "different"]

# Root of the summed squared differences over that of the saved values; our definition. Other
# kernels (one thread instead of two, oneDNN off, another device) round differently, which
# flips the sign of a few rectified units: single values of a gradient move by 1 % of the
# peak, the whole map by up to 0.3 % in what we measured. A changed weight, input or seed
# changes it by far more.
TOLERANCE = 0.01


def differences(saved: Result, computed: Result) -> tuple[float, float]:
    """Return the relative and the largest absolute difference, each of the array worst off.

    Standard errors are left out: they are smaller, and follow from the same draws.
    """
    each = [_apart(getattr(saved, name), getattr(computed, name)) for name in compared(saved)]
    return max(relative for relative, _ in each), max(largest for _, largest in each)


def compared(result: Result) -> list[str]:
    """Return the names of a result's arrays but for standard errors."""
    return [name for name in result.arrays if name != "error" and not name.endswith("_error")]


def _apart(saved: np.ndarray | None, computed: np.ndarray | None) -> tuple[float, float]:
    if saved is None or computed is None:
        return (0.0, 0.0) if saved is computed else (inf, inf)
    if saved.shape != computed.shape:
        return inf, inf
    then, now = saved.astype(np.float64), computed.astype(np.float64)
    with np.errstate(invalid="ignore"):
        same = (then == now) | (np.isnan(then) & np.isnan(now))
        apart = np.where(same, 0.0, now - then)
    norm = float(np.linalg.norm(apart))
    size = float(np.linalg.norm(np.where(np.isnan(then), 0.0, then)))
    if norm == 0:
        return 0.0, 0.0
    relative = norm / size if size > 0 else inf
    largest = float(np.abs(apart).max())
    return (relative, largest) if isfinite(norm) and isfinite(size) else (inf, largest)


def verdict(saved: Result, computed: Result, difference: float) -> Verdict:
    """Say how a result compares, ``difference`` being the relative one."""
    if all(_bits(getattr(saved, name)) == _bits(getattr(computed, name)) for name in saved.arrays):
        return "equal to the bit"
    return "within tolerance" if difference <= TOLERANCE else "different"


def _bits(array: np.ndarray | None) -> tuple[Any, ...] | None:
    return None if array is None else (array.dtype, array.shape, array.tobytes())


def environment_apart(then: Manifest, now: Manifest) -> dict[str, tuple[str, str]]:
    """Return what differs in where two results were computed: ``name: (then, now)``."""
    before, after = _told(then), _told(now)
    return {
        name: (before.get(name, "not told"), after.get(name, "not told"))
        for name in {**after, **before}
        if before.get(name) != after.get(name)
    }


def _told(manifest: Manifest) -> dict[str, str]:
    """Return what of a manifest says where it was computed, by the names people use."""
    request, outcome = manifest["request"], manifest.get("outcome", {})
    told = {
        **request.get("versions", {}),
        "device": request.get("device"),
        "chunk": outcome.get("chunk", request.get("chunk")),
        **{
            "device name" if name == "device" else name: value
            for name, value in outcome.get("environment", {}).items()
        },
    }
    return {name: str(value) for name, value in told.items()}
