"""How features, pairs, models and budgets of a Rashomon set are called."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from components import fitting, saying
from components.tokens import NEGATIVE, POSITIVE
from engine.halo_shapes import REACHED, STEPS
from engine.interaction_results import Interacting, Interactions

MORE, LESS = POSITIVE, NEGATIVE  # together costs more than the sum, and less
_CROSS = " × "


def pair_named(found: Interactions, pair: int, room: float = np.inf) -> str:
    """Return what people call a pair, "Age × Prior offences", cut to some pixels."""
    return crossed([found.titles[i] for i in found.pairs[pair]], room)


def listed_pair(found: Interactions, pair: int) -> str:
    """Return a pair as it stands within a sentence: "age × prior offences"."""
    return _CROSS.join(saying.listed(found.titles[i]) for i in found.pairs[pair])


def crossed(titles: Sequence[str], room: float = np.inf, size: float = 12) -> str:
    """Join titles by "×", each cut so that all take at most ``room`` pixels."""
    if np.isinf(room) or fitting.width(_CROSS.join(titles), size) <= room:
        return _CROSS.join(titles)
    rest = room - fitting.width(_CROSS, size) * (len(titles) - 1)
    left, told = len(titles), {}
    for title in sorted(titles, key=lambda name: fitting.width(name, size)):
        told[title] = fitting.fitted(title, rest / left, size)
        rest -= fitting.width(told[title], size)
        left -= 1
    return _CROSS.join(told[title] for title in titles)


def features_of(found: Interacting, features: Sequence[int]) -> str:
    """List features within a sentence: "age and prior offences"."""
    return saying.joined([saying.listed(found.titles[int(i)]) for i in features])


def order_of(found: Interactions) -> np.ndarray:
    """Return the pairs by strength: the largest score of a model as good first."""
    return np.argsort(-np.abs(found.spread()).max(axis=1), kind="stable")


def is_one_picture(found: Interactions) -> bool:
    """Whether a single picture judges the models: there is nothing to permute with."""
    return found.regions is not None and found.outcome["samples"] == 1


def samples_of(found: Interactions) -> str:
    """Say what judges the models: "6172 rows", "20 pictures"."""
    thing = "row" if found.regions is None else "picture"
    return saying.counted(int(found.outcome["samples"]), thing)


def place_of(found: Interactions, i: int, j: int) -> int | None:
    """Return the place of a pair among those looked at closely; None if it is not."""
    there = (found.pairs == (i, j)).all(axis=1) | (found.pairs == (j, i)).all(axis=1)
    return int(there.argmax()) if there.any() else None


def reached(
    found: Interactions, pair: int, steps: np.ndarray, signs: np.ndarray, rate: int = -1
) -> np.ndarray:
    """Say of models whether both features spend what they should, bool ``(models,)``."""
    down = (signs < 0).astype(np.int64)
    state = found.status[rate][steps, found.pairs[pair][None, :], down]  # (models, 2)
    return np.asarray(((state == REACHED) | (steps == 0)).all(axis=1))


def spread_told(spread: np.ndarray) -> str:
    """Say the smallest, median and largest score of the good models.

    >>> spread_told(np.array([-0.01, 0.02, 0.05]))
    'FIS −0.01 … +0.02 … +0.05'
    """
    return f"FIS {' … '.join(saying.signed(float(value)) for value in spread)}"


def masks_told(titles: Sequence[str], masks: np.ndarray) -> str:
    """Say masks: "m of age 0.91, of prior offences 1.23"."""
    told = [
        f"{'m ' if not at else ''}of {saying.inside(title)} {saying.number(float(m))}"
        for at, (title, m) in enumerate(zip(titles, masks, strict=True))
    ]
    return ", ".join(told)


def budget_told(steps: np.ndarray, signs: np.ndarray) -> str:
    """Say how a model spends ε: "3/10 up, 7/10 down"."""
    ways = {1: " up", -1: " down", 0: ""}
    return ", ".join(f"{step}/{STEPS}{ways[int(s)]}" for step, s in zip(steps, signs, strict=True))
