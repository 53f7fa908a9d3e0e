"""SparK's way of hiding (tian2023designing): layer masking's simple sibling."""

from __future__ import annotations

import torch

from engine.execution.passes import Passes
from engine.execution.reasons import Reasons
from engine.masking.fills.fill import Fill, Forward
from engine.masking.fills.pricing import Price
from engine.masking.fills.suiting import refusal_unless_cnn, whole_pixels
from engine.masking.fills.trying import try_inside
from engine.masking.layers.sparse import REDUCTION, cells_of, laid_on, sparse_rules
from engine.masking.layers.travelling import Travelling
from engine.models.loaded import LoadedModel


class Spark(Fill):
    """Zeros, laid on again after every convolution, in cells of 32 × 32 pixels.

    A cell goes when half or more of its pixels are hidden; what is hidden of the others gets the
    mean colour (both ours). At the end the mean is that of the cells that stay, as in layer
    masking (ours; the paper trains with such masks and pools whole pictures).
    """

    name = "spark"
    title = "SparK"
    summary = "Zeros, laid on again after every convolution, in cells of 32 × 32 pixels."
    paper = "tian2023designing"
    inside = True

    def refusal(self, model: LoadedModel) -> str:
        """Networks other than CNNs, pictures of one cell, and calls without a rule."""
        return (
            refusal_unless_cnn(self.title, model, "token-drop")
            or _too_small(model)
            or _reasons.against(model)
            or ""
        )

    def price(self, model: LoadedModel) -> float:
        """Measured when first asked for."""
        return _price.of(model)

    def outputs(
        self, model: LoadedModel, forward: Forward, x: torch.Tensor, keep: torch.Tensor
    ) -> torch.Tensor:
        """As in ``Fill``; MethodError names what there is no rule for."""
        return _pass(model, forward, x, whole_pixels(self.name, keep, x), strict=False)


def _too_small(model: LoadedModel) -> str:
    rows, columns = model.spec.shape[-2:]
    if max(rows, columns) > REDUCTION:
        return ""
    return (
        f"{Spark.title} hides cells of {REDUCTION} × {REDUCTION} pixels; {model.card.title} sees "
        f"{rows} × {columns}: use layer-masking"
    )


def _pass(
    model: LoadedModel, forward: Forward, x: torch.Tensor, keep: torch.Tensor, *, strict: bool
) -> torch.Tensor:
    cells = cells_of(keep)
    rules, title = sparse_rules(cells), model.card.title
    mode = Travelling(model.module, rules, Spark.title, title, strict=strict)
    batch = mode.start(torch.where(keep, x, 0), laid_on(cells, keep))
    with mode:
        return forward(batch)


def _trial(passes: Passes, pair: torch.Tensor) -> None:
    def masked(x: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
        leaf = x.clone().requires_grad_()
        return _pass(passes.model, passes.forward, leaf, keep, strict=True)

    try_inside(passes, pair, Spark.title, masked)


_reasons = Reasons(Spark, _trial)
_price = Price(lambda model, x, keep: _pass(model, model.forward, x, keep, strict=False))
