"""What masked models say of one input: for a model's card."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from engine.errors import InputError
from engine.execution.chunks import Chunks, default_chunk
from engine.execution.cost import Cost
from engine.execution.passes import Passes
from engine.models.loading import load_model
from engine.models.outputs import probabilities_of
from engine.models.table_specs import TableSpec


def predict_with_masks(
    model: Any, given: Any, masks: np.ndarray, regions: np.ndarray | None = None
) -> np.ndarray:
    """Return what the models f(m ⊙ x) say of one row, or one picture.

    Args:
        model: the reference.
        given: a row, a picture, or anything the model's ``prepare`` takes.
        masks: float64 ``(k, features)``, as ``Interactions.mask`` returns one.
        regions: of a picture: ``Interactions.regions``.

    Returns:
        Probabilities, of a regression values: float32 ``(k, classes)``.

    Raises:
        InputError: masks of another number of features.
    """
    loaded = load_model(model)
    x = loaded.prepare(given)
    whole = np.atleast_2d(np.asarray(masks, np.float64))
    spread = _spread(loaded.spec, x, whole, regions)
    passes, chunks = Passes(loaded, Cost(len(whole))), Chunks(default_chunk(loaded))

    def some(start: int, stop: int) -> torch.Tensor:
        m = torch.from_numpy(spread[start:stop]).to(x)
        with torch.inference_mode():
            return probabilities_of(passes.forward(x * m), loaded.activation).cpu()

    return torch.cat(chunks.over(len(whole), passes, some)).float().numpy()


def _spread(
    spec: Any, x: torch.Tensor, masks: np.ndarray, regions: np.ndarray | None
) -> np.ndarray:
    """Return one m for each number of the prepared input, ``(k, …)``."""
    if regions is not None:
        wanted, shape = int(regions.max()) + 1, tuple(x.shape[-2:])
        if regions.shape != shape:
            raise InputError(f"regions of {regions.shape} pixels do not fit a picture of {shape}")
    elif isinstance(spec, TableSpec):
        wanted = len(spec.columns)
    else:
        raise InputError("masks of a picture need its regions")
    if masks.shape[1] != wanted:
        raise InputError(f"masks of {masks.shape[1]} features; the input has {wanted}")
    if regions is not None:
        return np.asarray(masks[:, regions][:, None])
    assert isinstance(spec, TableSpec)
    coded = spec.encoding == "codes"
    named = np.array([coded and column.kind == "category" for column in spec.columns])
    return np.asarray(np.where(named, 1.0, masks)[:, spec.column_of])
