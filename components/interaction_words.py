"""Sentences about interactions in a Rashomon set: what a picture says, and how sure that is."""

from __future__ import annotations

import numpy as np

from components import saying, sign_agreement, swarm_values
from components.halo import cut
from components.interaction_names import (
    features_of,
    masks_told,
    order_of,
    pair_named,
    reached,
)
from components.interaction_notes import not_spent, notes
from components.region_links import linked
from components.sign_agreement import SURE
from components.swarm_values import Band, Of, Value
from engine.halo_shapes import HaloCurve
from engine.interaction_results import Ball, Interacting, Interactions

# Our definitions of what the words mean.
_SAME = 0.05  # of ε: a curve that is nowhere farther from the circle keeps to it
_NAMED = 3  # pairs that are named


def halo_sentence(found: Interactions, pair: int, rate: int = -1) -> str:
    """Say whether moving both features costs more than the sum, and where most."""
    curve = found.halo(pair, rate)
    known = reached(found, pair, curve.steps, curve.signs, rate)
    both = features_of(found, found.pairs[pair])
    rest = "".join(f" {saying.begun(phrase)}." for phrase in not_spent(found, pair, rate))
    if not known.any():
        return f"The halo of {both} says nothing.{rest}"
    if curve.expected <= 0:
        return f"The halo of {both} says nothing: ε is 0.{rest}"
    apart = (curve.radius - curve.expected) / curve.expected
    told = _against_circle(found, pair, curve, np.where(known, apart, np.nan), both)
    far = cut(curve)
    if far:
        lies = "lies" if far == 1 else "lie"
        most = saying.number(float(curve.radius.max() / curve.expected), 2)
        told += f" {saying.counted(far, 'model')} {lies} beyond the picture, up to {most} ε."
    rows = saying.counted(int(found.outcome["samples"]), "row")
    return f"{told} The losses are those of all {rows} that were looked at.{rest}"


def _against_circle(
    found: Interactions, pair: int, curve: HaloCurve, apart: np.ndarray, both: str
) -> str:
    """Say how a curve lies to its circle; ``apart`` in units of ε, NaN where it is not known."""
    outside, there = int((apart > 0).sum()), int(np.isfinite(apart).sum())
    farthest = float(np.nanmax(np.abs(apart)))
    if farthest <= _SAME:
        return (
            f"Moving {both} together costs what both cost alone: the curve keeps to the circle "
            f"within {saying.share(farthest)}; this loss sees no interaction."
        )
    parts = []
    for at, way in ((int(np.nanargmax(apart)), "more"), (int(np.nanargmin(apart)), "less")):
        size = float(apart[at]) if way == "more" else -float(apart[at])
        if size > 0:
            where = _moves(found, found.pairs[pair], curve.signs[at])
            parts.append(f"up to {saying.share(size)} {way} with {where}")
    share = f"{outside} of {saying.counted(there, 'model')}"
    return (
        f"Moving {both} together does not cost what both cost alone: {saying.joined(parts)}. "
        f"{share} {'leaves' if outside == 1 else 'leave'} the set of good models."
    )


def _moves(found: Interacting, features: np.ndarray, signs: np.ndarray) -> str:
    """Say which way masks moved: "age up and prior offences down"."""
    ways = {1: "up", -1: "down"}
    return saying.joined(
        [
            f"{saying.listed(found.titles[int(i)])} {ways[int(sign)]}"
            for i, sign in zip(features, signs, strict=True)
            if sign
        ]
    )


def swarm_sentence(
    found: Interactions,
    of: Of = "pairs",
    value: Value = "score",
    epsilon: float | None = None,
) -> str:
    """Say what reaches farthest over the good models, and how many models are out of bound."""
    bands = swarm_values.bands_of(found, of, value, epsilon)
    if not bands:
        return "There are no models to compare."
    first, base = bands[0], swarm_values.neutral(value)
    inside = first.values[first.member]
    low, high = float(inside.min()), float(inside.max())
    span = f"from {_told(low, value)} to {_told(high, value)}"
    what = "interaction score" if value == "score" else "reliance"
    begin = (
        f"Over the good models the {what} of {_inside(first.title)} reaches farthest: {span}, "
        f"the reference {_told(float(first.values[0]), value)}{_give(found, first, value)}."
    )
    if not high - low > 1e-12 * max(1.0, abs(high)):
        begin = f"All good models give {_inside(first.title)} the same {what}, {_told(low, value)}."
    out = swarm_values.counted_out(bands)
    models = sum(len(band.values) for band in bands)
    rest = f"{saying.number(out, 9)} of {saying.counted(models, 'dot')}" if out else "No model"
    verb = "are" if out > 1 else "is"
    return f"{begin} {_which(found, of, value, epsilon, bands, base)}{rest} {verb} out of bound."


