"""Sentences that read masks out: what was hidden, where fills agree, how a curve falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from components import mask_curve, saying
from components.predictions import percent
from engine.mask_results import MaskPreview, MaskSweep
from engine.results import Prediction

# Fills that name the same class may still differ in how sure they leave the model: apart from
# this many points on, it is said. Ours.
_APART = 20.0


@dataclass(frozen=True, eq=False)
class Filled:
    """One fill of a mask, and what the model says then.

    Attributes:
        title: of the fill.
        said: by the model.
    """

    title: str
    said: Prediction


def said_before(preview: MaskPreview) -> Prediction:
    """Return what the model says of the whole input."""
    return _said(preview, 0)


def said_after(preview: MaskPreview) -> Prediction:
    """Return what it says under the first mask."""
    return _said(preview, 1)


def _said(preview: MaskPreview, place: int) -> Prediction:
    return Prediction(
        preview.logits[place],
        preview.probabilities[place],
        preview.classes,
        float(preview.manifest["outcome"]["seconds"]),
    )


def change(preview: MaskPreview) -> str:
    """Say what was done: "with 49 % hidden"."""
    return f"with {saying.share(float(preview.hidden[0]))} hidden"


def kept(preview: MaskPreview) -> str:
    """Say how much stays, in cells: "98 of 196 cells stay"."""
    keep = preview.keep[0]
    stay = saying.number(int(keep.sum()), 9)
    unit = "pixels" if list(keep.shape) == preview.manifest["display"]["size"] else "cells"
    return f"{stay} of {saying.number(keep.size, 9)} {unit} stay"


def fills_sentence(before: Prediction, filled: Sequence[Filled]) -> str:
    """Say whether fills of one mask agree, and what that means.

    Args:
        before: what the model says of the whole picture.
        filled: at least one.
    """
    if len(filled) < 2:
        return "With a single fill there is nothing to compare: another model may take more."
    answers: dict[int, list[str]] = {}
    for one in filled:
        answers.setdefault(one.said.best, []).append(saying.listed(one.title))
    if len(answers) > 1:
        return _disagreement(before, answers)
    (best,) = answers
    name = saying.named(before.classes[best])
    shares = [100 * float(one.said.probabilities[best]) for one in filled]
    low, high = (filled[int(f(shares))] for f in (np.argmin, np.argmax))
    if max(shares) - min(shares) >= _APART:
        return (
            f"All {len(filled)} fills say {name}, but not as surely: from "
            f"{percent(min(shares) / 100)} ({saying.listed(low.title)}) to "
            f"{percent(max(shares) / 100)} ({saying.listed(high.title)}). What stands in the "
            "hidden part speaks too, so scores made with a single fill carry its bias."
        )
    return (
        f"All {len(filled)} fills say {name}, within {max(shares) - min(shares):.1f} points: what "
        "stands in the hidden part makes little difference here, so the answer tells of what "
        "is left."
    )


def _disagreement(before: Prediction, answers: dict[int, list[str]]) -> str:
    told = [
        f"{saying.named(before.classes[best])} ({saying.joined(titles)})"
        for best, titles in sorted(answers.items(), key=lambda item: -len(item[1]))
    ]
    own = answers.get(before.best, [])
    whole = saying.named(before.classes[before.best])
    keeps = "keeps" if len(own) == 1 else "keep"
    ending = f" Only {saying.joined(own)} {keeps} {whole}." if own else ""
    return (
        f"The same mask, another answer: {saying.joined(told)}. The fill itself is taken for "
        "something seen: that is missingness bias. Do not read such a change as the effect of "
        f"what was hidden.{ending}"
    )


def sweep_sentence(sweep: MaskSweep, target: int, share: float, *, remove: bool) -> str:
    """Say how a curve stands at a share, and where the answer first changes.

    Args:
        sweep: both directions.
        target: index of the class.
        share: that is looked at, 0 … 1.
        remove: the top is removed; else nothing but it is kept.
    """
    values = mask_curve.curve(sweep, remove)
    level = mask_curve.nearest(sweep, share)
    name = saying.named(sweep.classes[target])
    what = "removed" if remove else "kept alone"
    told = saying.share(round(float(sweep.share[level]), 4))
    now = percent(float(values[level, target]))
    first = f"With the top {told} {what}, {name} has {now}. "
    logits = sweep.removed if remove else sweep.kept
    assert logits is not None
    holds = logits.argmax(axis=1) == target
    if remove:
        return first + _lost(sweep, holds, name)
    return first + _found(sweep, holds, name)


def _lost(sweep: MaskSweep, holds: np.ndarray, name: str) -> str:
    if not holds[0]:
        return f"The whole picture is not called {name} to begin with."
    gone = np.flatnonzero(~holds)
    if not len(gone):
        return f"The answer stays {name} even with all of it removed: the fill alone is called so."
    at = saying.share(round(float(sweep.share[gone[0]]), 4))
    return f"The answer is first another with {at} removed."


def _found(sweep: MaskSweep, holds: np.ndarray, name: str) -> str:
    if holds[0]:
        return f"With nothing kept the answer is {name} already: the fill alone is called so."
    there = np.flatnonzero(holds)
    if not len(there):
        return f"The answer is {name} at no share."
    at = saying.share(round(float(sweep.share[there[0]]), 4))
    return f"The first {at} of the map are enough for the answer {name}."
