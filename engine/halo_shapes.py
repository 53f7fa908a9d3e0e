"""The halo of a pair as a shape, and how masks and scores are read off what was computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEPS = 10
_ROUNDING = 1e-9  # of ε: what is nearer to the circle is on it
# What became of the search for a mask.
REACHED, NOT_REACHABLE, NO_EFFECT, NOT_MASKABLE = range(4)


@dataclass(frozen=True, eq=False)
class HaloCurve:
    """The halo of a pair at one budget, ready to draw: 36 points, by angle.

    Attributes:
        x, y: float64 ``(36,)``, where each point lies; the first feature to the right. A loss
            below L* is drawn at the centre (our definition); one that is not finite lies nowhere:
            NaN.
        angle: radians, −π … π, ascending.
        radius: what the model's loss is above L*; without interaction it is ``expected``.
        expected: ε, radius of the circle.
        steps, signs: int8 ``(36, 2)``, which model it is.
        masks: float64 ``(36, 2)``, the two features' m.
        inside: bool, moving both costs no more than the sum: the model stays in the set.
    """

    x: np.ndarray
    y: np.ndarray
    angle: np.ndarray
    radius: np.ndarray
    expected: float
    steps: np.ndarray
    signs: np.ndarray
    masks: np.ndarray
    inside: np.ndarray


def scores_of(effects: np.ndarray) -> np.ndarray:
    """Return FIS from effects ``(…, 3)``: φ_ij − φ_i − φ_j."""
    return np.asarray(effects[..., 2] - effects[..., 0] - effects[..., 1])


def masks_of(
    masks: np.ndarray, features: np.ndarray, steps: np.ndarray, signs: np.ndarray
) -> np.ndarray:
    """Return the m of some features for models told by steps and signs, ``(models, k)``.

    Args:
        masks: ``(11, features, 2)`` of one ε.
        features: ``(k,)``.
        steps, signs: ``(models, k)``; a sign of 0 leaves m at 1.
    """
    found = masks[steps, np.asarray(features)[None, :], (signs < 0).astype(np.int64)]
    return np.asarray(np.where(signs == 0, 1.0, found))


def outside(radius: np.ndarray, expected: float) -> np.ndarray:
    """Say which models cost more than the sum, bool ``(models,)``; not by rounding alone."""
    return np.asarray(radius - expected > _ROUNDING * expected)


def curve_of(
    radius: np.ndarray, expected: float, steps: np.ndarray, signs: np.ndarray, masks: np.ndarray
) -> HaloCurve:
    """Order the points of a halo by angle: atan2(b, a), each with the sign of its move."""
    across, up = (steps * signs).astype(np.float64).T
    angle = np.arctan2(up, across)
    order = np.argsort(angle, kind="stable")
    angle, radius = angle[order], radius[order]
    reach = np.where(np.isfinite(radius), np.maximum(radius, 0), np.nan)
    return HaloCurve(
        x=reach * np.cos(angle),
        y=reach * np.sin(angle),
        angle=angle,
        radius=radius,
        expected=expected,
        steps=steps[order],
        signs=signs[order],
        masks=masks[order],
        inside=~outside(radius, expected),
    )