def _which(
    found: Interactions,
    of: Of,
    value: Value,
    epsilon: float | None,
    bands: list[Band],
    base: float,
) -> str:
    """Say on what the good models agree: signs of pairs, features that none does without."""
    if of == "pairs" and value == "score":
        told = sign_agreement.verdicts(found, epsilon)
        agree = sum(verdict in ("plus", "minus") for verdict in told)
        each = "both" if len(told) == 2 else f"{agree} of {saying.counted(len(told), 'pair')}"
        if len(told) == 1:
            return "" if not agree else "All of them agree in its sign. "
        return f"They agree in the sign of {each if agree != 2 or len(told) != 2 else 'both'}. "
    if of == "columns" and value != "score":
        needed = [b for b in bands if (b.values[b.member] > base).all()]
        if not needed:
            return "A good model can do without any one of them. "
        names = [saying.listed(band.title) for band in needed[:_NAMED]]
        more = f" and {len(needed) - _NAMED} more" if len(needed) > _NAMED else ""
        return f"Every good model relies on {saying.joined(names)}{more}. "
    return ""


def _inside(title: str) -> str:
    return " × ".join(saying.listed(part) for part in title.split(" × "))


def _told(value: float, kind: Value) -> str:
    return saying.number(value) if kind == "ratio" else saying.signed(value)


def _give(found: Interactions, band: Band, value: Value) -> str:
    if value != "score":
        return ""
    error = SURE * float(found.error[int(band.pair[0]), 0, 3])
    return f" ± {saying.number(error, 2)}" if error > 0 else ""


def heatmap_sentence(found: Interactions, epsilon: float | None = None) -> str:
    """Say in which signs all good models agree, and where they do not."""
    told = sign_agreement.verdicts(found, epsilon)
    order = [int(pair) for pair in order_of(found)]
    parts = [
        f"{_some(found, [p for p in order if told[p] == sign])} interact{'s' if n == 1 else ''} "
        f"{way}"
        for sign, way in (("plus", "positively"), ("minus", "negatively"))
        if (n := told.count(sign))  # type: ignore[arg-type]
    ]
    begin = (
        f"In all good models {saying.joined(parts)}."
        if parts
        else "On no pair do all good models agree even in the sign of the interaction."
    )
    both = [p for p in order if told[p] == "both"]
    if both:
        begin += f" They contradict each other on {_some(found, both)}."
    unsure = len(told) - len(both) - told.count("plus") - told.count("minus")
    if unsure:
        begin += (
            f" On {'the other' if both or parts else 'each'} {saying.counted(unsure, 'pair')} "
            "some scores or all cannot be told from zero."
        )
    columns = len(found.columns)
    rest = columns * (columns - 1) // 2 - len(told)
    if rest:
        begin += f" {saying.counted(rest, 'pair')} {'was' if rest == 1 else 'were'} not looked at "
        begin += "closely: hatched, of the reference alone."
    return begin


def _some(found: Interactions, pairs: list[int]) -> str:
    names = [_inside(pair_named(found, pair)) for pair in pairs[:_NAMED]]
    if len(pairs) > _NAMED:
        return f"{', '.join(names)} and {len(pairs) - _NAMED} more"
    return saying.joined(names)


def ball_sentence(ball: Ball) -> str:
    """Say whether three features or four together cost more than the sum, and where most."""
    names = features_of(ball, ball.features)
    above = ball.loss - ball.base_loss
    score, error = _together(ball)
    give = f" ± {saying.number(error, 2)} at the most" if error > 0 else ""
    ends = (
        f" Permuted all at once they cost the reference {saying.signed(score)}{give} beyond what "
        "each costs alone."
    )
    if abs(score) <= error or score == 0:
        ends = (
            " Permuted all at once they cost the reference what each costs alone, as far as can "
            "be told."
        )
    if ball.epsilon <= 0:
        return f"The ball of {names} says nothing: ε is 0.{ends}"
    apart = above / ball.epsilon - 1
    outside = int((apart > 0).sum())
    if float(np.abs(apart).max()) <= _SAME:
        return f"Moving {names} together costs what they cost alone: a ball.{ends}"
    parts = [
        f"up to {saying.share(abs(float(apart[at])))} {way} with "
        f"{_moves(ball, ball.features, ball.signs[at])}"
        for at, way in ((int(apart.argmax()), "more"), (int(apart.argmin()), "less"))
        if (apart[at] > 0) == (way == "more")
    ]
    share = f"{outside} of {saying.counted(len(apart), 'model')}"
    return (
        f"Moving {names} together does not cost what they cost alone: {saying.joined(parts)}. "
        f"{share} {'leaves' if outside == 1 else 'leave'} the set of good models.{ends}"
    )


