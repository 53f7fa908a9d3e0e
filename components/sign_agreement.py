"""Whether all good models agree in the sign of a pair's interaction."""

from __future__ import annotations

from typing import Literal

import numpy as np

from engine.interaction_results import Interactions

Verdict = Literal["plus", "minus", "both", "some plus", "some minus", "none"]

SURE = 2  # standard errors that are told with a score, as in ``Interactions.doubt``


def verdicts(found: Interactions, epsilon: float | None = None) -> list[Verdict]:
    """Say of each pair which signs the scores of the models in the set have.

    Args:
        found: the interactions.
        epsilon: how far above L* a loss may be; by default what was asked for.

    Returns:
        "plus" or "minus" where all have it, "both" where some have one and some the other,
        "some plus" or "some minus" where the rest cannot be told from zero, else "none".
    """
    inside, scores, doubt = found.members(epsilon), found.scores, found.doubt
    told: list[Verdict] = []
    for pair in range(len(found.pairs)):
        chosen = found.distinct(pair)
        chosen = chosen[inside[pair, chosen]]
        up = scores[pair, chosen] > doubt[pair, chosen]
        down = scores[pair, chosen] < -doubt[pair, chosen]
        told.append(_verdict(up, down))
    return told


def _verdict(up: np.ndarray, down: np.ndarray) -> Verdict:
    if up.any() and down.any():
        return "both"
    if not (up.any() or down.any()):
        return "none"
    if up.any():
        return "plus" if up.all() else "some plus"
    return "minus" if down.all() else "some minus"
