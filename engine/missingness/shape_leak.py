"""Shape leak: does the outline of what is hidden tell what was there?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Progress
from engine.inputs.image_sets import ImageSet
from engine.mask_results import ShapeLeak
from engine.missingness.probe import Probe, Row, Seen
from engine.missingness.study_asking import asked_of
from engine.models.seen_masks import seen_mask


class ShapeLeakPlan(Probe):
    """The object hidden, then the same shape hidden half a picture away."""

    kind = ShapeLeak

    @property
    def each(self) -> Cost:
        """Two passes for each fill."""
        return Cost(2 * len(self.fills))

    def of_picture(self, seen: Seen) -> Row | str:
        """Answers of a picture that was named right at first."""
        mask = seen_mask(self.model, seen.picture)
        if mask is None or not mask.any():
            return "no true mask tells where its object is"
        label = self.labels[seen.place]
        if int(seen.logits.argmax()) != label:
            return "its class was not named right with nothing hidden"
        keep = ~np.stack([mask, moved(mask)])
        answers = [seen.under(keep, fill).argmax(axis=1) for fill in self.fills]
        return {
            "predicted": np.array(answers, dtype=np.int32),  # (fills, 2)
            "labels": np.array(label, dtype=np.int32),
            "area": np.array(mask.mean(), dtype=np.float32),
        }


def moved(mask: np.ndarray) -> np.ndarray:
    """Move a shape by half the height and half the width; what leaves comes in on the other side.

    >>> moved(np.eye(4, dtype=bool)[:, :2]).astype(int).tolist()
    [[0, 0], [0, 0], [0, 1], [1, 0]]
    """
    rows, columns = mask.shape
    return np.roll(mask, (rows // 2, columns // 2), axis=(0, 1))


def plan_shape_leak(
    model: Any,
    images: ImageSet,
    *,
    fills: Sequence[str] = (),
    count: int | None = None,
    seed: int = 0,
) -> ShapeLeakPlan:
    """Check a probe and return what it would be known by and cost, without making it.

    Arguments and errors as in ``shape_leak``.
    """
    return ShapeLeakPlan(*asked_of(model, images, ShapeLeak.kind, fills, count, seed))


def shape_leak(
    model: Any,
    images: ImageSet,
    *,
    fills: Sequence[str] = (),
    count: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> ShapeLeak:
    """Hide the object of each picture by its true mask, and the same shape elsewhere.

    Args:
        model: a loaded model, a reference, or an ``nn.Module``.
        images: with labels and true masks; others are left out.
        fills: names of fills; by default all that suit the model.
        count: how many pictures, as many of each class as can be; by default all.
        seed: of what fills draw.
        progress, cancel: as in ``missingness_study``.

    Raises:
        InputError: no picture has a mask and was named right.
        MethodError, ParameterError, Cancelled, OutOfMemory: as in ``missingness_study``.
    """
    planned = plan_shape_leak(model, images, fills=fills, count=count, seed=seed)
    found: ShapeLeak = planned.run(progress, cancel)
    return found
