"""What a model says of the rows of a table: scores, outcomes, losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from engine.errors import ModelError
from engine.execution.chunks import Chunks, default_chunk, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.inputs.tables import Table
from engine.models.loaded import LoadedModel
from engine.models.outputs import Activation, Readout, probabilities_of
from engine.models.rows import Rows, load_rows

Batch = Callable[[int, int], torch.Tensor]


def over(
    passes: Passes,
    chunks: Chunks,
    count: int,
    batch: Batch,
    read: Callable[[torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """Ask the model about many samples, a few at a time.

    Args:
        passes, chunks: the model, counted, and how many samples go through at once.
        count: number of samples.
        batch: returns the samples ``[start, stop)`` as the network sees them.
        read: what of the logits ``(n, classes)`` is kept, ``(n, …)``.

    Returns:
        What was kept, on the CPU, ``(count, …)``.

    Raises:
        ModelError: the network returns NaN or infinity.
        Cancelled: the caller asked to stop.
    """

    def work(start: int, stop: int) -> torch.Tensor:
        with torch.inference_mode():
            logits = passes.forward(batch(start, stop))
            if not logits.isfinite().all():
                raise ModelError(
                    f"{passes.model.card.title} returns values that are not finite (NaN or "
                    "infinity) for a row; look at its weights and its input_spec"
                )
            return read(logits).cpu()

    return torch.cat(chunks.over(count, passes, work))


def scores_over(
    passes: Passes, chunks: Chunks, count: int, batch: Batch, readout: Readout
) -> np.ndarray:
    """Return the explained number of many samples, float64 ``(count,)``; as ``over``."""
    return over(passes, chunks, count, batch, readout).double().numpy()


def logits_of_rows(passes: Passes, chunks: Chunks, features: torch.Tensor) -> torch.Tensor:
    """Return what the model says of features ``(n, features)``: ``(n, classes)``.

    It is float32, of an estimator float64: a value of a regression may be a date.
    """
    return over(passes, chunks, len(features), lambda a, b: features[a:b], _at_least_float32)


def _at_least_float32(logits: torch.Tensor) -> torch.Tensor:
    return logits if logits.dtype == torch.float64 else logits.float()


def outcomes_of(logits: torch.Tensor, activation: Activation) -> np.ndarray:
    """Return the outcome that is predicted for each row, int64 ``(n,)``, as the labels count.

    Of one logit, 1 where its class has more than half the probability, else 0; of a regression
    -1.
    """
    if activation == "identity":
        return np.full(len(logits), -1, dtype=np.int64)
    if activation == "sigmoid":
        return (logits[:, 0] > 0).long().numpy()
    return logits.argmax(dim=1).numpy()


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a model says of the rows of a table, kept to be looked at more than once.

    Attributes:
        rows: the rows, a sample of a large table.
        logits: float32 ``(n, classes)``.
        scores: float32 ``(n,)``: probability of the last class; of a regression its value.
        outcomes: int64 ``(n,)``, as the labels count; -1 of a regression.
        names: of the outcomes; of a regression its value's.
        passes: how many forward passes it took.
    """

    rows: Rows
    logits: np.ndarray
    scores: np.ndarray
    outcomes: np.ndarray
    names: tuple[str, ...]
    passes: int


def predict_table(
    model: LoadedModel,
    table: Table,
    *,
    rows: int = 20_000,
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Predicted:
    """Say what a model predicts for the rows of a table; of more than ``rows``, so many drawn.

    Raises:
        InputError: columns are missing, or a cell cannot be used.
        Cancelled: the caller asked to stop.
    """
    found = load_rows(table, model.table_spec, rows, seed, None, truth=False)
    passes = Passes(model, Cost(len(found)), progress, cancel)
    chunks = Chunks(default_chunk(model))
    with telling_out_of_memory():
        features = torch.from_numpy(found.features).to(model.device)
        logits = logits_of_rows(passes, chunks, features)
    return Predicted(
        rows=found,
        logits=logits.float().numpy(),
        scores=probabilities_of(logits, model.activation)[:, -1].float().numpy(),
        outcomes=outcomes_of(logits, model.activation),
        names=outcome_names(model),
        passes=passes.used.forward,
    )


def outcome_names(model: LoadedModel) -> tuple[str, ...]:
    """Return the names of the outcomes: the classes; of one logit "not …" stands first."""
    if model.activation != "sigmoid":
        return model.classes
    labels = model.table_spec.labels
    negative = labels[0] if len(labels) == 2 and model.classes[0] == labels[1] else None
    return (negative or f"not {model.classes[0]}", model.classes[0])
