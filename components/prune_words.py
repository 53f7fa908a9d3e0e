"""Sentences that read pruning out: what went, what it costs, and whether lots do as well."""

from __future__ import annotations

import numpy as np

from components import geometry_names, prune_classes, prune_corruptions, prune_map, saying
from components.prune_costs import Timing, milliseconds
from components.prune_names import interval, points, unit, value_title, way_name
from engine.prune_results import RANDOM, Geometry, PruneSweep

_EVEN = 0.03  # layers whose shares are this near are said to give the same; ours
_NAMED = 2  # layers that are named; of more the number is told
_LITTLE, _SOME, _NONE = 0.8, 0.5, 0.1  # rank correlations from which drift is called so; ours
_SIZES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def sweep_sentence(found: PruneSweep, way: int, ratio: int) -> str:
    """Say how much went, what it costs, and whether the units were better chosen than by lot."""
    gone = int((~found.kept[way, ratio]).sum())
    units = found.kept.shape[-1]
    before = float(found.display["parameters"])
    left = float(found.parameters[way, ratio]) / before if before else 1.0
    if gone:
        begin = (
            f"{saying.number(gone, 9)} of {saying.counted(units, 'unit')} are gone "
            f"({way_name(found, way)}); {saying.share(left)} of the parameters stay."
        )
    else:
        begin = f"Nothing is gone ({way_name(found, way)})."
    told = f"{_cost(found, way, ratio)}{_against_lots(found, way, ratio, gone)}"
    return f"{begin} {told}{_repair_alone(found, way)}"


def _cost(found: PruneSweep, way: int, ratio: int) -> str:
    after = found.accuracy(way, ratio)
    if not after.count:
        return "There are no pictures to judge it by."
    told = f"{saying.share(after.value)} ({interval(after.low, after.high)})"
    if not found.labelled:
        return (
            f"On {saying.counted(after.count, 'picture')} without labels the answers are those of "
            f"the untouched network in {told}."
        )
    before, change = found.dense_accuracy(), found.change(way, ratio)
    first = saying.share(before.value)
    by = points(change)
    if change.high < 0:
        return f"Accuracy falls from {first} to {told}: {by}."
    if change.low > 0:
        return f"Accuracy rises from {first} to {told}: {by}."
    if change.value == 0:
        return f"Accuracy stays at {told}."
    return f"Accuracy is the same within doubt: {told} against {first}, {by}."


def _against_lots(found: PruneSweep, way: int, ratio: int, gone: int) -> str:
    if found.ways[way].criterion == RANDOM:
        return " These units were drawn by lot: this is the control itself."
    change = found.against_control(way, ratio)
    if not gone or change is None or not change.count:
        return ""
    what = value_title(found, "accuracy")
    by = f"{what} {points(change)} against the random control"
    if change.low > 0:
        return f" That is better than drawing lots: {by}."
    if change.high < 0:
        return f" That is worse than drawing lots: {by}."
    return f" That is no different from drawing lots, within doubt: {by}."


def _repair_alone(found: PruneSweep, way: int) -> str:
    """Say what the repair costs where nothing went, if it does harm beyond doubt."""
    whole = np.flatnonzero(found.kept[way].all(axis=-1))
    if found.ways[way].repair == "none" or not len(whole):
        return ""
    change = found.change(way, int(whole[0]))
    if not change.count or not change.high < 0:
        return ""
    few = saying.counted(int(found.manifest["outcome"]["calibrated_on"]), "picture")
    return (
        f" The repair alone does harm: with nothing gone it costs {points(change)}, since it knows "
        f"{few} only. Choose no repair, or more pictures."
    )


def few_words(pictures: int, classes: int) -> str:
    """Say why batch norms are not recalibrated.

    >>> few_words(6, 1000)
    'Repair: biases alone; 6 pictures for 1000 classes are too few to recalibrate batch norms.'
    """
    verb = "is" if pictures == 1 else "are"
    return (
        f"Repair: biases alone; {saying.counted(pictures, 'picture')} for "
        f"{saying.number(classes, 9)} class{'' if classes == 1 else 'es'} {verb} too few to "
        "recalibrate batch norms."
    )


