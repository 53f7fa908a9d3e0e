"""Sentences about heads: which matter, where they look, what they have learned."""

from __future__ import annotations

import numpy as np

from components import ranks
from components.head_heatmap import ERRORS
from components.head_names import BLOCKS, TITLES, measured, named, patch
from components.head_scatter import both_of
from components.saying import begun, counted, inside, joined, number, share, signed
from components.saying import named as quoted
from engine.head_results import (
    HeadMaps,
    HeadPatterns,
    HeadScores,
    HeadStrength,
    PartialPruning,
    Place,
)

# Our definitions of what the words mean.
_TOGETHER, _PARTLY = 0.7, 0.4  # rank correlations of metrics that agree, or do in part
_DIRECTED = 0.5  # a rank correlation with the layer from which a measure rises or falls
_SAME = 0.1  # heads whose maps differ less between pictures do not mind the content
_HALF = 0.5
_TINY = 0.0005  # of a probability: not told apart from nothing


def scores_sentence(scores: HeadScores, unit: str = "") -> str:
    """Say which head matters most, how many make no difference, and how many do harm."""
    values, ranking = scores.values.astype(np.float64), scores.ranking
    if not ranking:
        return "There are no heads to compare."
    reach = np.zeros_like(values) if scores.error is None else ERRORS * scores.error
    there = np.isfinite(values)
    idle = there & (np.abs(values) <= reach)
    harmful = there & ~idle & (values < 0)
    first = ranking[0]
    if not there.any():  # the gradients alone, so far
        return f"The gradient puts {named(*first)} first; what the first ones do is judged now."
    rest = len(ranking) - int(there.sum())
    left = f"; the other {counted(rest, 'head')} were not judged" if rest else ""
    if not (there & ~idle & (values > 0)).any():
        return f"No head matters measurably{_harm(harmful, values)}{left}."
    alone = bool(scores.manifest.get("request", {}).get("keep_one"))
    does = "gives most as the only head of its layer" if alone else "matters most"
    harm = _worse(harmful) if alone else _harm(harmful, values)
    give = "" if scores.error is None else f" ± {number(float(reach[first]), 2)}"
    told = f"{number(float(values[first]))}{give}{f' {unit}' if unit else ''}"
    ends = ""
    if idle.any():
        makes = "makes" if idle.sum() == 1 else "make"
        ends = f"; {idle.sum()} of {there.sum()} heads {makes} no measurable difference"
    return f"{begun(named(*first))} {does} ({told}){ends}{harm}{left}."


def _harm(harmful: np.ndarray, values: np.ndarray) -> str:
    count = int(harmful.sum())
    if not count:
        return ""
    worst = np.unravel_index(int(np.nanargmin(values)), values.shape)
    name = named(int(worst[0]), int(worst[1]))
    if count == 1:
        return f"; the model would do better without {name}"
    return f"; the model would do better without {count} of them, {name} above all"


def _worse(harmful: np.ndarray) -> str:
    """Say how many heads are worse as the only one of their layer than none at all."""
    count = int(harmful.sum())
    return f"; {counted(count, 'head')} alone would do worse than none" if count else ""


def agreement_sentence(first: HeadScores, second: HeadScores, titles: tuple[str, str]) -> str:
    """Say how far two metrics put the heads in the same order."""
    places = both_of(first, second)
    if len(places) < 3:
        return "There are too few heads to compare two metrics."
    one, other = (s.values[places[:, 0], places[:, 1]].astype(float) for s in (first, second))
    rho = ranks.correlation(one, other)
    how = (
        "agree on the order of the heads"
        if rho >= _TOGETHER
        else "agree in part on the order of the heads"
        if rho >= _PARTLY
        else "put the heads in opposite orders"
        if rho <= -_PARTLY
        else "do not agree on the order of the heads"
    )
    tops = [named(*(int(i) for i in places[v.argmax()])) for v in (one, other)]
    same = f"both put {tops[0]} first" if tops[0] == tops[1] else f"first: {tops[0]}, and {tops[1]}"
    names = begun(f"{inside(titles[0])} and {inside(titles[1])}")
    return f"{names} {how} (rank correlation {number(rho, 2)}); {same}."


def looking_sentence(maps: HeadMaps, layer: int, head: int, place: Place | None = None) -> str:
    """Say what a head attends to from a patch, from the class token, or on average."""
    values = maps.seen(layer, head, place).astype(np.float64)
    whole = float(values.sum())
    if place is not None:
        asks = f"from the patch in {patch(*maps.patch_at(layer, place))}"
    else:
        token = maps.class_token(layer) >= 0
        asks = "from the class token" if token else "from all patches on average"
    begin = f"{begun(named(layer, head))}, {asks}: "
    if whole <= 0:
        return f"{begin}nothing goes to patches."
    flat = np.sort(values.ravel())[::-1]
    few = int((flat.cumsum() < _HALF * whole - 1e-9).sum()) + 1
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    most = f"most to {patch(int(row), int(column))} ({share(float(values.max()))})"
    spread = f"half of what patches get goes to {few} of {values.size}"
    return f"{begin}{share(min(1.0, whole))} goes to patches, {most}; {spread}."


