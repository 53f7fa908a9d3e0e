"""What a method of attribution is: one class that says all about itself, and computes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch

from engine.errors import MethodError
from engine.execution.chunks import Chunks
from engine.execution.cost import Cost
from engine.execution.passes import Passes
from engine.masking.fills.fill import Fill
from engine.masking.fills.registry import find_fill
from engine.models.loaded import LoadedModel
from engine.models.outputs import Readout
from engine.models.table_specs import TableSpec
from engine.parameters import Parameter, Value

Fold = Literal["sum", "mean"]
View = Literal["positive", "signed", "magnitude"]


@dataclass
class Run:
    """All that a method needs to compute.

    Attributes:
        model: the model, held in eval mode during every pass.
        x: the prepared input, ``(1, …)``.
        readout: the number of the output that is explained.
        parameters: a valid value for every declared parameter.
        seed: for whatever is drawn.
        passes: counted forward passes.
        chunks: how many samples go through at once.
        background: prepared inputs to compare with, ``(rows, …)``, or None where none was given.
        background_size: how many inputs the background held before rows were drawn.
        partial: called with what was found after so many samples; None where nobody looks.
    """

    model: LoadedModel
    x: torch.Tensor
    readout: Readout
    parameters: Mapping[str, Value]
    seed: int
    passes: Passes
    chunks: Chunks
    background: torch.Tensor | None = None
    background_size: int = 0
    partial: Callable[[Evidence, int], None] | None = None

    @property
    def fill(self) -> Fill:
        """What stands where the input is hidden, for methods with the parameter "fill"."""
        return find_fill(str(self.parameters["fill"]), self.seed)

    def leaf(self) -> torch.Tensor:
        """Return a copy of the input that asks for gradients."""
        return self.x.detach().clone().requires_grad_()

    def folded(self, values: torch.Tensor) -> torch.Tensor:
        """Sum over the features of each column of a table, ``(…, features)`` → ``(…, columns)``.

        Inputs that are no rows of a table pass through.
        """
        spec = self.model.spec
        return spec.fold(values) if isinstance(spec, TableSpec) else values

    def score(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the explained number of each sample, ``(n, …)`` → ``(n,)``."""
        return self.readout(self.passes.forward(batch))

    def gradients(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the score's gradient at each sample, ``(n, …)`` → ``(n, …)``."""
        leaves = batch.detach().clone().requires_grad_()
        return torch.autograd.grad(self.score(leaves).sum(), leaves)[0]


@dataclass(frozen=True)
class Evidence:
    """What a method found.

    Attributes:
        values: as in ``Attribution.values``.
        error: standard error, same shape, or None.
        told: what it says of itself, for the manifest ("completeness": …).
    """

    values: torch.Tensor
    error: torch.Tensor | None = None
    told: dict[str, Any] = field(default_factory=dict)


class Method(ABC):
    """Base of all methods. Adding one is one file here and one line of tests.

    Attributes:
        name: identifier ("integrated-gradients").
        title: what people call it.
        summary: one line on what it does.
        families: families of models it suits.
        parameters: as declared; ``parameters_for`` fits them to a model.
        paper: key in the bibliography.
        caveat: what to keep in mind when reading its maps.
        view: how its values are usually looked at.
        fold: how channels become one map: their sum (gradients), or their mean where
            all channels carry the same value (occlusion).
        hooks: whether it hangs hooks on the network, and so holds its lock throughout.
        first_for: families of models for which the page shows it first.
        takes_background: whether it compares with other inputs; ``accepts_background`` says
            for which models.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    families: ClassVar[frozenset[str]]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    paper: ClassVar[str]
    caveat: ClassVar[str]
    view: ClassVar[View] = "positive"
    fold: ClassVar[Fold] = "sum"
    hooks: ClassVar[bool] = False
    first_for: ClassVar[frozenset[str]] = frozenset()
    needs_gradients: ClassVar[bool] = False
    takes_background: ClassVar[bool] = False

    @abstractmethod
    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """Return an upper bound of the passes used.

        Args:
            model: what is explained.
            parameters: a valid value for every declared parameter.
            rows: of the background; 0 where none is given.
        """

    def price(self, model: LoadedModel, parameters: Mapping[str, Value]) -> float:
        """Return how long one of its passes takes, in plain passes: what its fill costs.

        Measured where a fill works inside the network, once for each model.
        """
        fill = parameters.get("fill")
        return 1.0 if fill is None else find_fill(str(fill)).price(model)

    @abstractmethod
    def attribute(self, run: Run) -> Evidence:
        """Compute. Called with gradients enabled."""

    def accepts_background(self, model: LoadedModel) -> bool:
        """Whether it compares with other inputs when it explains this model."""
        return self.takes_background

    def parameters_for(self, model: LoadedModel) -> tuple[Parameter, ...]:
        """Return the parameters with defaults and choices that suit a model."""
        return self.parameters

    def refusal(self, model: LoadedModel) -> str | None:
        """Say in one line why the method does not suit a model, or None if it does."""
        if model.family in self.families:
            return self._refusal_of_black_box(model)
        told = " or ".join(_FAMILY_TITLES[name] for name in sorted(self.families))
        return f"{self.title} needs {told}; {model.card.title} is {_FAMILY_TITLES[model.family]}"

    def _refusal_of_black_box(self, model: LoadedModel) -> str | None:
        if model.differentiable or not self.needs_gradients:
            return None
        return (
            f"{self.title} needs gradients; {model.card.title} only tells predictions: use "
            "kernel-shap, shapley-sampling, lime or feature-ablation"
        )

    def check_suits(self, model: LoadedModel) -> None:
        """Raise ``MethodError`` with the reason if the method does not suit a model."""
        reason = self.refusal(model)
        if reason is not None:
            raise MethodError(reason)


_FAMILY_TITLES = {
    "cnn": "a convolutional network",
    "vit": "a vision transformer",
    "tabular": "a model for tables",
}
ALL_FAMILIES = frozenset(_FAMILY_TITLES)
PICTURE_FAMILIES = frozenset({"cnn", "vit"})
