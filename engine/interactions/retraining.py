"""A second way into the Rashomon set: models of the same class that were really trained again.

Our definition. Masked models show the set only along the reference's own features; seeds, parts of
the rows and regularisation show how far they stand for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import MethodError, ModelError
from engine.execution.chunks import Chunks
from engine.execution.draws import generator
from engine.interactions.asking import Pair
from engine.interactions.columns_first import is_chain
from engine.interactions.counting import Tally
from engine.interactions.effects import OneModel
from engine.interactions.fitting import fit_estimator, fit_network
from engine.interactions.world import permutations
from engine.models.loaded import LoadedModel

if TYPE_CHECKING:
    from engine.interactions.planning import InteractionPlan

MOST_RETRAINED = 200
# Share of the rows that each is trained on, in turn; and how strongly it is regularised.
_SHARES = (1.0, 0.8, 0.6)
STRENGTHS = (0, 1, 2)


@dataclass(frozen=True, eq=False)
class Others:
    """Models that were trained again.

    Attributes:
        loss: float64 ``(others,)``, on the rows that judge the reference.
        effects, error: ``(pairs, others, 3)`` and ``(pairs, others, 4)``, as in ``Interactions``.
        told: how each was trained: ``{"seed", "share", "strength"}``.
    """

    loss: np.ndarray
    effects: np.ndarray
    error: np.ndarray
    told: list[dict[str, Any]]


def check_refittable(model: LoadedModel) -> None:
    """Raise ``MethodError`` if nothing is known of how to train a model of the same class."""
    if not model.differentiable:
        from sklearn.base import clone

        try:
            clone(model.module.estimator)
            return
        except Exception:
            raise MethodError(
                f"{model.card.title} cannot be trained again: scikit-learn cannot clone it; "
                "leave retrained at 0"
            ) from None
    if not is_chain(model.module):
        raise MethodError(
            f"{model.card.title} cannot be trained again: known are chains of linear layers for "
            "tables, and estimators of scikit-learn's kind; leave retrained at 0"
        )


def retrain(plan: InteractionPlan, tally: Tally, pairs: tuple[Pair, ...], base: float) -> Others:
    """Train models again and measure them on all pairs, with the permutations of the others.

    Args:
        plan: what was asked; its data are a table's.
        tally: counts passes; looked at before every step of training.
        pairs: of features.
        base: L*; training that ends above ten times it has failed.

    Raises:
        ModelError: the estimator cannot be fitted on these rows.
        Cancelled: the caller asked to stop.
    """
    data, model = plan.data, plan.data.model
    bank = permutations(data.count, plan.repeats, plan.seed)
    fit: Callable[..., LoadedModel] = fit_network if model.differentiable else fit_estimator
    rows: Any = data
    losses, found, told = [], [], []
    for index in range(plan.retrained):
        tally.check()
        share = _SHARES[index % len(_SHARES)]
        strength = STRENGTHS[index // len(_SHARES) % len(STRENGTHS)]
        chosen = _part(rows.rows.truth, share, plan.seed, index, model)
        part = rows.rows.part(chosen)
        fitted = fit(model, part, seed=plan.seed + index, strength=strength, check=tally.check)
        world = data.world(tally.passes(data.quickly(fitted)), Chunks(data.chunk), bank)
        one = OneModel(world)
        found.append([one.pair(i, j) for i, j in pairs])
        finite = all(np.isfinite(effects).all() for effects, _ in found[-1])
        losses.append(one.loss if finite else np.inf)
        told.append({"seed": plan.seed + index, "share": share, "strength": strength})
    if not min(losses) < 10 * max(base, 1e-3):
        raise ModelError(f"{model.card.title}: training again came nowhere near the reference")
    effects, error = (
        np.stack([[pair[part] for pair in one] for one in found], axis=1) for part in (0, 1)
    )
    return Others(np.array(losses), effects, error, told)


def _part(truth: np.ndarray, share: float, seed: int, index: int, model: LoadedModel) -> np.ndarray:
    """Return the places of the rows to train on; all, if a class would be missing otherwise."""
    count = len(truth)
    wanted = max(2, round(share * count))
    chosen = np.sort(generator(seed + 1, index).permutation(count)[:wanted])
    if model.activation != "identity" and set(truth[chosen]) != set(truth):
        return np.arange(count)
    return chosen
