"""Hold a map against the mask of what is known to decide the class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from skimage.morphology import convex_hull_image

from engine.results import Attribution


@dataclass(frozen=True)
class Inside:
    """How much of a map lies inside the true mask.

    Attributes:
        share: of the positive evidence (of the magnitudes, where these are shown), 0 … 1.
        area: of the picture that the mask covers, 0 … 1: what a map spread evenly would get.
        peak: whether the strongest place lies inside (the pointing game, zhang2018top).
        peak_in_hull: whether it lies inside the mask's convex hull: a map that points into the
            hole of a ring is not all wrong.
    """

    share: float
    area: float
    peak: bool
    peak_in_hull: bool


def inside(attribution: Attribution, mask: np.ndarray) -> Inside | None:
    """Hold a map against a mask.

    Args:
        attribution: of a picture.
        mask: bool ``(rows, columns)`` of what the network saw; the map is brought to its size.

    Returns:
        None where the mask is empty (the crop may have cut it off).
    """
    if not mask.any():
        return None
    magnitude = attribution.manifest["display"]["view"] == "magnitude"
    values = attribution.resized(*mask.shape, magnitude=magnitude)
    positive = np.clip(values.astype(np.float64), 0, None)
    total = positive.sum()
    row, column = divmod(int(values.argmax()), mask.shape[1])
    return Inside(
        share=float(positive[mask].sum() / total) if total > 0 else 0.0,
        area=float(mask.mean()),
        peak=bool(mask[row, column]),
        peak_in_hull=bool(convex_hull_image(mask)[row, column]),
    )
