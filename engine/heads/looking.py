"""``look``: what all heads attend to in one picture, with some of them switched off or not."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import torch

from engine.attention.capture import capture_attention, check_seen
from engine.attention.gates import gated
from engine.attention.site import AttentionSites
from engine.attention.sites import attention_sites
from engine.errors import MethodError, ParameterError
from engine.execution.cost import Cost
from engine.execution.passes import Passes
from engine.head_results import NONE, HeadMaps
from engine.models.loaded import LoadedModel, ModelInput

Head = tuple[int, int]


def look(model: LoadedModel, given: ModelInput, *, off: Collection[Head] = ()) -> HeadMaps:
    """Run one forward pass and return the attention maps of all layers and heads.

    Args:
        model: a loaded model.
        given: an image, anything ``load_image`` takes, or a prepared tensor.
        off: layer and head of those switched off. Their own maps stay what they would attend to;
            what comes after them sees the network without them.

    Raises:
        MethodError: the model's attention cannot be seen, or its tokens have no known places.
        ParameterError: a head that it does not have.
        InputError: the input cannot be read, or does not suit the model.
    """
    found = placed_sites(model)
    check_heads(found, off)
    return look_prepared(Passes(model, Cost(1)), found, model.prepare(given), off)


def look_prepared(
    passes: Passes, found: AttentionSites, x: torch.Tensor, off: Collection[Head] = ()
) -> HeadMaps:
    """The same for a prepared tensor ``(1, …)``, counted by ``passes``."""
    with gated(gates_without(found, off)):
        maps = capture_attention(passes, x)
    check_seen(passes.model.card.title, found, maps)
    return HeadMaps(
        maps=tuple(one.float().cpu().numpy() for one in maps),
        layouts=tuple(site.layout for site in found.sites if site.layout is not None),
        grids=tuple(site.grid for site in found.sites if site.grid is not None),
        prefix=tuple(site.prefix for site in found.sites),
        suffix=tuple(site.suffix for site in found.sites),
        names=tuple(site.name for site in found.sites),
        class_tokens=class_tokens(found),
    )


def placed_sites(model: LoadedModel) -> AttentionSites:
    """Return a model's attention, all of it with places on the picture.

    Raises:
        MethodError: it cannot be seen or gated, or tokens have no known places; with the reason.
    """
    found = attention_sites(model)
    if found.unplaced:
        raise MethodError(found.unplaced)
    return found


def check_heads(found: AttentionSites, heads: Collection[Head]) -> None:
    """Raise ``ParameterError`` for a head that is not there; layers and heads count from 0."""
    for layer, head in heads:
        if not 0 <= layer < len(found.sites):
            raise ParameterError(f"no layer {layer}; there are 0 to {len(found.sites) - 1}")
        count = found.sites[layer].heads
        if not 0 <= head < count:
            raise ParameterError(f"layer {layer} has no head {head}; there are 0 to {count - 1}")


def gates_without(found: AttentionSites, off: Collection[Head]) -> Mapping[int, torch.Tensor]:
    """Return the gates that switch some heads off, by site; none for layers left alone."""
    gates: dict[int, torch.Tensor] = {}
    for layer, head in off:
        site = found.sites[layer]
        gates.setdefault(site.index, torch.ones(site.heads))[head] = 0
    return gates


def class_tokens(found: AttentionSites) -> tuple[int, ...]:
    """Return the number of each layer's class token, −1 without one.

    Of several class and register tokens it is the first that the head reads; where it reads only
    patches, the first.
    """
    last = found.sites[-1]
    end = last.tokens - last.suffix
    special = [*range(last.prefix), *range(end, last.tokens)]
    if not special:
        return (NONE,) * len(found.sites)
    weights = np.zeros(last.tokens) if found.weights is None else found.weights
    token = special[int(np.argmax(weights[special]))]
    if token < last.prefix:
        return (token,) * len(found.sites)
    return tuple(site.tokens - last.tokens + token for site in found.sites)
