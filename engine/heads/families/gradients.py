"""Slopes of the loss at the gates: one forward and one backward pass for all heads at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch

from engine.attention.gates import gated
from engine.attention.site import AttentionSites
from engine.errors import MethodError
from engine.execution.cost import Cost
from engine.heads.families.ablating import no_classes
from engine.heads.metric import Family, HeadMetric
from engine.heads.running import Batch, Rows, Run
from engine.heads.said import log_probabilities, said_of
from engine.models.loaded import LoadedModel
from engine.parameters import Value


class Gradients(Family):
    """Slope of each picture's cross-entropy at each gate, in nats per unit of gate."""

    name = "gradient"
    cost_told = "one pass there and back"
    asks_class = True

    def cost(
        self,
        found: AttentionSites,
        pictures: int,
        parameters: Mapping[str, Value],
        keep_one: bool,
        places: int | None = None,
    ) -> Cost:
        """Each picture once, there and back."""
        return Cost(pictures, pictures)

    def compute(self, run: Run, metrics: Sequence[HeadMetric]) -> Rows:
        """Return the metrics' functions of the slopes."""
        asked = [metric for metric in metrics if isinstance(metric, GradientMetric)]

        def work(batch: Batch, _size: int) -> Rows:
            slopes, used = _slopes(run, batch)
            return {metric.name: metric.of_slopes(slopes[used]) for metric in asked}

        with torch.enable_grad(), run.model.ready():
            return run.collect(1, work)

    def refusal(self, model: LoadedModel, found: AttentionSites) -> str:
        """Of a regression there are no classes."""
        return no_classes(model)


class GradientMetric(HeadMetric):
    """A function of the slopes."""

    family: ClassVar[Family] = Gradients()

    @abstractmethod
    def of_slopes(self, slopes: np.ndarray) -> np.ndarray:
        """Return it for each picture and head; both float64 ``(n, heads)``."""


def _slopes(run: Run, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """Return ∂ cross-entropy / ∂ gate at 1, float64 ``(n, heads)``, and the pictures used."""
    count = len(batch.x)
    gates = {
        site.index: torch.ones(count, site.heads, device=batch.x.device, requires_grad=True)
        for site in run.sites
    }
    with gated(gates):
        logits = run.passes.forward(batch.x)
    if not logits.requires_grad:
        raise MethodError(f"{run.model.card.title} lets no gradients through")
    said = said_of(logits, run.model.activation, [])
    classes = run.classes(batch, said).to(logits.device)
    log_p = log_probabilities(logits.float(), run.model.activation)
    loss = -log_p.gather(1, classes[:, None]).sum()
    found = torch.autograd.grad(loss, list(gates.values()), allow_unused=True)
    each = [
        torch.zeros_like(gate) if slope is None else slope
        for gate, slope in zip(gates.values(), found, strict=True)
    ]
    slopes = torch.cat([slope.detach().cpu().double() for slope in each], dim=1).numpy()
    return slopes, run.used(batch, said)
