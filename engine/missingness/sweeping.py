"""A sweep over a map's top that could be computed: what it is known by, its cost, and how."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from engine.execution.chunks import Chunks, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.mask_results import MaskSweep
from engine.masking.fills.fill import Fill
from engine.masking.predict import masked_outputs
from engine.missingness.asking import display_of, outcome_of, source_of
from engine.missingness.grids import on_input
from engine.models.loaded import Given, LoadedModel
from engine.models.outputs import probabilities_of

Direction = Literal["both", "remove", "keep"]
DIRECTIONS: tuple[Direction, ...] = ("both", "remove", "keep")


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
        order = torch.tensor(self.order)

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
        return {
            "key": self.key,
            "request": self.request,
            "source": self.source(),
            "display": display_of(self.model),
            "outcome": outcome_of(passes, chunks, started),
        }
