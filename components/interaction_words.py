"""Sentences about interactions in a Rashomon set: what a picture says, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from components import saying, sign_agreement, swarm_values
from components.halo_words import ball_sentence, halo_sentence
from components.interaction_names import features_of, listed_pair, order_of
from components.interaction_notes import notes
from components.model_words import model_sentence
from components.region_links import linked
from components.sign_agreement import SURE, Verdict
from components.swarm_values import Band, Of, Value
from engine.interaction_results import Interactions

_NAMED = 3  # pairs that are named
_ALIKE = 1e-9  # of the values: models that differ less give the same


def swarm_sentence(
    found: Interactions,
    of: Of = "pairs",
    value: Value = "score",
    epsilon: float | None = None,
) -> str:
    """Say what reaches farthest over the good models, on what they agree, how many are out."""
    bands = swarm_values.bands_of(found, of, value, epsilon)
    if not bands:
        return "There are no models to compare."
    first = max(bands, key=lambda band: swarm_values.farthest(band, value))
    inside = first.values[first.member]
    low, high = float(inside.min()), float(inside.max())
    name = listed_pair(found, int(first.pair[0])) if of == "pairs" else saying.listed(first.title)
    what = "interaction score" if value == "score" else "reliance"
    if high - low <= _ALIKE * max(abs(low), abs(high)):
        begin = f"All good models give {name} the same {what}, {_told(low, value)}."
    else:
        begin = (
            f"Over the good models the {what} of {name} reaches farthest: from "
            f"{_told(low, value)} to {_told(high, value)}{_reference(first, of, value)}."
        )
    out, there = swarm_values.out_of_bound(bands)
    verb = "is" if out == 1 else "are"
    rest = f"{saying.number(out, 9)} of {saying.counted(there, 'dot')} {verb} out of bound."
    return f"{begin}{_shared(found, of, value, epsilon, bands)} {rest}"


def _told(told: float, value: Value) -> str:
    return saying.number(told) if value == "ratio" else saying.signed(told)


def _reference(band: Band, of: Of, value: Value) -> str:
    """Say the reference's value; a feature's scores have one for each pair."""
    if of == "columns" and value == "score":
        return ""
    at = int(band.reference.argmax())
    error = SURE * float(band.error[at])
    give = f" ± {saying.number(error, 2)}" if error > 0 else ""
    return f", the reference {_told(float(band.values[at]), value)}{give}"


def _shared(
    found: Interactions, of: Of, value: Value, epsilon: float | None, bands: list[Band]
) -> str:
    """Say on what good models agree: signs of pairs, features that none does without."""
    if of == "pairs" and value == "score":
        told = sign_agreement.verdicts(found, epsilon)
        agree = sum(verdict in ("plus", "minus") for verdict in told)
        if len(told) == 1:
            return f" They {'all agree' if agree else 'do not all agree'} in its sign."
        if not agree:
            return " There is no pair in whose sign they all agree."
        return f" They all agree in the sign of {agree} of {len(told)} pairs."
    if of == "columns" and value != "score":
        base = swarm_values.neutral(value)
        needed = [band for band in bands if swarm_values.surely_above(band, base)]
        if not needed:
            return " There is no feature that every good model relies on."
        return f" Every good model relies on {_some([saying.listed(b.title) for b in needed])}."
    return ""


def heatmap_sentence(found: Interactions, epsilon: float | None = None) -> str:
    """Say in which signs all good models agree, and where they do not."""
    told = sign_agreement.verdicts(found, epsilon)
    agreed = [
        f"{_pairs(found, told, (sign,))} interact{'s' if told.count(sign) == 1 else ''} {way}"
        for sign, way in (("plus", "positively"), ("minus", "negatively"))
        if sign in told
    ]
    if set(told) == {"none"}:
        begin = "In no good model can an interaction be told from zero."
    elif agreed:
        begin = f"In all good models {saying.joined(agreed)}."
    else:
        begin = "On no pair do all good models agree even in the sign of the interaction."
    parts = [begin]
    if "both" in told:
        parts.append(f"They contradict each other on {_pairs(found, told, ('both',))}.")
    some = _pairs(found, told, ("some plus", "some minus"))
    if some:
        parts.append(f"On {some} it is, in part of them, too small to be told from zero.")
    if "none" in told and len(set(told)) > 1:
        none = _pairs(found, told, ("none",))
        parts.append(f"On {none} it is too small to be told from zero in all of them.")
    rest = len(found.columns) * (len(found.columns) - 1) // 2 - len(told)
    if rest:
        was = "was" if rest == 1 else "were"
        parts.append(
            f"{saying.counted(rest, 'pair')} {was} not looked at closely: there the reference "
            "alone is known."
        )
    return " ".join(parts)


def _pairs(found: Interactions, told: Sequence[Verdict], wanted: Sequence[str]) -> str:
    """List the pairs with some verdicts, the strongest first."""
    chosen = [int(pair) for pair in order_of(found) if told[pair] in wanted]
    return _some([listed_pair(found, pair) for pair in chosen])


def _some(names: Sequence[str]) -> str:
    """List names, many in part: "a, b, c and 4 more"."""
    if len(names) > _NAMED + 1:
        return saying.joined([*names[:_NAMED], f"{len(names) - _NAMED} more"])
    return saying.joined(names)


def links_sentence(found: Interactions, epsilon: float | None = None) -> str:
    """Say which regions of a picture interact most, and whether all good models say so."""
    pairs = linked(found, epsilon)
    if not pairs:
        return "No two regions interact in the median of the good models."
    first, told = pairs[0], sign_agreement.verdicts(found, epsilon)
    low, middle, high = (float(v) for v in found.spread(epsilon)[first])
    sure = {
        "plus": "all good models agree in the sign",
        "minus": "all good models agree in the sign",
        "both": "some good models say the opposite",
    }.get(told[first], "in some good models it cannot be told from zero")
    both = features_of(found, found.pairs[first])
    disputed = int(np.sum([told[pair] == "both" for pair in pairs]))
    rest = f" Good models differ in the sign of {disputed} of {len(pairs)} links."
    return (
        f"In the median of the good models {both} interact most: hidden together they cost "
        f"{'more' if middle > 0 else 'less'} than the sum of both alone, {saying.signed(middle)} "
        f"({saying.signed(low)} … {saying.signed(high)}); {sure}."
        f"{rest if len(pairs) > 1 else ''}"
    )


__all__ = [
    "ball_sentence",
    "halo_sentence",
    "heatmap_sentence",
    "links_sentence",
    "model_sentence",
    "notes",
    "swarm_sentence",
]
