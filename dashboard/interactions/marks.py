"""The pair and the model that are looked at: set by clicks and by widgets, told in the link."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard.interactions.keys import PREFIX
from dashboard.state import restore

if TYPE_CHECKING:
    from engine.interaction_results import Interactions

Pair = tuple[int, int]
_MARKS, _VERSION = "i-marks", "i-version"
_RETRAINED, _HALO = re.compile(r"r(\d{1,4})"), re.compile(r"h(\d)\.(\d{1,2})")


@dataclass(frozen=True)
class Marks:
    """What is looked at.

    Attributes:
        pair: two features, or None where none was chosen yet.
        model: one of the pair's models: "17" of its cloud, 0 being the reference; "r2", one that
            was trained again; "h1.12", a point of the halo of a smaller budget, which belongs to
            no cloud; or "".
    """

    pair: Pair | None = None
    model: str = ""


def kept() -> Marks:
    """Return what is looked at now."""
    found: Marks = st.session_state.get(_MARKS, Marks())
    return found


def keep(now: Marks) -> None:
    """Look at something else.

    Widgets that tell it get another key, so that of two quick clicks the second does not put back
    what they told before the first.
    """
    if now != kept():
        renew()
    st.session_state[_MARKS] = now


def renew() -> None:
    """Give the widgets that tell what is looked at another key: what they told is gone."""
    st.session_state[_VERSION] = int(st.session_state.get(_VERSION, 0)) + 1


def key(name: str) -> str:
    """Return the present key of a widget that tells what is looked at."""
    return f"{PREFIX}{name}.{st.session_state.get(_VERSION, 0)}"


def place(found: Interactions) -> int:
    """Return the place of the pair that is looked at; the strongest where it is not there."""
    from components.interaction_names import order_of, place_of

    pair = kept().pair
    at = None if pair is None else place_of(found, *pair)
    return int(order_of(found)[0]) if at is None else at


def look_at(found: Interactions, pair: int, model: str = "") -> None:
    """Look at a pair by its place, and at one of its models."""
    i, j = (int(feature) for feature in found.pairs[pair])
    keep(Marks((i, j), model))


def settle(found: Interactions, *, keeping: bool = True) -> tuple[int, Member | None]:
    """Return the pair's place and its model; what is not there is let go of.

    Args:
        found: the interactions.
        keeping: not for a result that waits for the next one, of which the marks may speak.
    """
    pair, asked = place(found), kept()
    i, j = (int(feature) for feature in found.pairs[pair])
    now = replace(kept(), pair=(i, j)) if kept().pair is not None else kept()
    member = member_of(found, pair, now.model)
    if now.model and (member is None or kept().pair != (i, j)):
        now, member = replace(now, model=""), None
    if keeping and now != asked:
        _tell_missed(asked, now)
        keep(now)
    return pair, member


def _tell_missed(asked: Marks, now: Marks) -> None:
    """Note what a link looks at and is not there."""
    if asked.pair is not None and now.pair != tuple(sorted(asked.pair)):
        restore.missed(f"the pair {asked.pair[0]}:{asked.pair[1]} is not among those looked at")
    elif asked.model and not now.model:
        restore.missed(f"there is no model {asked.model} of that pair")


@dataclass(frozen=True, eq=False)
class Member:
    """A model of a pair, wherever it comes from.

    Attributes:
        cloud: its place in the pair's cloud, or None.
        other: its place among those trained again, or None.
        masks: the m of both features, float64 ``(2,)``; None of a model trained again.
        chosen: steps and signs; None of a model trained again.
        rate: place of the budget that it spends.
        loss: of the model.
        score, error: FIS with its standard error; None where it was not measured.
    """

    cloud: int | None
    other: int | None
    masks: np.ndarray | None
    chosen: tuple[Pair, Pair] | None
    rate: int
    loss: float
    score: float | None
    error: float


def member_of(found: Interactions, pair: int, text: str) -> Member | None:
    """Return the model that a text names, or None where there is none such."""
    if text.isdecimal() and int(text) < len(found.steps):
        return _of_cloud(found, pair, int(text))
    retrained, halo = _RETRAINED.fullmatch(text), _HALO.fullmatch(text)
    if retrained and found.other_loss is not None:
        return _of_others(found, pair, int(retrained[1]))
    if halo and int(halo[1]) < len(found.epsilons):
        return _of_halo(found, pair, int(halo[1]), int(halo[2]))
    return None


def named(found: Interactions, pair: int, rate: int, at: int) -> str:
    """Return the text of a point of a halo: at the largest budget it is a model of the cloud."""
    curve = found.halo(pair, rate)
    if rate not in (-1, len(found.epsilons) - 1):
        return f"h{rate}.{at}"
    own = (found.steps == curve.steps[at]).all(axis=1) & (found.signs == curve.signs[at]).all(
        axis=1
    )
    return str(int(own.argmax()))


def _of_cloud(found: Interactions, pair: int, model: int) -> Member:
    return Member(
        cloud=model,
        other=None,
        masks=found.pair_masks(pair)[model],
        chosen=_pairs(found.steps[model], found.signs[model]),
        rate=len(found.epsilons) - 1,
        loss=float(found.loss[pair, model]),
        score=float(found.scores[pair, model]),
        error=float(found.error[pair, model, 3]),
    )


def _of_others(found: Interactions, pair: int, other: int) -> Member | None:
    scores = found.other_scores
    if found.other_loss is None or found.other_error is None or scores is None:
        return None
    if other >= len(found.other_loss):
        return None
    score, error = float(scores[pair, other]), float(found.other_error[pair, other, 3])
    last = len(found.epsilons) - 1
    return Member(None, other, None, None, last, float(found.other_loss[other]), score, error)


def _of_halo(found: Interactions, pair: int, rate: int, at: int) -> Member | None:
    curve = found.halo(pair, rate)
    if at >= len(curve.radius):
        return None
    loss = found.base_loss + float(curve.radius[at])
    chosen = _pairs(curve.steps[at], curve.signs[at])
    return Member(None, None, curve.masks[at], chosen, rate, loss, None, 0.0)


def _pairs(steps: np.ndarray, signs: np.ndarray) -> tuple[Pair, Pair]:
    (a, b), (c, d) = steps.tolist(), signs.tolist()
    return (a, b), (c, d)
