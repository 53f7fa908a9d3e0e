"""Guided backpropagation (springenberg2014striving)."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from engine.attribution.method import PICTURE_FAMILIES, Evidence, Method, Run
from engine.attribution.rewriting.passing import check_same, gradient_at, rewritten
from engine.attribution.rewriting.positive import PositiveGradients
from engine.errors import MethodError
from engine.execution.cost import Cost
from engine.execution.passes import Passes
from engine.execution.reasons import Reasons
from engine.models.loaded import LoadedModel
from engine.parameters import Value


class GuidedBackprop(Method):
    """The gradient, of which each ReLU on its way back lets only what is positive through.

    Per unit of the prepared input. The rule is the paper's, so it is only for ReLUs, those with
    an upper bound (ReLU6) among them: of a GELU, a sigmoid or a leaky ReLU it does not say what
    "switched off" is. A network that has such activations is refused, even where it has ReLUs as
    well: half of its gradients would be guided and half not, which is no method of anybody's.
    """

    name = "guided-backprop"
    title = "Guided Backprop"
    summary = "The gradient with all that is negative thrown away at each ReLU: fine-grained."
    families = PICTURE_FAMILIES
    paper = "springenberg2014striving"
    needs_gradients = True
    caveat = (
        "Crisp, but nearly the same for every class and even for random weights "
        "(adebayo2018sanity): shows edges of the picture, not what the class rests on."
    )
    view = "magnitude"

    def refusal(self, model: LoadedModel) -> str | None:
        """Also refuses networks with other activations, or none, which one pass finds out."""
        return super().refusal(model) or _REASONS.against(model)

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One pass each way, and a plain one to compare with."""
        return Cost(2, 1)

    def attribute(self, run: Run) -> Evidence:
        """Return values of the shape of the prepared input.

        Raises:
            MethodError: the network has other activations than ReLUs, or none.
        """
        leaf = run.leaf()
        logits = _guided(run.passes, leaf)
        return Evidence(gradient_at(leaf, run.readout(logits).sum())[0])


def _guided(passes: Passes, leaf: torch.Tensor) -> torch.Tensor:
    """Return logits whose gradients are guided."""
    title = passes.model.card.title
    with torch.no_grad():
        plain = passes.forward(leaf)
    guide = PositiveGradients(passes.model.module)
    logits = rewritten(passes, leaf, guide)
    if guide.notes:
        raise MethodError(
            f"{GuidedBackprop.title} is only defined for ReLU; of {title}, "
            f"{guide.notes[0].describe()}; use gradient or integrated-gradients"
        )
    if not guide.rectifiers:
        raise MethodError(f"{GuidedBackprop.title} is only defined for ReLU; {title} has none")
    check_same(logits, plain, float(plain.abs().max()), title)
    return logits


_REASONS = Reasons(
    GuidedBackprop, lambda passes, noise: _guided(passes, noise[:1].requires_grad_())
)
