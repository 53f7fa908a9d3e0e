"""Sentences that read a halo or a ball: does moving features together cost more than the sum?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from components import saying
from components.halo import cut
from components.interaction_names import features_of, is_one_picture, reached, samples_of
from components.interaction_notes import not_spent
from components.sign_agreement import SURE
from engine.halo_shapes import HaloCurve, outside
from engine.interaction_results import Ball, Interacting, Interactions

_SAME = 0.05  # of ε: what is nowhere farther from the circle keeps to it (our definition)


_MANY = 1  # times ε, from which on that is no share of it


def halo_sentence(found: Interactions, pair: int, rate: int = -1) -> str:
    """Say whether moving both features costs more than the sum, where most, and how sure."""
    curve = found.halo(pair, rate)
    features = [int(i) for i in found.pairs[pair]]
    both = features_of(found, features)
    known = reached(found, pair, curve.steps, curve.signs, rate)
    rest = "".join(f" {saying.begun(phrase)}." for phrase in not_spent(found, pair, rate))
    if curve.expected <= 0:
        return f"The halo of {both} says nothing: ε is 0.{rest}"
    if not known.any():
        return f"The halo of {both} says nothing, for no budget could be spent.{rest}"
    ended = known & np.isfinite(curve.radius)
    if not ended.any():
        return f"The halo of {both} says nothing.{_endless(curve.radius)}{rest}"
    apart = (curve.radius[ended] - curve.expected) / curve.expected
    told = _against_sum(found, features, apart, curve.signs[ended])
    left = int((~known).sum())
    gap = f" {saying.counted(left, 'model')} could not spend a budget." if left else ""
    far = f"{_beyond(curve)}{_endless(curve.radius)}"
    return f"{told}{far}{gap} {_exact(found)}{rest}"


def _exact(found: Interactions) -> str:
    if is_one_picture(found):
        return "The losses are those of this one picture."
    return f"The losses are exact on the {samples_of(found)} looked at."


def _beyond(curve: HaloCurve) -> str:
    """Say what does not fit into the picture."""
    far = cut(curve)
    if not far:
        return ""
    farthest = curve.radius[np.isfinite(curve.radius)].max()
    most = saying.number(float(farthest / curve.expected), 2)
    return (
        f" {saying.counted(far, 'model')} {'lies' if far == 1 else 'lie'} beyond the edge of the "
        f"picture, as far as {most} ε."
    )


def _endless(radius: np.ndarray) -> str:
    """Say how many models return what is not finite."""
    count = int((~np.isfinite(radius)).sum())
    if not count:
        return ""
    return (
        f" {saying.counted(count, 'model')} {'returns' if count == 1 else 'return'} what is not "
        f"finite, and {'is' if count == 1 else 'are'} out of the set."
    )


def _against_sum(
    found: Interacting, features: Sequence[int], apart: np.ndarray, signs: np.ndarray
) -> str:
    """Say what models together cost against the sum.

    Args:
        found: what knows the features' titles.
        features: that were moved.
        apart: what each model's loss is above the sum, as a share of ε, ``(models,)``.
        signs: which way each mask moved, ``(models, features)``.
    """
    names = features_of(found, features)
    alone = "both cost alone" if len(features) == 2 else "they cost alone"
    farthest = float(np.abs(apart).max())
    if farthest <= _SAME:
        within = saying.share(farthest) if farthest >= 0.001 else "0.1 %"
        return (
            f"Moving m of {names} together costs what {alone}, within {within} of ε: "
            "this loss sees no interaction."
        )
    ends = ((int(apart.argmax()), "more", 1), (int(apart.argmin()), "less", -1))
    parts = [
        f"up to {_part(abs(float(apart[at])))} {way} with m of {_moves(found, features, signs[at])}"
        for at, way, sign in ends
        if sign * apart[at] > _SAME
    ]
    out, count = int(outside(1 + apart, 1.0).sum()), len(apart)
    leave = "leaves" if out == 1 else "leave"
    return (
        f"Moving m of {names} together does not cost what {alone}: {saying.joined(parts)}. "
        f"{out or 'None'} of {saying.counted(count, 'model')} {leave} the set of good models."
    )


def _part(apart: float) -> str:
    """Say how much of ε: "38 % of ε", and from all of it on "2.4 ε"."""
    return f"{saying.number(apart, 2)} ε" if apart >= _MANY else f"{saying.share(apart)} of ε"


def _moves(found: Interacting, features: Sequence[int], signs: np.ndarray) -> str:
    """Say which way masks moved: "age up and prior offences down"."""
    ways = {1: "up", -1: "down"}
    return saying.joined(
        [
            f"{saying.listed(found.titles[i])} {ways[int(sign)]}"
            for i, sign in zip(features, signs, strict=True)
            if sign
        ]
    )


def ball_sentence(ball: Ball) -> str:
    """Say whether three features or four together cost more than the sum, and where most."""
    features = [int(i) for i in ball.features]
    if ball.epsilon <= 0:
        return f"The ball of {features_of(ball, features)} says nothing: ε is 0.{_of_score(ball)}"
    ended, rest = np.isfinite(ball.loss), f"{_endless(ball.loss)}{_of_score(ball)}"
    if not ended.any():
        return f"The ball of {features_of(ball, features)} says nothing.{rest}"
    apart = (ball.loss[ended] - ball.base_loss) / ball.epsilon - 1
    return f"{_against_sum(ball, features, apart, ball.signs[ended])}{rest}"


def _of_score(ball: Ball) -> str:
    """Say what the reference loses if all features are permuted at once, beyond each alone."""
    subsets = [tuple(subset) for subset in ball.manifest["display"]["subsets"]]
    whole = subsets.index(tuple(int(i) for i in ball.features))
    alone = [at for at, subset in enumerate(subsets) if len(subset) == 1]
    score = float(ball.effects[whole] - ball.effects[alone].sum())
    error = SURE * float(ball.error[whole] + ball.error[alone].sum())  # at the most
    begin = " Permuted all at once, they cost the reference"
    if abs(score) <= max(error, ball.rounding):
        return f"{begin} no more and no less than each alone, as far as can be told."
    way = "more" if score > 0 else "less"
    give = f" (± {saying.number(error, 2)} at the most)" if error > 0 else ""
    return f"{begin} {saying.number(abs(score), 2)} {way} than each alone{give}."
