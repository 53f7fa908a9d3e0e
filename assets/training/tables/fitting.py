"""Training networks for tables: until the validation rows stop getting better, seeded."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        rate, decay, batch: of AdamW.
        patience: how many epochs without a better validation loss end it.
        seed: of weights, order, and which fifth of the rows is for validation.
    """

    rate: float
    decay: float
    batch: int
    patience: int = 20
    seed: int = 0

    def __str__(self) -> str:
        return (
            f"AdamW, rate {self.rate:g}, weight decay {self.decay:g}, batches of {self.batch}, "
            f"seed {self.seed}; the epoch with the lowest loss on a fifth of the training rows, "
            "not trained on"
        )


def fit(module: nn.Module, loss: Loss, x: torch.Tensor, y: torch.Tensor, recipe: Recipe) -> float:
    """Train a network in place and leave it as it was at its best.

    Args:
        module: ``(n, features)`` → ``(n, 1)``.
        loss: of outputs and truth, both ``(n,)``.
        x: float32 ``(n, features)``.
        y: float32 ``(n,)``.
        recipe: how.

    Returns:
        The lowest loss on the validation rows.
    """
    draw = torch.Generator().manual_seed(recipe.seed)
    order = torch.randperm(len(y), generator=draw)
    check, rows = order[: len(y) // 5], order[len(y) // 5 :]
    optimiser = torch.optim.AdamW(module.parameters(), recipe.rate, weight_decay=recipe.decay)
    best, kept, waited = float("inf"), deepcopy(module.state_dict()), 0
    while waited < recipe.patience:
        for chosen in rows[torch.randperm(len(rows), generator=draw)].split(recipe.batch):
            optimiser.zero_grad()
            loss(module(x[chosen])[:, 0], y[chosen]).backward()
            optimiser.step()
        with torch.inference_mode():
            found = float(loss(module(x[check])[:, 0], y[check]))
        waited += 1
        if found < best:
            best, kept, waited = found, deepcopy(module.state_dict()), 0
    module.load_state_dict(kept)
    return best


def fit_logistic(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> None:
    """Fit a logistic regression without penalty until it no longer moves, in float64."""
    module.double()
    optimiser = torch.optim.LBFGS(
        module.parameters(),
        max_iter=1000,
        tolerance_grad=1e-10,
        tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = F.binary_cross_entropy_with_logits(module(x.double())[:, 0], y.double())
        loss.backward()
        return loss

    optimiser.step(closure)
    module.float()


def fold_scale(module: nn.Module, mean: float, std: float) -> None:
    """Let a ``TableMLP`` that was trained on ``(y − mean) / std`` put out ``y`` itself."""
    with torch.no_grad():
        module.get_parameter("layers.output.weight").mul_(std)
        module.get_parameter("layers.output.bias").mul_(std).add_(mean)
