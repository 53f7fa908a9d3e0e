"""Layer masking (balasubramanian2023towards): hidden pixels are missing in every layer."""

from __future__ import annotations

import torch

from engine.execution.passes import Passes
from engine.execution.reasons import Reasons
from engine.masking.fills.fill import Fill, Forward
from engine.masking.fills.pricing import Price
from engine.masking.fills.suiting import refusal_unless_cnn, whole_pixels
from engine.masking.fills.trying import try_inside
from engine.masking.layers.rules import LAYER_MASKING
from engine.masking.layers.travelling import Travelling
from engine.models.loaded import LoadedModel


class LayerMasking(Fill):
    """Nothing stands there: the mask goes through the network with the activations.

    The rules are in ``engine/masking/layers``, with those that the paper leaves open marked as
    ours. What is hidden has no influence at all, and what is kept has, exactly as without it,
    where no window reaches over the rim.
    """

    name = "layer-masking"
    title = "Layer masking"
    summary = "Nothing: each layer leaves out what is hidden, and only kept pixels speak."
    paper = "balasubramanian2023towards"
    inside = True

    def refusal(self, model: LoadedModel) -> str:
        """Networks other than CNNs, and calls without a rule, tried once for each model."""
        return refusal_unless_cnn(self.title, model, "token-drop") or _reasons.against(model) or ""

    def price(self, model: LoadedModel) -> float:
        """Measured when first asked for."""
        return _price.of(model)

    def outputs(
        self, model: LoadedModel, forward: Forward, x: torch.Tensor, keep: torch.Tensor
    ) -> torch.Tensor:
        """As in ``Fill``; MethodError names what there is no rule for."""
        return _pass(model, forward, x, whole_pixels(self.name, keep, x), strict=False)


def _pass(
    model: LoadedModel, forward: Forward, x: torch.Tensor, keep: torch.Tensor, *, strict: bool
) -> torch.Tensor:
    mode = Travelling(
        model.module, LAYER_MASKING, LayerMasking.title, model.card.title, strict=strict
    )
    batch = mode.start(x.expand(len(keep), *x.shape[1:]), keep)
    with mode:
        return forward(batch)


def _trial(passes: Passes, pair: torch.Tensor) -> None:
    def masked(x: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
        leaf = x.clone().requires_grad_()
        return _pass(passes.model, passes.forward, leaf, keep, strict=True)

    try_inside(passes, pair, LayerMasking.title, masked)


_reasons = Reasons(LayerMasking, _trial)
_price = Price(lambda model, x, keep: _pass(model, model.forward, x, keep, strict=False))
