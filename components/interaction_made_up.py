"""Made-up interactions in a Rashomon set, for examples and tests.

The loss is a quadratic form of how far the masks move, so that the search has a closed form:
``L* + Σ k_i (m_i − 1)² + Σ c_ij (m_i − 1)(m_j − 1)``. A budget t is spent by m = 1 ± √(t / k), and
a pair's halo has the radius t_a + t_b ± c √(t_a t_b / (k_i k_j)).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

import numpy as np

from engine.interaction_results import (
    NO_EFFECT,
    REACHED,
    STEPS,
    Ball,
    Interactions,
    masks_of,
)

TITLES = ("Age", "Prior offences", "Charge", "Juvenile offences", "Sex", "Weekday")
BASE, EPSILON = 0.632, 0.0632
_RATES = np.array([0.2, 0.4, 0.6, 0.8, 1.0])  # of ε
_STEEP = np.array([0.05, 0.09, 0.03, 0.12, 0.02, 0.04])
_RELIANCE = np.array([0.05, 0.09, 0.012, 0.03, 0.004, 0.0])
_TIED = {(0, 1): 1.1, (1, 2): -0.9, (0, 3): -0.5, (2, 3): 0.25}  # by √(k_i k_j)
_SCORES = {(0, 1): 0.021, (1, 2): -0.013, (0, 3): -0.007, (2, 3): 0.002}
_DOUBT = 0.0008


def interactions(
    titles: Sequence[str] = TITLES,
    *,
    pairs: Sequence[tuple[int, int]] | None = None,
    others: int = 4,
    flip: float = 1.0,
    idle: Sequence[int] = (),
    status: int = NO_EFFECT,
) -> Interactions:
    """Return made-up interactions of two to six features.

    Args:
        titles: of the features.
        pairs: that were looked at closely; by default all.
        others: how many models were trained again; 0 for none.
        flip: −1 turns the sign of every interaction round.
        idle: features whose masks do not move.
        status: why: what became of their search.
    """
    count = len(titles)
    places = list(combinations(range(count), 2)) if pairs is None else list(pairs)
    epsilons = EPSILON * _RATES
    masks, state = _searched(count, epsilons, idle, status)
    steps, signs = _models()
    halo_steps, halo_signs = steps[_on_curve(steps)], signs[_on_curve(steps)]
    moved = [masks_of(masks[-1], np.array(pair), steps, signs) - 1 for pair in places]
    effects = np.stack([_effects(p, m, flip) for p, m in zip(places, moved, strict=True)])
    error = np.broadcast_to([0.0, 0.0, 0.0, _DOUBT / 2], (*effects.shape[:2], 4)).copy()
    strength = np.full((count, count), np.nan)
    for i, j in combinations(range(count), 2):
        strength[i, j] = strength[j, i] = flip * _SCORES.get((i, j), 0.0)
    trained = _others(places, others, flip)
    return Interactions(
        manifest=_manifest(titles, others),
        epsilons=epsilons,
        masks=masks,
        search_loss=BASE + _STEEP[:count, None] * (masks - 1) ** 2,
        status=state,
        pairs=np.array(places, np.int32),
        steps=steps,
        signs=signs,
        loss=_losses(places, masks[-1], (steps, signs), flip),
        effects=effects,
        error=error,
        halo_steps=halo_steps,
        halo_signs=halo_signs,
        halo_loss=np.stack([_losses(places, one, (halo_steps, halo_signs), flip) for one in masks]),
        reliance=_RELIANCE[:count].copy(),
        reliance_error=np.full(count, _DOUBT / 2),
        strength=strength,
        strength_error=np.where(np.isnan(strength), np.nan, _DOUBT / 2),
        **trained,
    )


def with_regions(side: int = 64, flip: float = 1.0) -> tuple[Interactions, np.ndarray]:
    """Return made-up interactions of six regions of a picture, and the picture, uint8."""
    y, x = np.mgrid[:side, :side] / side
    wave = 0.06 * np.sin(9 * x)
    regions = ((y + wave > 0.5) * 3 + np.digitize(x + 0.05 * np.cos(8 * y), [0.34, 0.66])).astype(
        np.int32
    )
    shades = np.stack([90 + 120 * x, 110 + 80 * y, 170 - 60 * x * y], axis=-1)
    ball = np.hypot(x - 0.45, y - 0.45) < 0.25
    picture = np.where(ball[..., None], (230, 170, 60), shades).astype(np.uint8)
    found = interactions([f"region {index}" for index in range(6)], others=0, flip=flip)
    arrays = {name: getattr(found, name) for name in found.arrays if name != "regions"}
    return Interactions(found.manifest, **arrays, regions=regions), picture


def ball(fourth: bool = False, flip: float = 1.0) -> Ball:
    """Return three made-up features that share ε, or four."""
    features = np.arange(4 if fourth else 3, dtype=np.int32)
    places = features.tolist()
    signed = np.unique(
        [
            [step * sign for step, sign in zip(one, turns, strict=True)]
            for one in product(range(STEPS + 1), repeat=len(features))
            if sum(one) == STEPS
            for turns in product((1, -1), repeat=len(features))
        ],
        axis=0,
    ).astype(np.int8)
    moved = np.sign(signed) * np.sqrt(np.abs(signed) / STEPS * EPSILON / _STEEP[: len(features)])
    loss = BASE + (_STEEP[: len(features)] * moved**2).sum(axis=1)
    for i, j in combinations(places, 2):
        loss = loss + flip * _tie(i, j) * moved[:, i] * moved[:, j]
    sizes = range(1, len(places) + 1)
    subsets = [list(subset) for size in sizes for subset in combinations(places, size)]
    together = [
        float(_RELIANCE[s].sum())
        + flip * sum(_SCORES.get((i, j), 0.0) for i, j in combinations(s, 2))
        for s in subsets
    ]
    display = {**_manifest(TITLES, 0)["display"], "subsets": subsets}
    return Ball(
        manifest={**_manifest(TITLES, 0), "display": display},
        features=features,
        steps=np.abs(signed),
        signs=np.sign(signed),
        masks=1 + moved,
        loss=loss,
        effects=np.array(together),
        error=np.full(len(subsets), _DOUBT / 2),
    )


def _searched(
    count: int, epsilons: np.ndarray, idle: Sequence[int], status: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return masks ``(rates, 11, features, 2)`` and what became of their search."""
    budgets = epsilons[:, None] * np.arange(STEPS + 1) / STEPS
    far = np.sqrt(budgets[..., None] / _STEEP[:count])
    far[..., list(idle)] = 0.0
    state = np.full((*far.shape, 2), REACHED, np.uint8)
    state[:, 1:, list(idle)] = status
    return np.stack([1 + far, 1 - far], axis=-1), state


