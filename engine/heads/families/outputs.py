"""What each head puts out for each picture, reduced to one number for each head."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch

from engine.attention.site import AttentionSites
from engine.heads.families.maps import real_slots
from engine.heads.metric import Family, HeadMetric, OnePass
from engine.heads.projections import Projecting, find_columns
from engine.heads.running import Batch, Rows, Run
from engine.heads.said import said_of
from engine.models.loaded import LoadedModel


class Outputs(OnePass):
    """What the output projection is given by each head, from one forward pass."""

    name = "outputs"

    def compute(self, run: Run, metrics: Sequence[HeadMetric]) -> Rows:
        """Return the metrics' functions of the outputs.

        One picture at a time: some libraries put the samples first, some the tokens.
        """
        asked = [metric for metric in metrics if isinstance(metric, OutputMetric)]
        columns = find_columns(run.model, run.found)

        def work(batch: Batch, _size: int) -> Rows:
            with torch.no_grad(), Projecting() as mode:
                logits = run.passes.forward(batch.x)
            used = run.used(batch, said_of(logits, run.model.activation, []))
            layers: dict[str, list[torch.Tensor]] = {metric.name: [] for metric in asked}
            for site, own in zip(run.sites, columns.of, strict=True):
                given = by_head(mode.given[site.index], own, real_slots(site))
                weight = mode.weights[site.index].cpu().double()[:, own].transpose(0, 1)
                for metric in asked:
                    layers[metric.name].append(metric.of_outputs(given, weight)[None])
            return {name: torch.cat(each, dim=1).numpy()[used] for name, each in layers.items()}

        return run.collect(run.chunks.size, work)

    def refusal(self, model: LoadedModel, found: AttentionSites) -> str:
        """Heads that stand side by side before no linear layer have no output of their own."""
        return find_columns(model, found).reason


class OutputMetric(HeadMetric):
    """A function of one layer's outputs."""

    family: ClassVar[Family] = Outputs()

    @abstractmethod
    def of_outputs(self, given: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return it for each head, ``(heads,)``.

        Args:
            given: what the heads put out, float64 ``(heads, tokens, width)``.
            weight: their parts of the output projection, float64 ``(heads, channels, width)``.
        """


def by_head(given: torch.Tensor, own: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Return one picture's input of a projection as float64 ``(heads, tokens, width)``.

    Args:
        given: ``(windows, slots, columns)``, or in other axes of the same order.
        own: columns of each head, ``(heads, width)``.
        real: which slots hold a token, ``(windows, slots)``; others are left out.
    """
    rows = given.detach().cpu().double().flatten(0, -2)  # (windows × slots, columns)
    return rows[real.flatten()][:, own].transpose(0, 1)