def map_sentence(found: PruneSweep, way: int, ratio: int) -> str:
    """Say which layers gave most, which gave none, and which are nearly empty."""
    stay, size = prune_map.counts(found, way, ratio)
    gone = size - stay
    if not gone.any():
        return "Every unit stays."
    shares = gone / np.maximum(1, size)
    layers = found.layers
    if np.ptp(shares) <= _EVEN and len(layers) > 1:
        return f"Every layer gave about the same: {saying.share(float(gone.sum() / size.sum()))}."
    most = int(shares.argmax())
    told = (
        f"{layers[most].title} gave most: {gone[most]} of "
        f"{saying.counted(int(size[most]), unit(layers[most].kind))} "
        f"({saying.share(float(shares[most]))})"
    )
    untouched = [layer.title for layer, count in zip(layers, gone, strict=True) if not count]
    if untouched:
        told += f"; {_some(untouched, 'layer')} gave none"
    last = [layer.title for layer, a, b in zip(layers, stay, size, strict=True) if a == 1 < b]
    if last:
        told += f"; {_some(last, 'layer')} {'is' if len(last) == 1 else 'are'} down to one unit"
    return f"{told}."


def _some(names: list[str], thing: str) -> str:
    if len(names) <= _NAMED:
        return saying.joined(names)
    return saying.counted(len(names), thing)


def classes_sentence(found: PruneSweep, way: int, ratio: int) -> str:
    """Say which class loses most, and how many change beyond doubt (each judged at 95 %)."""
    order = prune_classes.order(found, way, ratio)
    if not len(order):
        return "No class has pictures."
    change = found.class_changes(way, ratio)
    sure = prune_classes.sure(change)[order]
    down, up = int((sure < 0).sum()), int((sure > 0).sum())
    first, last = int(order[0]), int(order[-1])
    judged = f"of {len(order)} classes {_few(down, order)} {_verb(down, 'lose')} and "
    judged += f"{_few(up, order)} {_verb(up, 'gain')} beyond doubt, each judged at 95 %"
    if not down and not up:
        return f"No class changes beyond doubt, each of {len(order)} judged at 95 %."
    if down:
        name = saying.begun(saying.named(found.classes[first]))
        told = f"{name} loses most, {points(prune_classes.share_at(change, first))}"
    else:
        name = saying.begun(saying.named(found.classes[last]))
        told = f"{name} gains most, {points(prune_classes.share_at(change, last))}"
    return f"{told}; {judged}."


def _few(count: int, among: np.ndarray) -> str:
    return "none" if not count else "all" if count == len(among) > 1 else str(count)


def _verb(count: int, verb: str) -> str:
    return verb if count > 1 else f"{verb}s"


def corruptions_sentence(found: PruneSweep, way: int, ratio: int) -> str:
    """Say whether corrupted pictures lose more than clean ones, against the untouched network.

    What is nearer than the interval of the change on clean pictures reaches is not told apart
    (our definition).
    """
    change = prune_corruptions.values(found, way, ratio, difference=True)
    asked = change[:, 1:]
    if not np.isfinite(asked).any():
        return "No corruption was asked for here."
    clean = found.change(way, ratio)
    doubt = 50 * (clean.high - clean.low)
    means = np.array([_mean(row) for row in asked])
    mean, worst = float(np.nanmean(means)), int(np.nanargmin(means))
    verdict = "about as much as"
    if mean < 100 * clean.value - doubt:
        verdict = "more than"
    elif mean > 100 * clean.value + doubt:
        verdict = "less than"
    return (
        f"Against the untouched network corrupted pictures lose {verdict} clean ones: "
        f"{_points(mean)} on average against {_points(100 * clean.value)}; "
        f"worst: {prune_corruptions.names_of(found)[worst]}, {_points(float(means[worst]))}."
    )


def _mean(values: np.ndarray) -> float:
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else float("nan")


def _points(value: float) -> str:
    told = saying.signed(round(value, 1 if abs(value) < 10 else 0))
    return f"{told} point{'' if told in ('+1', '−1') else 's'}"


def drift_sentence(correlation: np.ndarray, overlap: np.ndarray, chance: float = 0.1) -> str:
    """Say how far explanations moved.

    Args:
        correlation: of the ranks before and after, ``(n,)``; NaN where a map is flat.
        overlap: of the cells at the top before and after, ``(n,)``.
        chance: the share of cells that is the top, which is what chance would keep there.
    """
    there = np.isfinite(correlation) & np.isfinite(overlap)
    count = int(there.sum())
    if not count:
        return "There are no explanations to compare."
    middle, kept = (float(np.median(values[there])) for values in (correlation, overlap))
    if middle >= _LITTLE:
        verdict = "hardly moves" if count == 1 else "hardly move"
    elif middle >= _SOME:
        verdict = "moves in part" if count == 1 else "move in part"
    elif middle > _NONE:
        verdict = "is largely another one" if count == 1 else "are largely other ones"
    else:
        verdict = "has nothing left of the one before"
        if count > 1:
            verdict = "have nothing left of those before"
    who = "The explanation" if count == 1 else f"Explanations of {saying.counted(count, 'picture')}"
    median = "" if count == 1 else "median "
    return (
        f"{who} {verdict}: {median}rank correlation {saying.number(middle, 2)}, and "
        f"{saying.share(kept)} of the top {saying.share(chance)} of the map stays there "
        f"({saying.share(chance)} by chance)."
    )


