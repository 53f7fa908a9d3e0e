"""Interactions of a model by itself: no truth, no rows, two values of each feature."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import torch

from engine.execution.chunks import Chunks, default_chunk
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.models.loaded import LoadedModel


def contrasts(
    model: LoadedModel,
    contexts: np.ndarray,
    *,
    low: float,
    high: float,
    target: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> np.ndarray:
    """Return how strongly each pair of features interacts around some inputs.

    It is the interaction score of the model judged by itself: with all other features at a
    context, D_i = mean (f(a′, b) − f(a, b))² over a, b, a′ in {low, high}, likewise D_j and D_ij;
    the score is the mean of |D_ij − D_i − D_j| over the contexts (after tsang2020how).

    Args:
        model: takes rows of a table.
        contexts: prepared rows, float64 ``(contexts, features)``.
        low, high: the two values that each feature takes, as prepared.
        target: which output.
        progress, cancel: as in ``explain``.

    Returns:
        float64 ``(features, features)``, symmetric, 0 on the diagonal.
    """
    pairs = np.array(list(combinations(range(contexts.shape[1]), 2)))
    count = len(contexts) * len(pairs) * 4
    passes, chunks = Passes(model, Cost(count), progress, cancel), Chunks(default_chunk(model))
    values = np.array([[low, low], [low, high], [high, low], [high, high]])

    def some(start: int, stop: int) -> torch.Tensor:
        job = np.arange(start, stop)
        context, pair, corner = np.unravel_index(job, (len(contexts), len(pairs), 4))
        x = contexts[context].copy()
        x[np.arange(len(job))[:, None], pairs[pair]] = values[corner]
        batch = torch.from_numpy(x).to(model.device, getattr(torch, model.dtype))
        with torch.inference_mode():
            return passes.forward(batch)[:, target].double().cpu()

    told = torch.cat(chunks.over(count, passes, some)).numpy()
    scores = _scores(told.reshape(len(contexts), len(pairs), 2, 2)).mean(axis=0)
    matrix = np.zeros((contexts.shape[1],) * 2)
    matrix[pairs[:, 0], pairs[:, 1]] = matrix[pairs[:, 1], pairs[:, 0]] = scores
    return matrix


def _scores(f: np.ndarray) -> np.ndarray:
    """Return |D_ij − D_i − D_j| from the four corners ``(…, 2, 2)``."""
    moved_i = ((f[..., :, None, :] - f[..., None, :, :]) ** 2).mean(axis=(-1, -2, -3))
    moved_j = ((f[..., :, :, None] - f[..., :, None, :]) ** 2).mean(axis=(-1, -2, -3))
    flat = f.reshape(*f.shape[:-2], 4)
    both = ((flat[..., :, None] - flat[..., None, :]) ** 2).mean(axis=(-1, -2))
    return np.asarray(np.abs(both - moved_i - moved_j))