def strength_sentence(strength: HeadStrength, layer: int, head: int, hop: int) -> str:
    """Say what a head gives to patches at a distance, held against even attention."""
    profile = strength.profile[layer, head].astype(np.float64)
    who = begun(named(layer, head))
    if hop >= len(profile) or not np.isfinite(profile[hop]):
        return f"{who}: no patch is {hop} away from another in this layer."
    away = f"patches {hop} away" if hop else "the patch itself"
    cells = strength.cells[layer].astype(np.float64)
    even = cells[hop] / np.nansum(cells)
    part = profile[hop] / np.nansum(profile)
    times = part / even
    how = (
        f"{number(times, 2)} times what even attention would give"
        if times >= 1.05
        else f"only {number(times, 2)} times what even attention would give"
        if times < 0.95
        else "as much as even attention would give"
    )
    windows = strength.manifest["display"]["windows"][layer]
    within = f" (attention within {windows} windows)" if windows > 1 else ""
    return f"{who} gives {share(float(profile[hop]))} to {away}, {how}{within}."


def trend_sentence(strength: HeadStrength, measure: str) -> str:
    """Say whether a measure rises or falls over the layers."""
    means = strength.trend(measure)
    there = np.flatnonzero(np.isfinite(means))
    title = TITLES[measure]
    if len(there) < 2:
        return f"{title}: there are no layers to compare."
    rho = ranks.correlation(there.astype(float), means[there])
    ends = [measured(measure, float(means[there[place]])) for place in (0, -1)]
    if abs(rho) < _DIRECTED:
        low, high = float(np.nanmin(means)), float(np.nanmax(means))
        span = f"{measured(measure, low)} and {measured(measure, high)}"
        return f"{title} neither rises nor falls over the layers: it lies between {span}."
    verb = "rises" if rho > 0 else "falls"
    return f"{title} {verb} over the layers, from {ends[0]} in the first to {ends[1]} in the last."


def patterns_sentence(patterns: HeadPatterns, chosen: tuple[int, int] | None = None) -> str:
    """Say which patterns there are, and which the chosen head has."""
    heads = sorted(set(zip(patterns.layer.tolist(), patterns.head.tolist(), strict=True)))
    own = np.array([patterns.cluster_of(*head) for head in heads])
    counts = np.bincount(own, minlength=len(patterns.names))
    order = np.argsort(-counts, kind="stable")
    kinds = [f"{counts[i]} {patterns.names[i]}" for i in order if counts[i]]
    told = f"{counted(len(heads), 'head')} by what they look at: {joined(kinds)}."
    if chosen not in heads:
        return told
    name = patterns.names[own[heads.index(chosen)]]
    return f"{told} {begun(named(*chosen))} is {name}{_content(patterns, chosen)}."


def _content(patterns: HeadPatterns, head: tuple[int, int]) -> str:
    change = float(patterns.variation[head])
    if not np.isfinite(change):
        return ""
    told = share(change)
    if change < _SAME:
        return f"; it looks the same in every picture ({told} of its attention differs)"
    return f"; {told} of its attention differs from picture to picture"


def partial_sentence(partial: PartialPruning) -> str:
    """Say which block of a head's attention the prediction leans on."""
    request = partial.manifest["request"]
    name = quoted(str(request["target"]["name"]))
    who = begun(named(int(request["layer"]), int(request["head"])))
    both = partial.blocks[..., 1].astype(np.float64)  # (blocks, ways) of the probability
    whole = float(partial.whole[1])
    if not (np.abs([*both[np.isfinite(both)], whole]) >= _TINY).any():
        return f"{who}: no part of its attention moves the probability of {name}."
    blocks = both[:, 0]  # rows as left
    first = int(np.nanargmax(np.abs(blocks)))
    even, most = np.unravel_index(int(np.nanargmax(np.abs(both))), both.shape)[::-1]
    if even and max(abs(blocks[first]), abs(whole)) < _TINY:
        change = signed(100 * float(both[most, even]))
        return (
            f"{who}: putting {BLOCKS[most]} to zero moves {name} by {change} points if the other "
            "weights are raised to make up for it, and not measurably if they are not."
        )
    moves = "costs" if blocks[first] < 0 else "gains"
    points = number(100 * abs(float(blocks[first])), 2)
    rest = f"the whole head off: {signed(100 * whole)} points"
    if np.isnan(blocks[:3]).all():
        return f"{who}: its attention off {moves} {name} {points} points."
    return f"{who}: putting {BLOCKS[first]} to zero {moves} {name} {points} points; {rest}."
