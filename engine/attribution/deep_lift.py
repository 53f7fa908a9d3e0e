"""DeepLift by the rescale rule (shrikumar2017learning)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from engine.attribution.baselines import Ends, find_baselines, score_ends
from engine.attribution.method import Evidence, Method, Run
from engine.attribution.parameters import Value
from engine.errors import MethodError
from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.models.outputs import Readout

_NODES = 64
_ROUNDING, _TINY = 1e-5, 1e-9  # of a sum's parts; of no matter
_REFUSAL = (
    "DeepLift needs each activation as a module of its own, used once (ReLU, LeakyReLU, ELU, "
    "Softplus, Sigmoid or Tanh): on {model} its values do not add up; use integrated-gradients"
)
# What Captum leaves on the activations when it is stopped on the way.
_NOTES = ("input", "output", "input_ref")


class DeepLift(Method):
    """(x − baseline) × multipliers, that of an activation being Δ output / Δ input.

    The mean over the background's rows as baselines; in units of the score. Where a probability
    is explained, the multipliers of the last step are its mean gradients on the straight way
    between the logits (our definition; of two classes, it is the rescale rule).
    """

    name = "deep-lift"
    title = "DeepLift"
    summary = "Shares the score out by how far each activation moves away from that of others."
    families = frozenset({"tabular"})
    paper = "shrikumar2017learning"
    caveat = "One step for each activation: quick, but blind to how columns act together inside."
    needs_gradients = True
    takes_background = True
    hooks = True

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """The input and a baseline together both ways, for each baseline; and all ends."""
        baselines = rows or 1
        return Cost(3 * baselines + 1, 2 * baselines)

    def attribute(self, run: Run) -> Evidence:
        """Return values of the shape of the prepared input; their sum is checked.

        Raises:
            MethodError: the network's activations are not such that the values add up.
        """
        baselines = find_baselines(run)
        shares = run.chunks.whole(run.passes, lambda size: _shares(run, baselines.rows, size))
        ends = score_ends(run, baselines.rows)
        _check(shares, ends, run.model.card.title)
        values = shares.mean(dim=0)
        told = ends.told(float(values.sum()))
        return Evidence(values, told={**told, "background": baselines.told})


class _Weighted(nn.Module):
    """The network, its logits weighted so that they add up to what is explained.

    Captum looks for activations in it, and hands it inputs and then their baselines.
    """

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.network = run.model.module
        self.run = run

    def forward(self, both: torch.Tensor) -> torch.Tensor:
        """(2 n, …) → (2 n,)"""
        logits = self.run.passes.forward(both)  # (2 n, classes)
        slopes = _slopes(self.run.readout, *logits.detach().chunk(2))  # (n, classes)
        return (logits * slopes.repeat(2, 1)).sum(dim=1)


def _slopes(readout: Readout, ends: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
    """Return the readout's mean gradient on the straight ways between logits ``(n, classes)``."""
    count = 1 if readout.output == "logit" else _NODES  # of the logits it is constant
    nodes, shares = (torch.from_numpy(one) for one in np.polynomial.legendre.leggauss(count))
    first, last = starts.cpu().double(), ends.cpu().double()
    with torch.enable_grad():
        along = (1 + nodes[:, None, None]) / 2  # (nodes, 1, 1)
        points = (first + along * (last - first)).requires_grad_()  # (nodes, n, classes)
        gradients = torch.autograd.grad(readout(points.flatten(0, 1)).sum(), points)[0]
    return (shares[:, None, None] / 2 * gradients).sum(dim=0).to(ends)


def _shares(run: Run, rows: torch.Tensor, size: int) -> torch.Tensor:
    """Return the values for each baseline, float64 ``(rows, …)``, ``size`` samples at once."""
    from captum.attr import DeepLift as Captums

    method = Captums(_Weighted(run))
    found = []
    with _left_as_it_was(run.model.module), _refusing_reuse(run.model.card.title):
        for some in rows.split(max(1, size // 2)):
            x = run.x.expand_as(some).clone().requires_grad_()
            found.append(method.attribute(x, some).detach().cpu().double())
    return torch.cat(found)


@contextmanager
def _left_as_it_was(module: nn.Module) -> Iterator[None]:
    """Take away what Captum notes on activations, and keep it from warning of its hooks."""
    before = [(part, set(vars(part))) for part in module.modules()]
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Setting forward, backward hooks")
            yield
    finally:
        for part, names in before:
            for name in set(_NOTES) & set(vars(part)) - names:
                delattr(part, name)


@contextmanager
def _refusing_reuse(title: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if "used more than once" not in str(error):
            raise
        raise MethodError(_REFUSAL.format(model=title)) from None


def _check(shares: torch.Tensor, ends: Ends, title: str) -> None:
    """Refuse values that do not add up: by 1 % of the difference, and by more than rounding.

    Rounding goes with the size of the scores and of what is added up.
    """
    apart = ends.at_x - ends.at_rows  # (rows,)
    added = shares.flatten(1)  # (rows, features)
    gap = float((added.sum(dim=1) - apart).abs().mean())
    sizes = (abs(ends.at_x), float(ends.at_rows.abs().max()), float(added.abs().sum(dim=1).mean()))
    if not gap <= max(_TINY, _ROUNDING * max(sizes), 0.01 * float(apart.abs().mean())):
        raise MethodError(_REFUSAL.format(model=title))
