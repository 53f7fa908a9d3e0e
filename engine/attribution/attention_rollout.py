"""Attention rollout (abnar2020quantifying)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from engine.attention.capture import capture_attention
from engine.attention.patches import PatchGrid, check_global, reason_against
from engine.attribution.method import Evidence, Method, Run
from engine.attribution.parameters import Parameter, Value
from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel

_FUSIONS = ("mean", "max", "min")


class AttentionRollout(Method):
    """Share of the class token's attention that goes back to each patch, through all layers.

    In each layer ½ A + ½ I, A being the heads' attention fused to one; their product leads
    from the last layer to the patches. Rows of the fused map are made to sum to 1 again
    (our definition for max and min; the mean's do). Without a class token, the mean over
    all tokens (our definition). What goes to class and register tokens is left out.
    """

    name = "attention-rollout"
    title = "Attention Rollout"
    summary = "Which patches the class token looks at, followed back through all layers."
    families = frozenset({"vit"})
    parameters = (
        Parameter(
            "fusion", "Heads", "choice", "mean", "How heads become one map.", choices=_FUSIONS
        ),
    )
    paper = "abnar2020quantifying"
    caveat = "Tells where attention goes, not for which class: every class gets the same map."
    first_for = frozenset({"vit"})

    def refusal(self, model: LoadedModel) -> str | None:
        """Also refuses windowed attention, and tokens that make no grid."""
        return super().refusal(model) or reason_against(model)

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One forward pass."""
        return Cost(1)

    def attribute(self, run: Run) -> Evidence:
        """Return values of the grid of patches, ``(rows, columns)``."""
        maps = capture_attention(run.passes, run.x)
        grid = check_global(run.model, maps)
        flow = rollout([found[0] for found in maps], str(run.parameters["fusion"]))
        row = flow[0] if grid.prefix else flow.mean(dim=0)  # (tokens,)
        values = row[grid.prefix :].reshape(grid.rows, grid.columns)
        return Evidence(values, told={"attention": _told(maps, grid)})


def rollout(maps: Sequence[torch.Tensor], fusion: str) -> torch.Tensor:
    """Return how much of each token's final state comes from each token of the input.

    Args:
        maps: of each layer, first to last, ``(heads, tokens, tokens)``; rows sum to 1.
        fusion: "mean", "max" or "min" over heads.

    Returns:
        float64 ``(tokens, tokens)``; rows sum to 1.
    """
    identity = torch.eye(maps[0].shape[-1], dtype=torch.float64)
    flow = identity
    for heads in maps:
        fused = _fuse(heads.detach().cpu().double(), fusion)  # (tokens, tokens)
        flow = (0.5 * _rows_to_one(fused) + 0.5 * identity) @ flow
    return flow


def _fuse(heads: torch.Tensor, fusion: str) -> torch.Tensor:
    if fusion == "mean":
        return heads.mean(dim=0)
    return heads.amax(dim=0) if fusion == "max" else heads.amin(dim=0)


def _rows_to_one(fused: torch.Tensor) -> torch.Tensor:
    """Scale rows to sum 1; a row of nothing (heads that share no token) stays with itself."""
    sums = fused.sum(dim=-1, keepdim=True)
    return torch.where(sums > 0, fused / sums, torch.eye(len(fused), dtype=fused.dtype))


def _told(maps: Sequence[torch.Tensor], grid: PatchGrid) -> dict[str, object]:
    return {
        "layers": len(maps),
        "heads": [found.shape[1] for found in maps],
        "tokens": grid.tokens,
        "read_from": "class token" if grid.prefix else "all tokens",
    }
