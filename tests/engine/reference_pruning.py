"""Criteria and repairs of ``zoo.TinyCnn`` in float64 numpy, sharing no code with the engine.

Its units are the channels of ``conv1``, read by ``conv2``, and those of ``conv2``, read by
``linear`` after pooling.
"""

from __future__ import annotations

import numpy as np
from torch import nn

from tests.engine.reference import batch_norm, convolution, weight

Gates = dict[str, np.ndarray]
READER = {"conv1": "conv2", "conv2": "linear"}
NORM = {"conv1": "bn1", "conv2": "bn2"}


def passed(
    module: nn.Module, x: np.ndarray, gates: Gates | None = None
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Logits of one picture, and what each group's reader is given, ``(channels, places)``."""
    given = {}
    for index, stride in ((1, 1), (2, 2)):
        kernels, bias = weight(module, f"conv{index}.weight"), weight(module, f"conv{index}.bias")
        x = convolution(x, kernels, bias, stride, padding=1)
        x = np.maximum(batch_norm(x, module, f"bn{index}"), 0)
        name = f"conv{index}"
        if index == 2:
            x = x.mean(axis=(1, 2))
        if gates and name in gates:
            x = x * gates[name].reshape(-1, *[1] * (x.ndim - 1))
        given[name] = x.reshape(len(x), -1)
    return weight(module, "linear.weight") @ x + weight(module, "linear.bias"), given


def loss(logits: np.ndarray, label: int) -> float:
    return float(np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[label])


def slopes(
    module: nn.Module, pictures: np.ndarray, labels: list[int], name: str, size: int
) -> np.ndarray:
    """∂ loss / ∂ gate at 1, which is Σ A·G; by central differences, ``(n, size)``."""
    step, found = 1e-5, np.zeros((len(pictures), size))
    for row, (x, label) in enumerate(zip(pictures, labels, strict=True)):
        for unit in range(size):
            ends = []
            for sign in (1, -1):
                gate = np.ones(size)
                gate[unit] += sign * step
                ends.append(loss(passed(module, x, {name: gate})[0], label))
            found[row, unit] = (ends[0] - ends[1]) / (2 * step)
    return found


def scores(
    module: nn.Module, pictures: np.ndarray, labels: list[int], name: str
) -> dict[str, np.ndarray]:
    """Every criterion but the random one, ``(size,)``."""
    own, norm = weight(module, f"{name}.weight"), weight(module, f"{NORM[name]}.weight")
    reads = weight(module, f"{READER[name]}.weight")
    size = len(own)
    rows = own.reshape(size, -1)
    column = np.array([np.square(reads[:, unit]).sum() for unit in range(size)])
    given = [passed(module, x)[1][name] for x in pictures]
    everywhere = np.concatenate(given, axis=1)
    energy = sum(np.square(one).sum(axis=1) for one in given) / len(given)
    steep = slopes(module, pictures, labels, name, size)
    taylor = np.abs(steep).mean(axis=0)
    return {
        "group-l2": np.square(rows).sum(axis=1) + column + norm**2,
        "filter-l1": np.abs(rows).sum(axis=1),
        "bn-scale": np.abs(norm),
        "fpgm": np.array([sum(np.linalg.norm(a - b) for b in rows) for a in rows]),
        "taylor": taylor,
        "taylor-scaled": taylor / np.sqrt(np.square(taylor).sum()),
        "fisher": np.square(steep).mean(axis=0) / 2,
        "wanda-sp": np.sqrt(energy) * np.sqrt(column),
        "wifv": everywhere.var(axis=1) * column,
    }


def recalibrated(
    module: nn.Module, pictures: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Mean and variance of what each batch norm is given, after those before it had theirs."""
    found, maps = {}, list(pictures)
    for index, stride in ((1, 1), (2, 2)):
        kernels, bias = weight(module, f"conv{index}.weight"), weight(module, f"conv{index}.bias")
        maps = [convolution(x, kernels, bias, stride, padding=1) for x in maps]
        flat = np.concatenate([x.reshape(len(x), -1) for x in maps], axis=1)
        mean, variance = flat.mean(axis=1), flat.var(axis=1)
        found[f"bn{index}"] = (mean, variance)
        scale = weight(module, f"bn{index}.weight") / np.sqrt(variance + 1e-5)
        shift = weight(module, f"bn{index}.bias") - mean * scale
        maps = [np.maximum(x * scale[:, None, None] + shift[:, None, None], 0) for x in maps]
    return found
