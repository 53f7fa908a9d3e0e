"""The parts of a halo as closed lines: where it leaves the circle, and where it stays within."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.halo_shapes import HaloCurve

_BETWEEN = 6  # pieces between two neighbours
_ROUND = 120  # pieces of a circle
_ENDLESS = 10.0  # of ε: stands for a loss that is not finite, beyond what is drawn


@dataclass(frozen=True, eq=False)
class HaloShape:
    """Closed lines in units of the losses, float64 ``(points, 2)``.

    Attributes:
        known, unknown: the curve where budgets were spent, and where not; NaN between the parts.
        more: between circle and curve where the curve is outside.
        less: the same where it is inside.
        core: what is within both.
    """

    known: np.ndarray
    unknown: np.ndarray
    more: np.ndarray
    less: np.ndarray
    core: np.ndarray


def shape_of(
    curve: HaloCurve, reached: np.ndarray, most: float = np.inf, pieces: int = _BETWEEN
) -> HaloShape:
    """Return the parts of a halo; angle and radius change evenly between two neighbours.

    Args:
        curve: of a pair.
        reached: of each point, whether its budget was spent, bool ``(36,)``; where it was not,
            the curve says nothing of the circle: there it counts as on it.
        most: radius at which the curve is cut.
        pieces: between two neighbours.
    """
    part = np.arange(pieces) / pieces
    angles = np.append(curve.angle, curve.angle[0] + 2 * np.pi)
    radii = np.maximum(np.append(curve.radius, curve.radius[0]), 0)
    radii = np.where(np.isfinite(radii), radii, _ENDLESS * curve.expected)
    angle = (angles[:-1, None] + part * np.diff(angles)[:, None]).ravel()
    radius = (radii[:-1, None] + part * np.diff(radii)[:, None]).ravel()
    after = np.repeat(reached & np.roll(reached, -1), pieces)
    before = np.roll(after, 1)
    expected = curve.expected
    told = np.where(before & after, radius, expected)
    whole = closed(angle, np.minimum(radius, most))
    return HaloShape(
        known=_part(whole, before | after),
        unknown=_part(whole, ~(before & after)),
        more=_ring(angle, np.clip(told, expected, most), expected),
        less=_ring(angle, np.minimum(told, expected), expected),
        core=closed(angle, np.minimum(radius, expected)),
    )


def circle(radius: float) -> np.ndarray:
    """Return a closed circle around 0, float64 ``(121, 2)``."""
    return closed(np.arange(_ROUND) * 2 * np.pi / _ROUND, radius)


def closed(angle: np.ndarray, radius: np.ndarray | float) -> np.ndarray:
    """Return a closed line from angles and radii."""
    line = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return np.concatenate([line, line[:1]])


def _part(whole: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return the part of a closed line, NaN elsewhere."""
    return np.where(np.append(where, where[:1])[:, None], whole, np.nan)


def _ring(angle: np.ndarray, radius: np.ndarray, expected: float) -> np.ndarray:
    """Go around along the radii and back along the circle: what lies between them is filled."""
    return np.concatenate([closed(angle, radius), closed(angle, expected)[::-1]])
