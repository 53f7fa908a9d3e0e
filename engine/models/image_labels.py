"""Labels of pictures and a model's classes: the same thing by two names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.errors import InputError, nearest
from engine.models.labels import plain_name

NONE = -1


def match_labels(labels: Sequence[str | None], classes: Sequence[str]) -> np.ndarray:
    """Return the index of each label among a model's classes, int32 ``(n,)``; -1 for none.

    Upper and lower case, "_", "-" and spaces count as the same.

    Raises:
        InputError: there are labels, and none of them is a class.
    """
    known: dict[str, int] = {}
    for index, name in enumerate(classes):
        known.setdefault(plain_name(name), index)
    given = [label for label in labels if label is not None]
    found = np.array(
        [NONE if label is None else known.get(plain_name(label), NONE) for label in labels],
        dtype=np.int32,
    )
    if given and (found < 0).all():
        raise InputError(
            f"the model knows none of the labels; the first is {given[0]!r}, "
            f"{nearest(given[0], list(classes)[:20])}"
        )
    return found