def _together(ball: Ball) -> tuple[float, float]:
    """Return φ of all features less φ of each, and at the most two standard errors of it."""
    subsets = [tuple(subset) for subset in ball.manifest["display"]["subsets"]]
    features = tuple(int(i) for i in ball.features)
    whole = subsets.index(features)
    alone = [subsets.index((i,)) for i in features]
    score = float(ball.effects[whole] - ball.effects[alone].sum())
    return score, SURE * float(ball.error[whole] + ball.error[alone].sum())


def links_sentence(found: Interactions, epsilon: float | None = None) -> str:
    """Say which regions of a picture interact most, and whether all good models say so."""
    pairs = linked(found, epsilon)
    if not pairs:
        return "No two regions interact in the median of the good models."
    first, told = pairs[0], sign_agreement.verdicts(found, epsilon)
    low, middle, high = (float(v) for v in found.spread(epsilon)[first])
    more = "more" if middle > 0 else "less"
    sure = {
        "plus": "all good models agree in that",
        "minus": "all good models agree in that",
        "both": "some good models say the opposite",
    }.get(told[first], "in some good models it cannot be told from zero")
    both = features_of(found, found.pairs[first])
    disputed = sum(told[pair] == "both" for pair in pairs)
    rest = f" Good models differ in the sign of {disputed} of {saying.counted(len(pairs), 'link')}."
    return (
        f"{saying.begun(both)} interact most: hidden together they cost {more} than the sum of both "
        f"alone ({saying.signed(low)} … {saying.signed(middle)} … {saying.signed(high)}); {sure}."
        f"{rest if len(pairs) > 1 and disputed else ''}"
    )


def model_sentence(found: Interactions, pair: int, model: int) -> str:
    """Say what one model is: its masks, its loss, its score against the reference's.

    Args:
        found: the interactions.
        pair: its place in ``found.pairs``.
        model: its place in the cloud; −1 − its place if it was trained again.
    """
    name = _inside(pair_named(found, pair))
    own = float(found.scores[pair, 0])
    if model < 0:
        return _trained_sentence(found, pair, -1 - model, name, own)
    if model == 0:
        return (
            f"This is the reference: loss {saying.number(found.base_loss, 4)}, its interaction "
            f"score of {name} {_score(own, float(found.error[pair, 0, 3]))}."
        )
    titles = [found.titles[i] for i in found.pairs[pair]]
    masks = masks_told(titles, found.pair_masks(pair)[model])
    score = _score(float(found.scores[pair, model]), float(found.error[pair, model, 3]))
    return (
        f"The reference with {masks}: {_loss(found, float(found.loss[pair, model]))} Its "
        f"interaction score of {name} is {score}, the reference's {saying.signed(own)}."
    )


def _trained_sentence(found: Interactions, pair: int, place: int, name: str, own: float) -> str:
    others, scores, errors = found.other_loss, found.other_scores, found.other_error
    if others is None or scores is None or errors is None or place >= len(others):
        return "There is no such model."
    score = _score(float(scores[pair, place]), float(errors[pair, place, 3]))
    return (
        f"Model {place + 1} of those that were trained again: {_loss(found, float(others[place]))} "
        f"Its interaction score of {name} is {score}, the reference's {saying.signed(own)}."
    )


def _score(score: float, error: float) -> str:
    return f"{saying.signed(score)}{f' ± {saying.number(SURE * error, 2)}' if error > 0 else ''}"


def _loss(found: Interactions, loss: float) -> str:
    apart = loss - found.base_loss
    size = saying.number(abs(apart), 2)
    how = f"{size} above" if apart > 0 else f"{size} below" if apart < 0 else "as that of"
    good = apart <= found.epsilon
    ends = (
        f"a good model, ε is {saying.number(found.epsilon, 2)}"
        if good
        else f"out of bound, ε is {saying.number(found.epsilon, 2)}"
    )
    return f"loss {saying.number(loss, 4)}, {how} the reference: {ends}."


__all__ = [
    "ball_sentence",
    "halo_sentence",
    "heatmap_sentence",
    "links_sentence",
    "model_sentence",
    "notes",
    "swarm_sentence",
]
