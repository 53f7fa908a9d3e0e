"""What a way of masking costs on a model: measured once, in plain forward passes."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
import torch

from engine.execution.chunks import default_chunk
from engine.models.loaded import LoadedModel

_SAMPLES = 4
_TIMES = 3
_LEAST_SECONDS = 0.2
_CELLS = 4

# Runs one masked pass on a prepared batch (1, …) under masks (n, 1, rows, columns).
Masked = Callable[[LoadedModel, torch.Tensor, torch.Tensor], torch.Tensor]


class Price:
    """How much longer masked passes take, model by model.

    Args:
        masked: one such pass.
    """

    def __init__(self, masked: Masked) -> None:
        self._masked = masked
        self._known: WeakKeyDictionary[LoadedModel, float] = WeakKeyDictionary()
        self._guard = Lock()

    def of(self, model: LoadedModel) -> float:
        """Return the ratio of times, found out when first asked for.

        Measured on noise with half of it hidden in random blocks, a sixteenth of the picture
        each; the best of three runs of each kind or more, by turns.
        """
        with self._guard:
            known = self._known.get(model)
        if known is None:
            known = self._measured(model)
            with self._guard:
                self._known[model] = known
        return known

    def _measured(self, model: LoadedModel) -> float:
        count = min(_SAMPLES, default_chunk(model))
        rows, columns = model.spec.shape[-2:]
        noise = torch.randn((1, *model.spec.shape), generator=torch.Generator().manual_seed(0))
        x = noise.to(model.device)
        keep = halves(count, rows, columns).to(model.device)
        batch = x.repeat(count, 1, 1, 1)
        plain: list[float] = []
        masked: list[float] = []
        with torch.no_grad(), model.lock:
            model.forward(batch)
            while len(plain) < _TIMES or sum(plain) + sum(masked) < _LEAST_SECONDS:
                plain.append(_seconds(model, lambda: model.forward(batch)))
                masked.append(_seconds(model, lambda: self._masked(model, x, keep)))
        return min(masked) / max(min(plain), 1e-9)


def halves(count: int, rows: int, columns: int) -> torch.Tensor:
    """Return masks that hide half of 4 × 4 blocks each, bool ``(count, 1, rows, columns)``."""
    draw = np.random.default_rng(0)
    cells = np.stack([draw.permutation(_CELLS**2) < _CELLS**2 // 2 for _ in range(count)])
    grid = torch.from_numpy(cells.reshape(count, _CELLS, _CELLS))
    down = torch.arange(rows) * _CELLS // rows
    across = torch.arange(columns) * _CELLS // columns
    return grid[:, down][:, :, across][:, None]


def _seconds(model: LoadedModel, work: Callable[[], torch.Tensor]) -> float:
    if model.device.type == "cuda":
        torch.cuda.synchronize(model.device)
    started = time.perf_counter()
    work()
    if model.device.type == "cuda":
        torch.cuda.synchronize(model.device)
    return time.perf_counter() - started
