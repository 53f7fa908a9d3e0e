"""What pruning changes class by class, with and without labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import InputError
from engine.models.image_labels import NONE
from engine.scores import Share, change_of, share_of


@dataclass(frozen=True)
class Difference:
    """How much more often something is right after than before, of the same pictures.

    Attributes:
        value: after − before, −1 … 1; NaN of nothing.
        low, high: 95 % interval of paired shares (newcombe1998improved, the tenth method).
        lost: right before and wrong after.
        gained: wrong before and right after.
    """

    value: float
    low: float
    high: float
    lost: int
    gained: int


@dataclass(frozen=True)
class ClassChange:
    """One class.

    Attributes:
        index: of the class.
        before, after: share of its pictures that were named right, with Wilson's interval.
        change: the difference.
        named_before, named_after: how many pictures of any class were named so.
    """

    index: int
    before: Share
    after: Share
    change: Difference
    named_before: int
    named_after: int


@dataclass(frozen=True)
class Changes:
    """What pruning changes.

    Attributes:
        classes: those that have pictures, in the model's order.
        before, after: accuracy over all pictures with a label; count 0 without labels.
        change: the difference.
        agreement: share of all pictures that are named as before. Without labels, that is all
            that can be said; ``classes`` then go by what was named before, so ``before`` is 1.
        labelled: whether ``classes`` go by labels.
    """

    classes: tuple[ClassChange, ...]
    before: Share
    after: Share
    change: Difference
    agreement: Share
    labelled: bool


def changes_between(
    before: np.ndarray, after: np.ndarray, labels: np.ndarray | None = None
) -> Changes:
    """Compare what two models say of the same pictures.

    Args:
        before, after: predicted classes, whole numbers ``(n,)``.
        labels: true classes, −1 where there is none; None: there are none.

    Raises:
        InputError: no pictures, or lengths that differ.
    """
    old, new = np.asarray(before), np.asarray(after)
    known = np.full(len(old), NONE) if labels is None else np.asarray(labels)
    if not len(old) or old.shape != new.shape or old.shape != known.shape or old.ndim != 1:
        raise InputError(
            f"predictions before and after, and labels, are of the same pictures (n,); they are "
            f"{old.shape}, {new.shape} and {known.shape}"
        )
    there = known != NONE
    labelled = bool(there.any())
    truth = known if labelled else old
    used = there if labelled else np.ones(len(old), dtype=bool)
    right, still = (old == truth)[used], (new == truth)[used]
    classes = tuple(
        ClassChange(
            int(index),
            share_of(right[truth[used] == index]),
            share_of(still[truth[used] == index]),
            difference_of(right[truth[used] == index], still[truth[used] == index]),
            int((old == index).sum()),
            int((new == index).sum()),
        )
        for index in np.unique(truth[used])
    )
    first, second = (right, still) if labelled else (right[:0], still[:0])
    return Changes(
        classes,
        share_of(first),
        share_of(second),
        difference_of(first, second),
        share_of(old == new),
        labelled,
    )


def difference_of(before: np.ndarray, after: np.ndarray) -> Difference:
    """Return the difference of two shares of the same pictures, with its interval.

    Args:
        before, after: bool ``(n,)``.
    """
    lost, gained = int((before & ~after).sum()), int((~before & after).sum())
    found = change_of(before, after)
    return Difference(found.value, found.low, found.high, lost, gained)
