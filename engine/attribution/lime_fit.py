"""LIME's linear model: what it is fitted to, and how (ribeiro2016why)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from engine.attribution.method import Run
from engine.execution.draws import generator


def drawn_keep(seed: int, players: int, start: int, stop: int) -> torch.Tensor:
    """Return what stays in the samples ``[start, stop)``, each with chance ½.

    bool ``(n, players)``.
    """
    drawn = (generator(seed, index) for index in range(start, stop))
    return torch.from_numpy(np.stack([draw.random(players) < 0.5 for draw in drawn]))


@dataclass(frozen=True, eq=False)
class Line:
    """A linear model: coefficients and their standard errors, intercept ("base") and R² ("fit")."""

    values: torch.Tensor
    errors: torch.Tensor
    error_of_sum: float
    base: float
    fit: float


def fit_line(run: Run, keep: torch.Tensor, scores: torch.Tensor) -> Line:
    """Fit by weighted ridge regression: bool ``(n, players)``, float64 ``(n,)``."""
    count, players = keep.shape
    reach = float(run.parameters["width"]) ** 2 * max(1, players)
    weights = torch.exp(-(~keep).sum(dim=1).double() / (2 * reach))  # (n,)
    weights = weights[:, None]
    design, scores = keep.double(), scores[:, None]
    middle, mean = ((weights * one).sum(dim=0) / weights.sum() for one in (design, scores))
    design, apart = design - middle, scores - mean
    ridge = float(run.parameters["ridge"]) * torch.eye(players, dtype=torch.float64)
    inverse = torch.linalg.pinv(design.T @ (weights * design) + ridge, hermitian=True)
    values = inverse @ (design.T @ (weights * apart))  # (players, 1)
    residuals = apart - design @ values
    moved = (weights * residuals * design) @ inverse  # what each sample moved, (n, players)
    freedom = count / max(1, count - players - 1)
    spread = (weights * apart.square()).sum()
    unexplained = (weights * residuals.square()).sum()
    flat = spread <= 1e-12 * weights.sum() * (1 + mean.square())
    return Line(
        values=values[:, 0],
        errors=(freedom * moved.square().sum(dim=0)).sqrt(),
        error_of_sum=float((freedom * moved.sum(dim=1).square().sum()).sqrt()),
        base=float(mean - middle @ values),
        fit=1.0 if bool(flat) else float(1 - unexplained / spread),
    )