def geometry_sentence(found: Geometry, model: int, benchmark: int) -> str:
    """Say how pictures lie at the classifier, against the first network on clean pictures."""
    who = f"{found.models[model]} on {found.benchmarks[benchmark]}"
    if (model, benchmark) == (0, 0):
        right = float(found.right[0, 0].mean())
        told = saying.number(geometry_names.middle(found, "margin", 0, 0), 2)
        return f"{saying.begun(who)}: {saying.share(right)} right, median margin {told}."
    (angle0, angle), (norm0, norm), (margin0, margin) = (
        [geometry_names.middle(found, measure, *at) for at in ((0, 0), (model, benchmark))]
        for measure in geometry_names.MEASURES
    )
    right0, right = (float(found.right[at].mean()) for at in ((0, 0), (model, benchmark)))
    named = f"{saying.share(right)} are named right instead of {saying.share(right0)}"
    if np.isnan(margin) or np.isnan(margin0):
        return f"{saying.begun(who)}: {named}; there are no margins to compare."
    nearer = "nearer to" if margin < margin0 else "farther from"
    if margin < 0 <= margin0:
        nearer = "beyond"
    elif abs(margin - margin0) < 0.02 * abs(margin0):
        nearer = "as far as before from"
    return (
        f"{saying.begun(who)}: half of the pictures lie {nearer} the boundary of their class "
        f"(median margin {saying.number(margin0, 2)} → {saying.number(margin, 2)}, "
        f"angle {saying.number(angle0, 2)}° → {saying.number(angle, 2)}°, "
        f"norm {saying.number(norm0, 2)} → {saying.number(norm, 2)}); "
        f"{named}."
    )


def latency_sentence(dense: Timing, gated: Timing | None, sliced: Timing | None) -> str:
    """Say what is faster, measured: masks as a rule are not, a network cut to size is."""
    told = []
    if sliced is not None:
        told.append(f"cut to size a pass takes {_compared(dense, sliced)}")
    if gated is not None:
        told.append(f"with masks alone {_compared(dense, gated)}")
    if not told:
        return f"A pass takes {milliseconds(dense.median)}."
    return f"{saying.begun('; '.join(told))}."


def _compared(dense: Timing, own: Timing) -> str:
    times = dense.median / own.median if own.median else 1.0
    begin = f"{milliseconds(own.median)} instead of {milliseconds(dense.median)}"
    if own.low <= dense.high and dense.low <= own.high:
        return f"{begin}, no different within the spread"
    if times > 1:
        return f"{begin}, {saying.number(times, 2)} times as fast"
    return f"{begin}, slower"


def costs_words(before: float, after: float, what: str = "parameters") -> str:
    """Say what became of a cost.

    >>> costs_words(12_300_000, 4_060_000), costs_words(900, 900, "MACs")
    ('12.3 M → 4.06 M parameters (−67 %)', '900 MACs, unchanged')
    >>> costs_words(44_700_000, 14_100_000, "B")
    '44.7 MB → 14.1 MB (−68 %)'
    """
    if before == after:
        return f"{amount(before, what)}, unchanged"
    share = 100 * (after / before - 1) if before else float("inf")
    change = saying.signed(share, 1 if abs(share) < 10 else max(2, len(f"{abs(share):.0f}")))
    front = amount(before, what if what == "B" else "")
    return f"{front} → {amount(after, what)} ({change} %)"


def amount(value: float, what: str = "") -> str:
    """Say an amount: "12.3 M parameters", "14.1 MB", "900 MACs"."""
    size, letter = next(((s, c) for s, c in _SIZES if abs(value) >= s), (1.0, ""))
    told = f"{saying.number(value / size)} {letter}".rstrip()
    if what == "B":
        return f"{told}B" if letter else f"{told} B"
    return f"{told} {what}".strip()
