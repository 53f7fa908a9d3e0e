"""``mask_sweep``: ever more of a map's top removed, or kept, in one batched sweep."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from engine.attribution.request import identity_of
from engine.errors import InputError, ParameterError, nearest
from engine.execution.chunks import Chunks, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.environment import environment
from engine.execution.passes import Cancel, Passes, Progress
from engine.manifest import digest_of, key_of
from engine.mask_results import MaskSweep
from engine.masking.fills.fill import Fill
from engine.masking.predict import masked_outputs
from engine.missingness.asking import request_for, source_of, suited_fill
from engine.missingness.grids import extent, on_input
from engine.missingness.guides import scores_of
from engine.models.loaded import Given, LoadedModel
from engine.models.loading import load_model
from engine.models.outputs import probabilities_of
from engine.models.table_specs import TableSpec
from engine.results import Attribution

Direction = Literal["both", "remove", "keep"]
DIRECTIONS: tuple[Direction, ...] = ("both", "remove", "keep")
MOST = 1000


@dataclass(frozen=True, eq=False)
class SweepPlan:
    """A sweep that could be computed: what it will be known by, and its cost.

    Attributes:
        model, given: what is asked, of what.
        order: int32 ``(rows, columns)``, place of each pixel or column in the map's order.
        fill: what stands where it is hidden.
        levels: steps from nothing to all.
        direction: "remove" the top, "keep" it, or "both".
        map_title: what the map is called.
        request: all that decides the numbers.
        key: its digest, the content key of the result.
    """

    model: LoadedModel
    given: Given
    order: np.ndarray
    fill: Fill
    levels: int
    direction: Direction
    map_title: str
    request: dict[str, Any]
    key: str

    @property
    def cost(self) -> Cost:
        """One pass for each mask; both directions share their two ends."""
        return Cost(2 * self.levels if self.direction == "both" else self.levels + 1)

    def run(self, progress: Progress | None = None, cancel: Cancel | None = None) -> MaskSweep:
        """Compute.

        Args:
            progress, cancel: as in ``mask_sweep``.

        Raises:
            Cancelled: the caller asked to stop; the model is as it was.
            OutOfMemory: one sample at a time does not fit.
        """
        started = time.perf_counter()
        passes = Passes(self.model, self.cost, progress, cancel)
        passes.check()
        x = self.model.prepare(self.given)
        chunks = Chunks(self.request["chunk"])
        counts, removing = self._masks()
        order = torch.from_numpy(self.order)

        def keep(start: int, stop: int) -> torch.Tensor:
            some = slice(start, stop)
            top = order < counts[some, None, None]
            return on_input(self.model, top ^ removing[some, None, None])

        with telling_out_of_memory():
            logits = masked_outputs(passes, chunks, x, len(counts), keep, self.fill)
        probabilities = probabilities_of(logits, self.model.activation)
        return MaskSweep(
            manifest=self._manifest(passes, chunks, started),
            share=np.linspace(0, 1, self.levels + 1, dtype=np.float32),
            order=self.order,
            **self._curves(logits, ""),
            **self._curves(probabilities, "_probabilities"),
        )

    def source(self) -> dict[str, Any]:
        """Return names a person would know; they decide nothing."""
        return source_of(
            self.model, self.given, map_title=self.map_title, fill_title=self.fill.title
        )

    def _masks(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return how many pixels are the top under each mask, and whether they are removed."""
        counts = torch.tensor(
            [round(level / self.levels * self.order.size) for level in range(self.levels + 1)]
        )
        ends = torch.ones(self.levels + 1, dtype=torch.bool)
        if self.direction != "both":
            return counts, ends if self.direction == "remove" else ~ends
        inner = counts[1:-1]
        return torch.cat([counts, inner]), torch.cat([ends, torch.zeros(len(inner)).bool()])

    def _curves(self, values: torch.Tensor, suffix: str) -> dict[str, np.ndarray | None]:
        found = values.float().cpu().numpy()
        if self.direction != "both":
            return {f"{'removed' if self.direction == 'remove' else 'kept'}{suffix}": found}
        removed = found[: self.levels + 1]
        # Nothing but the top 0 is all removed; nothing but the top 1 is the input as it is.
        kept = np.concatenate([removed[-1:], found[self.levels + 1 :], removed[:1]])
        return {f"removed{suffix}": removed, f"kept{suffix}": kept}

    def _manifest(self, passes: Passes, chunks: Chunks, started: float) -> dict[str, Any]:
        spec = self.model.spec
        used = passes.used
        return {
            "key": self.key,
            "request": self.request,
            "source": self.source(),
            "display": {
                "classes": list(self.model.classes),
                "columns": list(spec.titles) if isinstance(spec, TableSpec) else None,
            },
            "outcome": {
                "passes": {"forward": used.forward, "backward": used.backward},
                "seconds": time.perf_counter() - started,
                "chunk": chunks.size,
                "environment": environment(self.model.device),
            },
        }


