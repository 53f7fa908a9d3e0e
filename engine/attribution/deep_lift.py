"""DeepLift by the rescale rule (shrikumar2017learning)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine.attribution.baselines import Ends, find_baselines, score_ends
from engine.attribution.integrated_gradients import IntegratedGradients
from engine.attribution.method import ALL_FAMILIES, Evidence, Method, Run
from engine.attribution.rewriting.multipliers import Multipliers
from engine.attribution.rewriting.passing import check_same, gradient_at, rewritten
from engine.attribution.rewriting.watching import Note
from engine.errors import MethodError
from engine.execution.cost import Cost
from engine.execution.passes import Passes
from engine.execution.reasons import Reasons
from engine.models.loaded import LoadedModel
from engine.models.outputs import Readout
from engine.models.specs import ImageSpec
from engine.parameters import Parameter, Value

_NODES = 64
_ROUNDING, _TINY = 1e-5, 1e-9  # of a sum's parts; of no matter


class DeepLift(Method):
    """(x − baseline) × multipliers, that of an activation being Δ output / Δ input.

    The mean over the background's rows as baselines; in units of the score. Where a probability
    is explained, the multipliers of the last step are its mean gradients on the straight way
    between the logits (our definition; of two classes, it is the rescale rule).

    Every function of one number is rescaled, however the network calls it. Where two parts that
    both depend on the input are multiplied, or normalised by each other, the values do not add
    up in general; then the network is refused, and the first such layer named.
    """

    name = "deep-lift"
    title = "DeepLift"
    summary = "Shares the score out by how far each activation moves away from that of others."
    families = ALL_FAMILIES
    parameters = tuple(one for one in IntegratedGradients.parameters if one.name == "baseline")
    paper = "shrikumar2017learning"
    caveat = "One step for each activation: quick, but blind to how parts act together inside."
    needs_gradients = True
    takes_background = True

    def accepts_background(self, model: LoadedModel) -> bool:
        """Only for tables: of pictures, one baseline is enough to look at."""
        return model.family == "tabular"

    def parameters_for(self, model: LoadedModel) -> tuple[Parameter, ...]:
        """Only pictures have a choice of baselines; elsewhere it is the background, or the mean."""
        return self.parameters if isinstance(model.spec, ImageSpec) else ()

    def refusal(self, model: LoadedModel) -> str | None:
        """Also refuses networks whose values do not add up, which one pass each way finds out."""
        return super().refusal(model) or _REASONS.against(model)

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """The input and a baseline together both ways, for each baseline; and all ends."""
        baselines = rows or 1
        return Cost(3 * baselines + 1, 2 * baselines)

    def attribute(self, run: Run) -> Evidence:
        """Return values of the shape of the prepared input; their sum is checked.

        Raises:
            MethodError: the network does what makes the values not add up.
        """
        baselines = find_baselines(run, (str(run.parameters.get("baseline", "mean")),))
        ends = score_ends(run, baselines.rows)

        def shared(size: int) -> list[_Pairs]:
            some = baselines.rows.split(max(1, size // 2))
            return [_share(run.passes, run.x, rows, run.readout) for rows in some]

        pairs = run.chunks.whole(run.passes, shared)
        values = _checked(pairs, ends, run.model.card.title).mean(dim=0)
        told = ends.told(float(values.sum()))
        return Evidence(values, told={**told, "background": baselines.told})


@dataclass(frozen=True, eq=False)
class _Pairs:
    """An input with some of its baselines.

    Attributes:
        shares: values for each baseline, float64 ``(rows, …)``.
        scores: of the input, then of the baselines, once for each pair, float64 ``(2 rows,)``.
        scale: the largest logit.
        notes: calls that there is no rule for.
    """

    shares: torch.Tensor
    scores: torch.Tensor
    scale: float
    notes: Sequence[Note]


def _share(passes: Passes, x: torch.Tensor, rows: torch.Tensor, readout: Readout) -> _Pairs:
    """Share out the scores' differences between x ``(1, …)`` and each of some rows ``(n, …)``."""
    both = torch.cat([x.expand_as(rows), rows])  # (2 n, …)
    leaf = both.detach().requires_grad_()
    rules = Multipliers(passes.model.module)
    logits = rewritten(passes, leaf, rules)  # (2 n, classes)
    ends, starts = logits.detach().chunk(2)
    weighted = logits.chunk(2)[0] * _slopes(readout, ends, starts)
    multipliers = gradient_at(leaf, weighted.sum()).chunk(2)[0]
    shares = multipliers.cpu().double() * (x - rows).cpu().double()
    scores = readout(logits.detach()).cpu().double()
    return _Pairs(shares, scores, float(logits.detach().abs().max()), rules.notes)


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


def _checked(pairs: Sequence[_Pairs], ends: Ends, title: str) -> torch.Tensor:
    """Return the values for each baseline ``(rows, …)``, having looked whether they add up.

    They may miss by 1 % of the difference, or by rounding, which goes with the size of the
    scores and of what is added up.

    Raises:
        MethodError: they miss by more; the first call that has no rule is told.
    """
    check_same(
        torch.cat([one.scores.chunk(2)[side] for side in (0, 1) for one in pairs]),
        torch.cat([torch.full_like(ends.at_rows, ends.at_x), ends.at_rows]),
        max(one.scale for one in pairs),
        title,
    )
    shares = torch.cat([one.shares for one in pairs])
    apart = ends.at_x - ends.at_rows  # (rows,)
    added = shares.flatten(1)  # (rows, features)
    gap = float((added.sum(dim=1) - apart).abs().mean())
    sizes = (abs(ends.at_x), float(ends.at_rows.abs().max()), float(added.abs().sum(dim=1).mean()))
    if not gap <= max(_TINY, _ROUNDING * max(sizes), 0.01 * float(apart.abs().mean())):
        notes = [note for one in pairs for note in one.notes]
        why = f": {notes[0].describe()}" if notes else ""
        raise MethodError(
            f"{DeepLift.title} does not suit {title}, its values do not add up{why}; "
            "use integrated-gradients"
        )
    return shares


def _try(passes: Passes, noise: torch.Tensor) -> None:
    """Share out the difference between two inputs; rows of a table need not be likely ones."""
    readout = Readout(0, None, "logit", passes.model.activation)
    x, rows = noise.split(1)
    with torch.no_grad():
        scores = readout(passes.forward(noise)).cpu().double()
    _checked(
        [_share(passes, x, rows, readout)],
        Ends(float(scores[0]), scores[1:]),
        passes.model.card.title,
    )


_REASONS = Reasons(DeepLift, _try)
