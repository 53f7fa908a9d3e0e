"""Layer-wise relevance propagation (bach2015pixel)."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from engine.attribution.method import ALL_FAMILIES, Evidence, Method, Run
from engine.attribution.rewriting.passing import check_same, gradient_at, rewritten
from engine.attribution.rewriting.relevance import GAMMA, Relevance
from engine.errors import MethodError
from engine.execution.cost import Cost
from engine.execution.passes import Passes
from engine.execution.reasons import Reasons
from engine.models.loaded import LoadedModel
from engine.models.outputs import Readout
from engine.models.specs import ImageSpec
from engine.parameters import Parameter, Value

_SHARE = 1e-3  # of what is added up, for rounding
_TINY = 1e-9


class LayerwiseRelevance(Method):
    """The score handed back layer by layer, each number getting what it added to the next.

    In units of the score. Rule "epsilon": all sums divide by z + ε sign z, ε = 10⁻⁶. Rule
    "gamma": convolutions weigh parts of the output's sign by 1 + γ, γ = 0.25 (montavon2019layer;
    generalised to negative inputs), all other sums by the ε-rule. A batch norm in eval mode is
    affine, and one with the convolution before it under the γ-rule. Activations with f(0) = 0
    pass relevance on, a maximum hands it to the place that it is taken from. Biases take their
    part as every other summand does; how much is told.
    """

    name = "lrp"
    title = "LRP"
    summary = "Hands the score back from layer to layer, to each part what it added to the next."
    families = ALL_FAMILIES
    parameters = (
        Parameter(
            "rule",
            "Rule",
            "choice",
            "gamma",
            "epsilon: in proportion to what was added; gamma: convolutions favour what has the "
            "output's sign, which is calmer.",
            choices=("epsilon", "gamma"),
        ),
    )
    paper = "bach2015pixel"
    needs_gradients = True
    caveat = (
        "Depends on the rule: on ReLU networks epsilon is gradient × input but for rounding; with "
        "gamma, biases may take most of the score (the result tells how much)."
    )

    def parameters_for(self, model: LoadedModel) -> tuple[Parameter, ...]:
        """Only networks for pictures have a choice: others have no convolutions as a rule."""
        return self.parameters if isinstance(model.spec, ImageSpec) else ()

    def refusal(self, model: LoadedModel) -> str | None:
        """Also refuses networks that do what there is no rule for, which one pass finds out."""
        return super().refusal(model) or _REASONS.against(model)

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One pass each way, and a plain one to compare with."""
        return Cost(2, 1)

    def attribute(self, run: Run) -> Evidence:
        """Return values of the shape of the prepared input; their sum is checked.

        Raises:
            MethodError: a probability is asked for, the network does what there is no rule for,
                or relevance is lost on the way.
        """
        if run.readout.output != "logit":
            raise MethodError(f"{self.title} shares out a logit; use output='logit'")
        gamma = GAMMA if run.parameters.get("rule") == "gamma" else 0.0
        return _relevance(run.passes, run.leaf(), run.readout, gamma)


def _relevance(passes: Passes, leaf: torch.Tensor, readout: Readout, gamma: float) -> Evidence:
    title = passes.model.card.title
    with torch.no_grad():
        plain = passes.forward(leaf)
    rules = Relevance(passes.model.module, gamma)
    logits = rewritten(passes, leaf, rules)
    if rules.notes:
        raise MethodError(
            f"{LayerwiseRelevance.title} has no rule for part of {title}: "
            f"{rules.notes[0].describe()}; use integrated-gradients"
        )
    check_same(logits, plain, float(plain.abs().max()), title)
    score = readout(logits).sum()
    values = (leaf * gradient_at(leaf, score)).detach()
    return Evidence(values[0], told={"conservation": _conserved(values, rules, score, title)})


def _conserved(
    values: torch.Tensor, rules: Relevance, score: torch.Tensor, title: str
) -> dict[str, float]:
    """Return where the score went: sum, biases, stabiliser and score, and the gap between.

    Raises:
        MethodError: the parts do not add up to the score.
    """
    ledger, whole = rules.ledger, float(score.detach())
    total = float(values.double().sum())
    gap = total + ledger.biases + ledger.stabiliser - whole
    size = abs(whole) + float(values.double().abs().sum()) + ledger.size
    if not abs(gap) <= max(_TINY, _SHARE * size):
        raise MethodError(
            f"{LayerwiseRelevance.title} loses relevance on {title}: {total:.3g} at the input and "
            f"{ledger.biases:.3g} in biases are not its score {whole:.3g}; use integrated-gradients"
        )
    return {
        "sum": total,
        "biases": ledger.biases,
        "stabiliser": ledger.stabiliser,
        "score": whole,
        "gap": gap,
    }


def _try(passes: Passes, noise: torch.Tensor) -> None:
    readout = Readout(0, None, "logit", passes.model.activation)
    _relevance(passes, noise[:1].requires_grad_(), readout, GAMMA)


_REASONS = Reasons(LayerwiseRelevance, _try)
