"""Outputs of the model with each head off, or with each as the only one of its layer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch

from engine.attention.site import AttentionSites
from engine.execution.cost import Cost
from engine.heads.ablation import Ablation, Place
from engine.heads.metric import Family, HeadMetric
from engine.heads.reuse import find_reuse
from engine.heads.running import Batch, Rows, Run
from engine.heads.said import Said
from engine.models.loaded import LoadedModel
from engine.parameters import Value


class Ablating(Family):
    """One pass for each head, and one as the model is."""

    name = "ablation"
    cost_told = "a pass for each head"
    exact = True
    one_by_one = True
    asks_class = True

    def cost(
        self,
        found: AttentionSites,
        pictures: int,
        parameters: Mapping[str, Value],
        keep_one: bool,
        places: int | None = None,
    ) -> Cost:
        """Each picture once for each head and once as it is; once for each layer more."""
        heads = sum(site.heads for site in found.sites) if places is None else places
        return Cost(pictures * (1 + heads + keep_one * len(found.sites)))

    def compute(self, run: Run, metrics: Sequence[HeadMetric]) -> Rows:
        """Leave one out: how far the model's answer is off without the head.

        Keep one: how far it is off without the layer, less how far with this head alone
        (our definition), so that larger says more important in both.
        """
        asked = [metric for metric in metrics if isinstance(metric, AblationMetric)]
        reuse = find_reuse(run.model)
        places = list(run.heads if run.places is None else run.places)
        sets, layers = _sets(run, places)
        widest = max(site.heads for site in run.sites)

        def work(batch: Batch, size: int) -> Rows:
            ablation = Ablation(run.passes, run.sites, reuse)
            said, others = ablation.outputs(batch.x, sets, size)
            classes, used = run.classes(batch, said), run.used(batch, said)
            off = {metric.name: np.full((len(sets), len(used)), np.nan) for metric in asked}
            for chosen, without in others:
                for metric in asked:
                    found = metric.score(said, without, classes)
                    off[metric.name][chosen] = found.numpy()
                if run.show is not None and len(run.pictures) == 1:
                    run.show(_rows(off, used, run, places, layers))
            run.blocks.update(ablation.counted)
            return _rows(off, used, run, places, layers)

        return run.collect(widest, work)

    def refusal(self, model: LoadedModel, found: AttentionSites) -> str:
        """Of a regression there are no classes."""
        return no_classes(model)


class AblationMetric(HeadMetric):
    """How far the model's answer is off without a head."""

    family: ClassVar[Family] = Ablating()

    @abstractmethod
    def score(self, said: Said, without: Said, classes: torch.Tensor) -> torch.Tensor:
        """Return how far it is off, float64 ``(sets, n)``.

        Args:
            said: what the model says as it is, ``(n, …)``.
            without: what it says without heads, ``(sets, n, …)``.
            classes: what each picture is asked about, int64 ``(n,)``.
        """


def no_classes(model: LoadedModel) -> str:
    """Say that a model tells no classes, or nothing if it does."""
    title = model.card.title
    if model.activation == "identity":
        return f"{title} is a regression: it tells no probability of a class"
    if model.activation == "sigmoid" and len(model.classes) > 1:
        return f"{title} tells {len(model.classes)} things that do not exclude each other"
    return ""


def _sets(run: Run, places: Sequence[Place]) -> tuple[list[list[Place]], list[int]]:
    """Return the sets of heads to switch off, one for each place; then those of whole layers."""
    if not run.keep_one:
        return [[place] for place in places], []
    layers = sorted({layer for layer, _ in places})
    whole = {layer: [(layer, head) for head in range(run.sites[layer].heads)] for layer in layers}
    others = [[one for one in whole[layer] if one != (layer, head)] for layer, head in places]
    return [*others, *whole.values()], layers


def _rows(
    off: Mapping[str, np.ndarray],
    used: np.ndarray,
    run: Run,
    places: Sequence[Place],
    layers: Sequence[int],
) -> Rows:
    """Return ``(used, heads)`` from ``(sets, n)``; NaN for heads that were not asked about."""
    columns = {place: column for column, place in enumerate(run.heads)}
    chosen = [columns[place] for place in places]
    of_layer = [len(places) + layers.index(layer) for layer, _ in places] if layers else []
    rows = {}
    for name, found in off.items():
        values = found[of_layer] - found[: len(places)] if layers else found
        whole = np.full((int(used.sum()), len(columns)), np.nan)
        whole[:, chosen] = values[:, used].T
        rows[name] = whole
    return rows
