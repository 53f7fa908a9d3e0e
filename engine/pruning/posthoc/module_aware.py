"""Weights against the larger ones of their module (DIMAP)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from engine.models.loaded import LoadedModel
from engine.parameters import Parameter, Value
from engine.pruning.methods.method import Work
from engine.pruning.methods.outcome import Outcome
from engine.pruning.methods.weight_masks import keep_best, layer_of, masked_copy, prunable_weights
from engine.pruning.posthoc.base import PostHoc
from engine.pruning.units import Groups

_WEIGHTLESS = "it has no weights of convolutions or linear layers in floating point"


class ModuleAware(PostHoc):
    """w² over the sum of the squares of its module's weights that are as large or larger."""

    name: ClassVar[str] = "module-aware"
    title = "Module-aware weights (DIMAP)"
    summary = "Removes single weights that add least to what the larger ones of their module carry."
    paper = "he2024data"
    caveat = (
        "Needs no pictures. A module is what stands in the same block one level up: the "
        "projections of an attention, the layers of an MLP, the convolutions of a residual block; "
        "layers that stand in the network itself are modules of their own (our definition: the "
        "paper treats Swin's attentions and MLPs). Zeroed weights make nothing smaller or faster."
    )
    parameters = (
        Parameter(
            "ratio", "Weights to remove", "float", 0.5, "Share of all weights.", low=0.0, high=0.99
        ),
    )

    def looks(self, parameters: Mapping[str, Value]) -> bool:
        """Weights tell it all."""
        return False

    def refusal(self, model: LoadedModel, groups: Groups) -> str:
        """There must be weights."""
        return "" if prunable_weights(model.module) else _WEIGHTLESS

    def compute(self, work: Work) -> Outcome:
        """Return scores, masks at the ratio, and the network with those weights alone."""
        scores = module_scores(work.model)
        masks = keep_best(scores, work.number("ratio"))
        modules = sorted({module_of(name) for name in scores})
        told = {"modules": modules}
        copy = masked_copy(work.model, masks, "weights removed")
        return Outcome(told=told, weight_scores=scores, masks=masks, model=copy)


def module_of(name: str) -> str:
    """Return the module that a weight is compared in.

    >>> module_of("blocks.0.attn.qkv.weight"), module_of("conv1.weight")
    ('blocks.0.attn', 'conv1')
    """
    layer = layer_of(name)
    return layer.rpartition(".")[0] or layer


def module_scores(model: LoadedModel) -> dict[str, np.ndarray]:
    """Return the score of each weight, float64 of its shape, in [0, 1]; of equal weights equal."""
    with model.lock:
        weights = {
            name: weight.detach().double().cpu().numpy()
            for name, weight in prunable_weights(model.module).items()
        }
    modules: dict[str, list[str]] = {}
    for name in weights:
        modules.setdefault(module_of(name), []).append(name)
    scores = {}
    for names in modules.values():
        flat = np.concatenate([weights[name].reshape(-1) for name in names])
        ends = np.cumsum([weights[name].size for name in names])[:-1]
        for name, part in zip(names, np.split(_shares(flat**2), ends), strict=True):
            scores[name] = part.reshape(weights[name].shape)
    return {name: scores[name] for name in weights}


def _shares(squares: np.ndarray) -> np.ndarray:
    """Return each number over the sum of all that are as large or larger, 0 where it is 0."""
    order = np.argsort(squares)
    rising = squares[order]
    above = np.cumsum(rising[::-1])[::-1]  # above[i] = the sum from the i-th smallest on
    places = np.arange(len(rising))
    places[1:][rising[1:] == rising[:-1]] = 0
    total = above[np.maximum.accumulate(places)]  # of equal ones from the first on
    shares = np.empty_like(squares)
    shares[order] = np.divide(rising, total, out=np.zeros_like(rising), where=total > 0)
    return shares