def plan_sweep(
    model: Any,
    image: Any,
    attribution: Attribution | np.ndarray,
    fill: str = "mean",
    *,
    levels: int = 100,
    direction: Direction = "both",
) -> SweepPlan:
    """Check a request and return what it would be known by and cost, without computing it.

    Arguments and errors as in ``mask_sweep``.
    """
    loaded = load_model(model)
    chosen = suited_fill(loaded, fill)
    if direction not in DIRECTIONS:
        raise ParameterError(f"no direction {direction!r}; {nearest(str(direction), DIRECTIONS)}")
    if isinstance(levels, bool) or not isinstance(levels, int) or not 1 <= levels <= MOST:
        raise ParameterError(f"levels={levels!r}: expected a whole number from 1 to {MOST}")
    given = loaded.load_input(image)
    order = _order(_scores(loaded, given, attribution))
    steps = min(levels, order.size)
    request = request_for(
        loaded,
        given,
        MaskSweep.kind,
        chosen,
        order=digest_of(repr(order.shape).encode(), order.data),
        levels=steps,
        direction=direction,
    )
    title = ""
    if isinstance(attribution, Attribution):
        title = attribution.manifest.get("source", {}).get("method_title", "")
    return SweepPlan(
        loaded, given, order, chosen, steps, direction, title, request, key_of(request)
    )


def mask_sweep(
    model: Any,
    image: Any,
    attribution: Attribution | np.ndarray,
    fill: str = "mean",
    *,
    levels: int = 100,
    direction: Direction = "both",
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> MaskSweep:
    """Remove, or keep, ever more of what a map calls most important.

    Args:
        model: a loaded model, a reference, or an ``nn.Module``.
        image: the input that the map explains.
        attribution: the map, whose highest values come first (of equals the first, row by row);
            or scores in hand, ``(height, width)`` of the model's input, or one for each column.
        fill: a fill's name.
        levels: steps from nothing to all; no more than pixels or columns are taken.
        direction: "remove" the top share (deletion), "keep" nothing but it (insertion), or
            "both" in one sweep.
        progress: called with passes done and passes promised.
        cancel: an object with ``is_set()``, looked at before every pass.

    Returns:
        Logits and probabilities of all classes at shares 0, 1/levels … 1.

    Raises:
        InputError: the map explains another input.
        MethodError, ModelError, ParameterError: one line each.
        Cancelled: the caller asked to stop.
        OutOfMemory: one sample at a time does not fit.
    """
    planned = plan_sweep(model, image, attribution, fill, levels=levels, direction=direction)
    return planned.run(progress, cancel)


def _scores(model: LoadedModel, given: Given, found: Attribution | np.ndarray) -> np.ndarray:
    """Return one number for each pixel or column, ``(rows, columns)``."""
    if isinstance(found, Attribution):
        told = found.manifest.get("request", {}).get("input")
        if told not in (None, identity_of(given)[1]):
            raise InputError("the map explains another input; explain this one, or pass its scores")
        return scores_of(model, found)
    scores = np.asarray(found)
    scores = scores[None] if scores.ndim == 1 else scores
    wanted = extent(model)
    if scores.shape != wanted or scores.dtype.kind not in "iuf" or not np.isfinite(scores).all():
        raise ParameterError(
            f"scores are finite numbers of shape {wanted}; these are {scores.dtype} of "
            f"{np.shape(found)}"
        )
    return scores


def _order(scores: np.ndarray) -> np.ndarray:
    """Return the place of each in the order from the highest on, int32, same shape."""
    ranked = np.argsort(-scores.astype(np.float64), axis=None, kind="stable")
    order = np.empty(scores.size, dtype=np.int32)
    order[ranked] = np.arange(scores.size, dtype=np.int32)
    return order.reshape(scores.shape)
