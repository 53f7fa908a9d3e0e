"""Attention rollout (abnar2020quantifying)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from engine.attention.capture import capture_attention, check_seen
from engine.attention.site import AttentionSite, AttentionSites
from engine.attention.sites import attention_sites
from engine.attribution.method import Evidence, Method, Run
from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.parameters import Parameter, Value

_FUSIONS = ("mean", "max", "min")


class AttentionRollout(Method):
    """Share of what the head reads that goes back to each patch, through all layers.

    In each layer ½ A + ½ I, A being the heads' attention fused to one. The row of what the head
    reads (the class token, the mean of the patches …) is carried from the last layer back to
    the first. What goes to class and register tokens is left out.

    Our definitions: rows of the fused map are made to sum to 1 again (for max and min; the
    mean's do). Where layers attend within windows, each window's map stands at the places of its
    tokens, padding left out; where patches are merged, what goes to the merged one goes to its
    parts alike.
    """

    name = "attention-rollout"
    title = "Attention Rollout"
    summary = "Which patches the head looks at, followed back through all layers."
    families = frozenset({"vit"})
    parameters = (
        Parameter(
            "fusion", "Heads", "choice", "mean", "How heads become one map.", choices=_FUSIONS
        ),
    )
    paper = "abnar2020quantifying"
    caveat = (
        "Tells where attention goes, not for which class: every class gets the same map. For "
        "attention within windows it is our definition."
    )
    first_for = frozenset({"vit"})

    def refusal(self, model: LoadedModel) -> str | None:
        """Also refuses a model whose tokens have no known places on the picture."""
        return super().refusal(model) or attention_sites(model).unplaced or None

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One forward pass."""
        return Cost(1)

    def attribute(self, run: Run) -> Evidence:
        """Return values of the first layer's grid of patches, ``(rows, columns)``."""
        found = attention_sites(run.model)
        maps = capture_attention(run.passes, run.x)
        check_seen(run.model.card.title, found, maps)
        flow = roll_back(found, maps, str(run.parameters["fusion"]))
        values = flow[found.prefix : len(flow) - found.suffix].reshape(found.grid or ())
        return Evidence(values, told={"attention": _told(found)})


def roll_back(found: AttentionSites, maps: Sequence[torch.Tensor], fusion: str) -> torch.Tensor:
    """Return how much of what the head reads comes from each token of the first layer.

    Only this one row is carried back; no matrix of all tokens is ever made.

    Args:
        found: the model's sites, all with a layout.
        maps: of one sample, of each site ``(windows, heads, slots, slots)``; rows sum to 1.
        fusion: "mean", "max" or "min" over heads.

    Returns:
        float64 ``(tokens,)``, sum 1.
    """
    flow = torch.as_tensor(found.weights, dtype=torch.float64)
    for site, heads in zip(reversed(found.sites), reversed(maps), strict=True):
        fused = _fuse(heads.detach().cpu().double(), fusion)  # (windows, slots, slots)
        flow = (flow + _through(site, fused, flow)) / 2
        flow = _unmerged(site, flow)
    return flow


def _through(site: AttentionSite, fused: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Send a row through one layer's attention, ``(tokens,)`` → ``(tokens,)``."""
    slots = torch.as_tensor(site.layout)  # (windows, slots)
    real = slots >= 0
    weights = _rows_to_one(fused * real[:, None])
    row = flow[slots.clamp_min(0)] * real
    sent = (row[:, None] @ weights)[:, 0]  # (windows, slots)
    return torch.zeros_like(flow).index_add(0, slots[real], sent[real])


def _unmerged(site: AttentionSite, flow: torch.Tensor) -> torch.Tensor:
    """Share what goes to each token among those it was merged from."""
    if site.merged is None:
        return flow
    merged = torch.as_tensor(site.merged)
    return (flow / merged.bincount())[merged]


def _fuse(heads: torch.Tensor, fusion: str) -> torch.Tensor:
    if fusion == "mean":
        return heads.mean(dim=1)
    return heads.amax(dim=1) if fusion == "max" else heads.amin(dim=1)


def _rows_to_one(fused: torch.Tensor) -> torch.Tensor:
    """Scale rows to sum 1; a row of nothing (heads that share no token) stays with itself."""
    sums = fused.sum(dim=-1, keepdim=True)
    alone = torch.eye(fused.shape[-1], dtype=fused.dtype)
    return torch.where(sums > 0, fused / sums.where(sums > 0, 1), alone)


def _told(found: AttentionSites) -> dict[str, object]:
    return {
        "layers": len(found.sites),
        "heads": [site.heads for site in found.sites],
        "tokens": found.sites[0].tokens,
        "windows": [site.windows for site in found.sites],
        "read_from": found.reads,
    }
