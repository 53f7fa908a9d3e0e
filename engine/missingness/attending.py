"""What the last layer's heads attend to, as scores of patches."""

from __future__ import annotations

import numpy as np
import torch

from engine.attention.capture import capture_attention, check_seen
from engine.attention.site import AttentionSites
from engine.attention.sites import attention_sites
from engine.errors import MethodError
from engine.execution.passes import Passes
from engine.models.loaded import LoadedModel


def no_attention(model: LoadedModel) -> str:
    """Say in one line why a model has no attention with places on the picture, or nothing."""
    title = model.card.title
    if model.family != "vit":
        return f"{title} has no attention to be guided by; name a method, or give scores"
    found = attention_sites(model)
    unknown = "" if found.weights is not None else f"{title}: what its head reads is not known"
    return found.unplaced or unknown


def attention_scores(passes: Passes, x: torch.Tensor) -> np.ndarray:
    """Run one pass and return where each head of the last layer looks, for what is read out.

    That is the row of the class token where the head reads it; of patches, their mean.

    Args:
        passes: how to run.
        x: ``(1, …)``, prepared.

    Returns:
        float64 ``(heads, rows, columns)`` on the last layer's patches.

    Raises:
        MethodError: the attention has no known places, or came otherwise than before.
    """
    found = attention_sites(passes.model)
    maps = capture_attention(passes, x)
    check_seen(passes.model.card.title, found, maps)
    return last_row(found, maps[-1])


def last_row(found: AttentionSites, attention: torch.Tensor) -> np.ndarray:
    """Return what is read from the last layer's map ``(windows, heads, slots, slots)``."""
    site = found.sites[-1]
    if found.weights is None or site.layout is None or site.grid is None:
        raise MethodError("the tokens of the last layer have no known places")
    layout = site.layout  # (windows, slots)
    asking = np.where(layout >= 0, found.weights[layout], 0)
    sent = np.einsum("wq,whqk->whk", asking, attention.double().cpu().numpy())
    scores = np.zeros((site.heads, site.tokens))
    for head in range(site.heads):
        np.add.at(scores[head], layout[layout >= 0], sent[:, head][layout >= 0])
    patches = scores[:, site.prefix : site.tokens - site.suffix]
    return patches.reshape(site.heads, *site.grid)
