"""Attention maps of each picture, reduced to one number for each head."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch

from engine.attention.capture import recording
from engine.attention.site import AttentionSite
from engine.heads.metric import Family, HeadMetric, OnePass
from engine.heads.running import Batch, Rows, Run
from engine.heads.said import said_of


class Maps(OnePass):
    """What each head attends to, from one forward pass."""

    name = "maps"

    def compute(self, run: Run, metrics: Sequence[HeadMetric]) -> Rows:
        """Return the metrics' functions of the maps."""
        asked = [metric for metric in metrics if isinstance(metric, MapMetric)]

        def work(batch: Batch, _size: int) -> Rows:
            with torch.no_grad(), recording() as maps:
                logits = run.passes.forward(batch.x)
            used = run.used(batch, said_of(logits, run.model.activation, []))
            found = {}
            for metric in asked:
                layers = [
                    metric.of_maps(by_sample(one, len(used)), real_slots(site))
                    for one, site in zip(maps, run.sites, strict=True)
                ]
                found[metric.name] = torch.cat(layers, dim=1).double().cpu().numpy()[used]
            return found

        return run.collect(1, work)


class MapMetric(HeadMetric):
    """A function of one layer's maps."""

    family: ClassVar[Family] = Maps()

    @abstractmethod
    def of_maps(self, maps: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Return it for each picture and head, ``(n, heads)``.

        Args:
            maps: ``(n, windows, heads, slots, slots)``.
            real: which slots hold a token, bool ``(windows, slots)``.
        """


def by_sample(tensor: torch.Tensor, count: int) -> torch.Tensor:
    """Return ``(n × windows, …)`` as ``(n, windows, …)``."""
    return tensor.unflatten(0, (count, -1))


def real_slots(site: AttentionSite) -> torch.Tensor:
    """Return which slots of each window hold a token, bool ``(windows, slots)``."""
    if site.layout is None:
        return torch.ones(site.windows, site.queries, dtype=torch.bool)
    return torch.from_numpy(np.asarray(site.layout) >= 0)
