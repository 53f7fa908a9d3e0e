"""Token drop: hidden patches are left out of a vision transformer's sequence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from engine.attention.site import AttentionSites
from engine.attention.sites import attention_sites
from engine.attention.visits import tokens_in
from engine.errors import MethodError
from engine.execution.passes import Passes
from engine.execution.reasons import Reasons
from engine.masking.fills.fill import Fill, Forward
from engine.masking.fills.pricing import Price
from engine.masking.fills.suiting import takes_maps, whole_pixels
from engine.masking.fills.trying import try_inside
from engine.models.loaded import LoadedModel


class TokenDrop(Fill):
    """Nothing stands there: patches that are hidden are taken out of the sequence.

    They go before the first block, after the position embeddings were added, so that each token
    that stays keeps its own; class and register tokens stay. A patch goes when half or more of
    its pixels are hidden; what is hidden of the others gets the mean colour (both ours). Of a
    network without such tokens that would be left with nothing, all patches stay, in the mean
    colour.
    """

    name = "token-drop"
    title = "Token drop"
    summary = "Nothing: patches of which half or more is hidden are left out of the sequence."
    paper = "jain2022missingness"
    inside = True

    def refusal(self, model: LoadedModel) -> str:
        """Other networks, and those in which tokens cannot just go, tried once for each model."""
        if model.family == "vit" and takes_maps(model):
            return _reasons.against(model) or ""
        kind = "a convolutional network" if takes_maps(model) else "a model for tables"
        instead = "layer-masking" if takes_maps(model) else "mean"
        return (
            f"{self.title} is for vision transformers; {model.card.title} is {kind}: use {instead}"
        )

    def price(self, model: LoadedModel) -> float:
        """Measured when first asked for; as a rule below 1, since fewer tokens are less work."""
        return _price.of(model)

    def outputs(
        self, model: LoadedModel, forward: Forward, x: torch.Tensor, keep: torch.Tensor
    ) -> torch.Tensor:
        """As in ``Fill``; samples that keep equally many tokens go through together."""
        return _dropped(model, forward, x, whole_pixels(self.name, keep, x))


def patches_kept(keep: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """Return which patches stay: those of which more than half of the pixels do.

    Args:
        keep: bool ``(n, 1, rows, columns)``.
        grid: rows and columns of patches.

    Returns:
        bool ``(n, patches)``, row by row.
    """
    return (F.adaptive_avg_pool2d(keep.float(), grid) > 0.5).flatten(1)


def _dropped(
    model: LoadedModel, forward: Forward, x: torch.Tensor, keep: torch.Tensor
) -> torch.Tensor:
    sites = attention_sites(model)
    problem = _problem(sites)
    if problem or sites.grid is None:
        raise MethodError(f"{TokenDrop.title} does not suit {model.card.title}: {problem}")
    stay = patches_kept(keep, sites.grid)  # (n, patches)
    if not sites.prefix + sites.suffix:
        stay = stay | ~stay.any(dim=1, keepdim=True)
    batch = torch.where(keep, x, 0)
    counts = stay.sum(dim=1)
    rows: list[torch.Tensor] = []
    places: list[torch.Tensor] = []
    for count in counts.unique().tolist():
        own = (counts == count).nonzero()[:, 0]
        with model.lock, _without_tokens(model.module, sites, stay[own]):
            rows.append(forward(batch[own]))
        places.append(own)
    return torch.cat(rows)[torch.cat(places).argsort()]


@contextmanager
def _without_tokens(module: nn.Module, sites: AttentionSites, stay: torch.Tensor) -> Iterator[None]:
    """Inside, the first block is handed only the tokens that stay, ``(n, patches)`` of them."""
    fixed = [stay.new_ones(len(stay), count) for count in (sites.prefix, sites.suffix)]
    chosen = torch.cat([fixed[0], stay, fixed[1]], dim=1)  # (n, tokens)
    if bool(chosen.all()):
        yield
        return
    places = chosen.nonzero()[:, 1].reshape(len(stay), -1)  # (n, tokens that stay)

    def hook(_part: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        tokens = tokens_in((*args, *kwargs.values()))
        if tokens is None or tokens.shape[:2] != chosen.shape:
            shape = None if tokens is None else tuple(tokens.shape)
            raise MethodError(f"its first block takes {shape}, not {tuple(chosen.shape)} tokens")
        index = places[..., None].expand(-1, -1, tokens.shape[-1])
        fewer = tokens.gather(1, index.to(tokens.device))

        def swapped(value: Any) -> Any:
            return fewer if value is tokens else value

        return tuple(map(swapped, args)), {name: swapped(one) for name, one in kwargs.items()}

    block = module.get_submodule(sites.sites[0].name)
    handle = block.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def _problem(sites: AttentionSites) -> str:
    """Say what keeps tokens from just going, or nothing."""
    if sites.unplaced or not sites.sites or sites.grid is None:
        return sites.unplaced or "no attention was seen"
    if sites.windowed:
        return "it attends within windows, which would have holes"
    first = sites.sites[0]
    for site in sites.sites:
        if site.merged is not None or site.tokens != first.tokens:
            return f"it merges or drops tokens of its own before {site.name}"
        if site.layout is None or not np.array_equal(site.layout, [np.arange(first.tokens)]):
            return f"{site.name} attends in another order than the tokens come"
    if not first.name:
        return "its attention stands in no block of its own"
    return ""


def _trial(passes: Passes, pair: torch.Tensor) -> None:
    model = passes.model
    problem = _problem(attention_sites(model))
    told = f"{TokenDrop.title} does not suit {model.card.title}: "
    if problem:
        raise MethodError(told + problem.removeprefix(f"{model.card.title}: ") + "; use mean")

    def masked(x: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
        return _dropped(model, passes.forward, x, keep)

    try:
        try_inside(passes, pair, TokenDrop.title, masked)
    except MethodError:
        raise
    except Exception as error:
        raise MethodError(f"{told}it fails with fewer tokens ({error}); use mean") from error


_reasons = Reasons(TokenDrop, _trial)
_price = Price(lambda model, x, keep: _dropped(model, model.forward, x, keep))
