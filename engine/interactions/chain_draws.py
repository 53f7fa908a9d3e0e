"""Chains of layers whose inputs change places: the loop that everything else waits for.

Before its first activation a chain adds its inputs up. Of f(m ⊙ x) with the inputs J permuted by π
that is W_rest (m ⊙ x)_rest + b, the same for all permutations of a model, and W_J (m ⊙ x[π])_J, a
product over one feature or two. Samples lie along the memory, as in ``columns_first``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from engine.interactions.columns_first import ColumnsFirst
from engine.models.loaded import LoadedModel
from engine.models.outputs import Activation


class ChainDraws:
    """Losses of a chain with some inputs permuted, for masked models.

    Args:
        model: with its axes turned.
        x: prepared samples, ``(inputs, n)``.
        truth: ``(n,)``.
        spread: one m for each input, ``(inputs, models)``.
        moved: which inputs change places.
        bank: permutations, ``(repeats, n)``.
    """

    def __init__(
        self,
        model: LoadedModel,
        x: torch.Tensor,
        truth: np.ndarray,
        spread: torch.Tensor,
        moved: np.ndarray,
        bank: np.ndarray,
    ) -> None:
        layers: Any = model.module.layers
        first, *rest = layers
        where = torch.from_numpy(moved).to(x.device)
        kept = torch.ones(len(x), dtype=torch.bool, device=x.device)
        kept[where] = False
        self._first, self._rest = first, ColumnsFirst(rest)
        self._weights = first.weight[:, kept], first.weight[:, where]
        self._m = spread[kept], spread[where]
        self._still = x[kept]
        self._shuffled = x[where][:, torch.from_numpy(bank).to(x.device)]  # (moved, repeats, n)
        self._truth = _as_tensor(truth, model.activation, x)
        self._activation = model.activation
        self._last: tuple[slice, torch.Tensor] | None = None

    def losses(self, start: int, stop: int) -> np.ndarray:
        """Return mean losses of jobs ``[start, stop)``, float64; model by model, draw by draw.

        They are infinite where the network returns what is not finite.
        """
        repeats = self._shuffled.shape[1]
        with torch.inference_mode():
            parts = [self._part(*part).flatten() for part in rectangles(start, stop, repeats)]
            return torch.cat(parts).cpu().double().numpy()

    def _part(self, models: slice, draws: slice) -> torch.Tensor:
        """Return the mean losses of some models under some permutations, ``(models, draws)``."""
        shuffled = self._shuffled[:, None, draws] * self._m[1][:, models, None, None]
        moved, count, some, samples = shuffled.shape  # (moved, models, draws, n)
        still = self._kept(models)  # (units, models, n)
        hidden = still[:, :, None].repeat(1, 1, some, 1).view(len(still), -1)
        hidden.addmm_(self._weights[1], shuffled.view(moved, -1))
        logits = self._rest(hidden.t()).t().view(-1, count, some, samples)
        means = _means(logits, self._truth, self._activation)
        low, high = logits.aminmax()
        if (high - low).isfinite():
            return means
        finite = logits.isfinite().all(dim=-1).all(dim=0)
        return torch.where(finite, means, torch.inf)

    def _kept(self, models: slice) -> torch.Tensor:
        """Return what ``_before_any_draw`` does; of a model that is asked in parts only once."""
        last = self._last  # several threads may be at work
        if last is None or last[0] != models:
            self._last = last = models, self._before_any_draw(models)
        return last[1]

    def _before_any_draw(self, models: slice) -> torch.Tensor:
        """Return what the first layer makes of the inputs that stay, ``(units, models, n)``."""
        inputs = self._still[:, None] * self._m[0][:, models, None]  # (inputs that stay, models, n)
        hidden = self._weights[0] @ inputs.flatten(1)
        if self._first.bias is not None:
            hidden += self._first.bias[:, None]
        return hidden.view(len(hidden), *inputs.shape[1:])


def rectangles(start: int, stop: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Cut places ``[start, stop)`` of a table of so many columns, read row by row, into blocks.

    Yields:
        Rows and columns of at most three blocks, in order.
    """
    while start < stop:
        row, column = divmod(start, width)
        whole = (stop - start) // width
        if column or not whole:
            end = min(width, column + stop - start)
            yield slice(row, row + 1), slice(column, end)
            start += end - column
        else:
            yield slice(row, row + whole), slice(0, width)
            start += whole * width


def is_drawable(model: LoadedModel) -> bool:
    """Whether a model is a chain with its axes turned whose first layer is linear.

    Means of squares need double precision, which not every device has.
    """
    if model.device.type == "mps" and model.activation == "identity":
        return False
    return isinstance(model.module, ColumnsFirst) and isinstance(model.module.layers[0], nn.Linear)


def _as_tensor(truth: np.ndarray, activation: Activation, x: torch.Tensor) -> torch.Tensor:
    if activation == "identity":
        return torch.from_numpy(np.array(truth, np.float64)).to(x.device)
    if activation == "softmax":
        return torch.from_numpy(np.array(truth, np.int64)).to(x.device)
    return torch.from_numpy(1.0 - 2.0 * truth).to(x)  # +1 where the truth is the negative outcome


def _means(logits: torch.Tensor, truth: torch.Tensor, activation: Activation) -> torch.Tensor:
    """Return the mean losses that ``losses_of`` has, of ``(classes, models, draws, n)``."""
    if activation == "identity":
        return (logits[0].double() - truth).square().mean(dim=-1)
    if activation == "sigmoid":
        return F.softplus(logits[0] * truth).mean(dim=-1)
    own = logits.gather(0, truth.expand(1, *logits.shape[1:]))[0]
    return (logits.logsumexp(dim=0) - own).mean(dim=-1)


__all__ = ["ChainDraws", "is_drawable", "rectangles"]
