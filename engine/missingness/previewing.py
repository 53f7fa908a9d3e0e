"""A preview of masks that could be computed: what it will be known by, its cost, and how."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from engine.execution.chunks import Chunks, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.draws import generator
from engine.execution.passes import Cancel, Passes, Progress
from engine.mask_results import MaskPreview
from engine.masking.cells import Grid
from engine.masking.fills.fill import Fill
from engine.masking.generators.generator import Generator, Wanted
from engine.masking.predict import masked_outputs
from engine.missingness.asking import display_of, outcome_of, source_of
from engine.missingness.grids import on_input
from engine.missingness.guides import Guide
from engine.models.loaded import Given, LoadedModel
from engine.models.outputs import probabilities_of
from engine.models.specs import ImageSpec
from engine.parameters import Value

# Which of a mask's sources the noise on what stays is drawn from.
_NOISE = 2


@dataclass(frozen=True, eq=False)
class PreviewPlan:
    """A preview that could be computed: what it will be known by, and its cost.

    Attributes:
        model, given: what is asked, of what.
        generator, parameters: what chooses, with a valid value for each of its parameters.
        fill: what stands where it is hidden.
        grid, hidden, count, seed: as in ``preview_mask``.
        guide: what guides the generator, or None.
        request: all that decides the numbers.
        key: its digest, the content key of the result.
    """

    model: LoadedModel
    given: Given
    generator: Generator
    parameters: Mapping[str, Value]
    fill: Fill
    grid: Grid
    hidden: float
    count: int
    seed: int
    guide: Guide | None
    request: dict[str, Any]
    key: str

    @property
    def cost(self) -> Cost:
        """An upper bound of the passes: without and with each mask, and those of the guide."""
        return Cost(1 + self.count) + (Cost() if self.guide is None else self.guide.cost)

    def run(self, progress: Progress | None = None, cancel: Cancel | None = None) -> MaskPreview:
        """Compute.

        Args:
            progress, cancel: as in ``preview_mask``.

        Raises:
            Cancelled: the caller asked to stop; the model is as it was.
            OutOfMemory: one sample at a time does not fit.
        """
        started = time.perf_counter()
        passes = _Watched(self.model, self.cost, progress, cancel)
        passes.check()
        x = self.model.prepare(self.given)
        chunks = Chunks(self.request["chunk"])
        with telling_out_of_memory():
            guide = self._guide(passes, x)
            wanted = Wanted(self.grid, self.hidden, self.count, self.seed, guide)
            keep = self.generator.keep(wanted, self.parameters)
            with torch.no_grad():
                plain = passes.forward(x)
            passes.given.clear()
            hidden = self._outputs(passes, chunks, x, keep, wanted)
        logits = torch.cat([plain, hidden])
        probabilities = probabilities_of(logits, self.model.activation)
        return MaskPreview(
            manifest=self._manifest(passes, chunks, keep, started),
            keep=keep,
            logits=logits.float().cpu().numpy(),
            probabilities=probabilities.float().cpu().numpy(),
            masked=self._masked(passes),
            guide=guide,
        )

    def source(self) -> dict[str, Any]:
        """Return names a person would know; they decide nothing."""
        return source_of(
            self.model,
            self.given,
            generator_title=self.generator.title,
            fill_title=self.fill.title,
            guide_title="" if self.guide is None else self.guide.title,
        )

    def _guide(self, passes: Passes, x: torch.Tensor) -> np.ndarray | None:
        if self.guide is None:
            return None
        return self.guide.on_grid(self.generator, self.grid, passes, x)

    def _outputs(
        self, passes: Passes, chunks: Chunks, x: torch.Tensor, keep: np.ndarray, wanted: Wanted
    ) -> torch.Tensor:
        noise = self.generator.noise(wanted, self.parameters)

        def masks(start: int, stop: int) -> torch.Tensor:
            return on_input(self.model, keep[start:stop])

        if noise is None:
            return masked_outputs(passes, chunks, x, self.count, masks, self.fill)
        each = []
        for index in range(self.count):  # what stays is another input under every mask
            share = on_input(self.model, noise[index : index + 1]).to(x)
            noisy = with_noise(x, share, self.seed, index)
            one = masked_outputs(
                passes,
                chunks,
                noisy,
                1,
                lambda *_, i=index: masks(i, i + 1),
                self.fill.of_masks(index, index + 1),
            )
            each.append(one)
        return torch.cat(each)

    def _masked(self, passes: _Watched) -> np.ndarray | None:
        """Return what the network was given, where the fill paints."""
        if self.fill.inside:
            return None
        given = torch.cat(passes.given).float()
        if isinstance(self.model.spec, ImageSpec):
            given = self.model.spec.denormalise(given).clamp(0, 1)
        return given.numpy()

    def _manifest(
        self, passes: Passes, chunks: Chunks, keep: np.ndarray, started: float
    ) -> dict[str, Any]:
        hidden = [float(share) for share in 1 - keep.mean(axis=(1, 2))]
        return {
            "key": self.key,
            "request": self.request,
            "source": self.source(),
            "display": display_of(self.model, hidden=hidden, exact=self.generator.exact),
            "outcome": outcome_of(passes, chunks, started),
        }


def with_noise(x: torch.Tensor, share: torch.Tensor, seed: int, index: int) -> torch.Tensor:
    """Return √(1 − s)·x + √s·ε, ε standard normal, the same for the same mask of a seed.

    Args:
        x: ``(1, …)``, prepared.
        share: s, broadcastable to x, 0 … 1.
        seed, index: of the mask.
    """
    drawn = generator(seed, index, _NOISE).standard_normal(tuple(x.shape))
    noise = torch.from_numpy(drawn).to(x)
    return (1 - share).sqrt() * x + share.sqrt() * noise


class _Watched(Passes):
    """Passes that remember what the network was given."""

    def __init__(self, *how: Any) -> None:
        super().__init__(*how)
        self.given: list[torch.Tensor] = []

    def forward(self, batch: torch.Tensor, rows: int | None = None) -> torch.Tensor:
        """As in ``Passes``."""
        logits = super().forward(batch, rows)
        self.given.append(batch.detach().cpu())
        return logits