def _models() -> tuple[np.ndarray, np.ndarray]:
    """Return steps and signs of a cloud's models, the reference first."""
    told = [(0, 0, 0, 0)] + [
        (a, b, up, across)
        for a, b in product(range(STEPS + 1), repeat=2)
        if a + b <= STEPS
        for up, across in product((1, -1), repeat=2)
    ]
    both = np.array(told, np.int8)
    return both[:, :2], both[:, 2:]


def _on_curve(steps: np.ndarray) -> np.ndarray:
    return np.asarray((steps.sum(axis=1) == STEPS) & (steps > 0).all(axis=1))


def _tie(i: int, j: int) -> float:
    return float(_TIED.get((i, j), 0.0) * np.sqrt(_STEEP[i] * _STEEP[j]))


def _loss(pair: tuple[int, int], moved: np.ndarray, flip: float) -> np.ndarray:
    i, j = pair
    alone = (_STEEP[list(pair)] * moved**2).sum(axis=1)
    return np.asarray(BASE + alone + flip * _tie(i, j) * moved[:, 0] * moved[:, 1])


def _losses(
    pairs: Sequence[tuple[int, int]],
    masks: np.ndarray,
    models: tuple[np.ndarray, np.ndarray],
    flip: float,
) -> np.ndarray:
    """Return the loss of some models of every pair, ``(pairs, models)``."""
    moved = [masks_of(masks, np.array(pair), *models) - 1 for pair in pairs]
    return np.stack([_loss(p, m, flip) for p, m in zip(pairs, moved, strict=True)])


def _effects(pair: tuple[int, int], moved: np.ndarray, flip: float) -> np.ndarray:
    """Return φ of both and of the two together: the further a mask goes up, the larger."""
    alone = _RELIANCE[list(pair)] * (1 + 0.4 * moved)
    swing = 1 + 0.8 * moved[:, 0] + 0.5 * moved[:, 1] - 0.3 * moved[:, 0] * moved[:, 1]
    score = flip * _SCORES.get(pair, 0.0) * swing + 0.0006 * moved[:, 1]
    return np.column_stack([alone, alone.sum(axis=1) + score])


def _others(places: Sequence[tuple[int, int]], others: int, flip: float) -> dict[str, Any]:
    if not others:
        return {}
    drawn = np.random.default_rng(0).normal(0, 0.25, (others, 2))
    effects = np.stack([_effects(pair, drawn, flip) for pair in places])
    return {
        "other_loss": BASE + EPSILON * np.linspace(0.2, 1.3, others),
        "other_effects": effects,
        "other_error": np.broadcast_to([0.0, 0.0, 0.0, _DOUBT / 2], (*effects.shape[:2], 4)).copy(),
    }


def _manifest(titles: Sequence[str], others: int) -> dict[str, Any]:
    return {
        "key": "example",
        "request": {"rate": 0.1, "epsilon": None, "repeats": 100, "seed": 0},
        "display": {
            "columns": [title.lower().replace(" ", "_") for title in titles],
            "titles": list(titles),
            "loss": "log-loss",
            "unit": "nats",
            "base_loss": BASE,
            "epsilon": EPSILON,
            "rates": (0.1 * _RATES).tolist(),
            "notes": [],
            "others": [{"seed": seed, "share": 1.0, "strength": 0} for seed in range(others)],
        },
        "source": {"model_title": "A model", "table": "A table"},
        "outcome": {"samples": 1000, "slow_searches": 0, "exact_pairs": 0, "searched": 900},
    }


__all__ = ["BASE", "EPSILON", "TITLES", "ball", "interactions", "with_regions"]
