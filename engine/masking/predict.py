"""``predict_masked``: the one road that every perturbation takes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from engine.errors import InputError, MethodError
from engine.execution.chunks import Chunks, default_chunk
from engine.execution.cost import Cost
from engine.execution.passes import Passes
from engine.inputs.tables import Row, Table
from engine.masking.fills.fill import Fill
from engine.masking.fills.other_rows import OtherRows
from engine.masking.fills.registry import find_fill
from engine.models.loaded import LoadedModel, ModelInput

KeepRange = Callable[[int, int], torch.Tensor]
FillRange = Callable[[int, int], Fill]


def predict_masked(
    model: LoadedModel,
    given: ModelInput,
    keep: np.ndarray | torch.Tensor,
    fill: str | Fill = "mean",
    *,
    seed: int = 0,
    rows: Table | torch.Tensor | None = None,
) -> np.ndarray:
    """Predict one input under many masks.

    Args:
        model: a loaded model.
        given: an image, anything ``load_image`` takes, or a prepared tensor.
        keep: bool, True = stays. Pictures: ``(n, height, width)`` or
            ``(n, channels, height, width)``; tables: ``(n, features)``.
        fill: a name, of those in ``engine.masking.FILLS``, or a fill in hand.
        seed: of what a fill draws.
        rows: for "permutation" and "conditional": a table, or prepared rows ``(rows, features)``;
            a row of a table draws from its own table by default.

    Returns:
        float32 logits ``(n, classes)``.

    Raises:
        InputError: masks that do not fit the input, or are not boolean.
        ParameterError: an unknown fill.
        MethodError: a fill that does not suit the model; it says why.
    """
    found = with_rows(model, given, find_fill(fill, seed), rows)
    found.check_suits(model)
    x = model.prepare(given)
    masks = _checked(keep, x)
    passes = Passes(model, Cost(forward=len(masks)))
    chunks = Chunks(default_chunk(model))
    outputs = masked_outputs(
        passes, chunks, x, len(masks), lambda start, stop: masks[start:stop], found
    )
    return outputs.float().cpu().numpy()


def masked_outputs(
    passes: Passes,
    chunks: Chunks,
    x: torch.Tensor,
    count: int,
    keep: KeepRange,
    fill: str | Fill | FillRange,
) -> torch.Tensor:
    """The same for masks made a few at a time, with passes counted.

    Args:
        passes, chunks: how to run.
        x: ``(1, …)``, prepared.
        count: number of masks.
        keep: returns masks ``[start, stop)``, broadcastable to ``(stop - start, …)``: bool,
            or floating point in [0, 1], the share of each value that stays.
        fill: what stands where x is hidden; or a function that returns the fill of the masks
            ``[start, stop)``, where each has values of its own.

    Returns:
        Logits ``(count, classes)``.

    Raises:
        MethodError: masks of shares for a fill that can only hide or keep.
    """
    fill_of = _fill_range(fill)

    def some(start: int, stop: int) -> torch.Tensor:
        masks = keep(start, stop).to(x.device)
        found = fill_of(start, stop)
        if masks.dtype != torch.bool and not found.shares:
            raise MethodError(f"the fill {found.name!r} hides or keeps; it takes no shares")
        return found.outputs(passes.model, passes.forward, x, masks)

    with torch.no_grad():
        return torch.cat(chunks.over(count, passes, some))


def with_rows(
    model: LoadedModel, given: ModelInput, fill: Fill, rows: Table | torch.Tensor | None
) -> Fill:
    """Give a fill that draws from other rows what to draw from: by default a row's own table."""
    if not isinstance(fill, OtherRows) or model.family != "tabular":
        return fill
    if rows is None and isinstance(given, Row):
        rows = given.table
    if isinstance(rows, Table):
        rows = model.prepare_table(rows)
    return fill if rows is None else fill.drawing_from(rows)


def _fill_range(fill: str | Fill | FillRange) -> FillRange:
    if not isinstance(fill, str | Fill):
        return fill
    found = find_fill(fill)
    return found.of_masks


def _checked(keep: np.ndarray | torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    masks = keep if isinstance(keep, torch.Tensor) else torch.from_numpy(np.array(keep))
    if masks.dtype != torch.bool:
        raise InputError(f"masks are boolean (True = stays); these are {masks.dtype}")
    if masks.ndim == 3 and x.ndim == 4:
        masks = masks[:, None]
    shape, wanted = tuple(masks.shape[1:]), tuple(x.shape[1:])
    if len(shape) != len(wanted) or any(
        a not in (1, b) for a, b in zip(shape, wanted, strict=True)
    ):
        raise InputError(f"masks of shape {tuple(keep.shape)} do not fit an input of {wanted}")
    if not len(masks):
        raise InputError("no masks given")
    return masks
