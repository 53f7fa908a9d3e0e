"""Sentences about pruning read the data: when the data flips, the sentence must flip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components import prune_made_up
from components.prune_costs import Timing
from components.prune_made_up import with_accuracy
from components.prune_names import points
from components.prune_words import (
    classes_sentence,
    corruptions_sentence,
    costs_words,
    drift_sentence,
    few_words,
    geometry_sentence,
    latency_sentence,
    map_sentence,
    sweep_sentence,
)
from engine.prune_results import Geometry, PruneSweep
from engine.scores import Share

WAY, RATIO = 5, 6
CONTROLS = (7, 8, 9)


def sweep(own: float = 0.7, control: float = 0.4, dense: float = 0.9) -> PruneSweep:
    """A sweep with these shares of right answers, of 240 pictures."""
    found = with_accuracy(prune_made_up.sweep(), WAY, RATIO, own)
    for place in CONTROLS:
        found = with_accuracy(found, place, RATIO, control)
    return replace(found, dense_predicted=with_accuracy(found, 0, 0, dense).predicted[0, 0])


def displaying(found: PruneSweep, **display: object) -> PruneSweep:
    shown = {**found.display, **display}
    return replace(found, manifest={**found.manifest, "display": shown})


def test_how_much_went() -> None:
    found = sweep()
    told = sweep_sentence(found, WAY, RATIO)
    gone = int((~found.kept[WAY, RATIO]).sum())
    assert told.startswith(f"{gone} of 576 units are gone (Group L2, global, both repairs); ")
    share = found.parameters[WAY, RATIO] / 2_780_000
    assert f"; {100 * share:.0f} % of the parameters stay." in told
    none = sweep_sentence(found, WAY, 0)
    assert none.startswith("Nothing is gone (Group L2, global, both repairs).")
    assert "lots" not in none


def test_a_repair_that_does_harm_is_named() -> None:
    outcome = {"calibrated_on": 6}
    harmed = with_accuracy(sweep(dense=0.9), WAY, 0, 0.5)
    harmed = replace(harmed, manifest={**harmed.manifest, "outcome": outcome})
    for ratio in (0, RATIO):
        told = sweep_sentence(harmed, WAY, ratio)
        assert "The repair alone does harm: with nothing gone it costs −40 points (" in told
        assert "it knows 6 pictures only" in told
    fine = with_accuracy(harmed, WAY, 0, 0.9)
    assert "repair alone" not in sweep_sentence(fine, WAY, RATIO)


def test_halves_go_where_those_of_shares_go() -> None:
    change = 0.425 - 1  # −57.49999999999999 points
    assert points(Share(change, change, change, 80)) == "−58 points (−58 to −58)"


def test_what_it_costs() -> None:
    fall = sweep_sentence(sweep(0.7, dense=0.9), WAY, RATIO)
    assert "Accuracy falls from 90 % to 70 % (64 – 75): −20 points (−25 to −1" in fall
    rise = sweep_sentence(sweep(0.9, dense=0.7), WAY, RATIO)
    assert "Accuracy rises from 70 % to 90 % (86 – 93): +20 points (+1" in rise
    doubt = sweep_sentence(sweep(0.9, dense=0.905), WAY, RATIO)
    assert "Accuracy is the same within doubt: 90 % (86 – 93) against 90 %, −0.4 points" in doubt
    same = sweep_sentence(sweep(0.9, dense=0.9), WAY, RATIO)
    assert "Accuracy stays at 90 % (86 – 93)." in same


def test_against_drawing_lots() -> None:
    better = sweep_sentence(sweep(0.7, 0.4), WAY, RATIO)
    assert "That is better than drawing lots: accuracy +30 points (+2" in better
    worse = sweep_sentence(sweep(0.4, 0.7), WAY, RATIO)
    assert "That is worse than drawing lots: accuracy −30 points (−3" in worse
    doubt = sweep_sentence(sweep(0.7, 0.7), WAY, RATIO)
    assert "no different from drawing lots, within doubt: accuracy 0 points" in doubt
    lots = sweep_sentence(sweep(), CONTROLS[0], RATIO)
    assert lots.endswith("These units were drawn by lot: this is the control itself.")
    assert "Random (drawing 1)" in lots
    alone = sweep()
    alone = displaying(alone, ways=[w for w in alone.display["ways"] if w["criterion"] != "random"])
    assert "lots" not in sweep_sentence(alone, 0, RATIO)


def test_without_labels_nothing_is_called_accuracy() -> None:
    found = prune_made_up.sweep(labelled=False)
    told = sweep_sentence(found, WAY, RATIO)
    assert "ccuracy" not in told
    assert "On 240 pictures without labels the answers are those of the untouched network" in told
    assert "agreement with the untouched network +" in told
    none = replace(found, labels=found.labels[:0], dense_predicted=found.dense_predicted[:0],
                   predicted=found.predicted[..., :0])  # fmt: skip
    assert "There are no pictures to judge it by." in sweep_sentence(none, WAY, RATIO)


def keeping(stay: list[int]) -> PruneSweep:
    """Layers of 8, 16 and 32 units, of which so many stay."""
    sizes = (8, 16, 32)
    layers = [
        {"name": f"conv{i}", "title": f"Layer {i}", "kind": "channels", "size": size}
        for i, size in enumerate(sizes, 1)
    ]
    found = displaying(prune_made_up.sweep(), layers=layers)
    row = np.concatenate([np.arange(n) < k for n, k in zip(sizes, stay, strict=True)])
    kept = np.ones((len(found.ways), len(found.ratios), 56), dtype=bool)
    kept[0, 1] = row
    return replace(found, kept=kept)


def test_which_layers_gave() -> None:
    assert map_sentence(keeping([8, 4, 16]), 0, 1) == (
        "Layer 2 gave most: 12 of 16 channels (75 %); Layer 1 gave none."
    )
    assert map_sentence(keeping([1, 16, 32]), 0, 1) == (
        "Layer 1 gave most: 7 of 8 channels (88 %); Layer 2 and Layer 3 gave none; "
        "Layer 1 is down to one unit."
    )
    assert map_sentence(keeping([1, 1, 1]), 0, 1).endswith("; 3 layers are down to one unit.")
    assert map_sentence(keeping([4, 8, 16]), 0, 1) == "Every layer gave about the same: 50 %."
    assert map_sentence(keeping([8, 16, 32]), 0, 1) == "Every unit stays."
    heads = keeping([8, 4, 16])
    layers = [{**layer, "kind": "heads"} for layer in heads.display["layers"]]
    assert "12 of 16 heads" in map_sentence(displaying(heads, layers=layers), 0, 1)


def with_classes(before: list[float], after: list[float]) -> PruneSweep:
    """Eight classes of 30 pictures with these shares of right answers."""
    found = prune_made_up.sweep()
    within = np.arange(240) // 8
    wrong = (found.labels + 1) % 8
    old, new = (
        np.where(within < np.round(30 * np.array(shares))[found.labels], found.labels, wrong)
        for shares in (before, after)
    )
    predicted = found.predicted.copy()
    predicted[0, 1] = new
    return replace(found, dense_predicted=old.astype(np.int32), predicted=predicted)


def test_which_classes_pay() -> None:
    all_well = [0.9] * 8
    lost = classes_sentence(with_classes(all_well, [0.2, *[0.9] * 7]), 0, 1)
    assert lost.startswith("House loses most, −70 points (−8")
    assert "of 8 classes 1 loses and none gains beyond doubt" in lost
    won = classes_sentence(with_classes([0.2, *[0.9] * 7], all_well), 0, 1)
    assert won.startswith("House gains most, +70 points (+")
    assert "of 8 classes none loses and 1 gains beyond doubt" in won
    same = classes_sentence(with_classes(all_well, [*[0.9] * 7, 0.87]), 0, 1)
    assert same == "No class changes beyond doubt, each of 8 judged at 95 %."
    every = classes_sentence(with_classes(all_well, [0.1] * 8), 0, 1)
    assert "of 8 classes all lose and none gains" in every


def corrupted(clean: float, shares: list[float]) -> PruneSweep:
    """Five corruptions that take the smaller network to these shares, the untouched one to 90 %."""
    found = sweep(own=clean, dense=0.9)
    given = np.full_like(found.corrupted, np.nan)
    given[WAY, RATIO] = np.array(shares)[:, None]
    return replace(found, corrupted=given, dense_corrupted=np.full((5, 5), 0.9, np.float32))


def test_corruptions() -> None:
    more = corruptions_sentence(corrupted(0.85, [0.3, 0.5, 0.5, 0.5, 0.5]), WAY, RATIO)
    assert "lose more than clean ones: −44 points on average against −5 points" in more
    assert more.endswith("worst: Gaussian noise, −60 points.")
    less = corruptions_sentence(corrupted(0.4, [0.8, 0.8, 0.8, 0.7, 0.8]), WAY, RATIO)
    assert "lose less than clean ones: −12 points" in less
    assert "worst: Brightness" in less
    same = corruptions_sentence(corrupted(0.7, [0.7] * 5), WAY, RATIO)
    assert "about as much as clean ones: −20 points on average against −20 points" in same
    one = corrupted(0.85, [0.3, *[np.nan] * 4])
    assert "worst: Gaussian noise" in corruptions_sentence(one, WAY, RATIO)
    assert corruptions_sentence(one, 0, 0) == "No corruption was asked for here."


@pytest.mark.parametrize(
    ("correlation", "verdict"),
    [
        (0.9, "hardly moves"),
        (0.6, "moves in part"),
        (0.3, "largely another"),
        (0.0, "nothing left"),
    ],
)
def test_drift_of_one(correlation: float, verdict: str) -> None:
    told = drift_sentence(np.array([correlation]), np.array([0.5]), 0.2)
    assert told.startswith("The explanation ")
    assert verdict in told
    assert told.endswith("50 % of the top 20 % of the map stays there (20 % by chance).")


def test_drift_of_many() -> None:
    told = drift_sentence(np.array([0.9, 0.95, 0.1, np.nan]), np.array([0.8, 0.9, 0.0, 1.0]))
    assert told.startswith("Explanations of 3 pictures hardly move: median rank correlation 0.9,")
    assert "80 % of the top 10 %" in told
    assert "largely other ones" in drift_sentence(np.full(3, 0.2), np.zeros(3))
    assert "nothing left of those before" in drift_sentence(np.full(3, -0.5), np.zeros(3))
    assert drift_sentence(np.zeros(0), np.zeros(0)) == "There are no explanations to compare."


def geometry(margin: float) -> Geometry:
    found = prune_made_up.geometry()
    margins = np.full_like(found.margin, 2.0)
    margins[2, 1] = margin
    predicted = np.broadcast_to(found.labels, found.predicted.shape).copy()
    predicted[2, 1] = np.where(margins[2, 1] < 0, found.labels + 1, found.labels)
    return replace(found, margin=margins, predicted=predicted)


@pytest.mark.parametrize(
    ("margin", "verdict"),
    [(1.0, "nearer to"), (3.0, "farther from"), (-1.0, "beyond"), (2.0, "as far as before from")],
)
def test_geometry(margin: float, verdict: str) -> None:
    told = geometry_sentence(geometry(margin), 2, 1)
    assert told.startswith(f"L2 60 % on gaussian noise: half of the pictures lie {verdict} the")
    right = "0 %" if margin < 0 else "100 %"
    assert told.endswith(f"; {right} are named right instead of 100 %.")
    assert geometry_sentence(geometry(margin), 0, 0) == (
        "Untouched on clean: 100 % right, median margin 2."
    )


def test_geometry_without_margins() -> None:
    told = geometry_sentence(geometry(np.inf), 2, 1)
    assert told.endswith(
        ": 100 % are named right instead of 100 %; there are no margins to compare."
    )


def test_latency() -> None:
    dense, gated = Timing(56, 58.6, 61), Timing(55, 57, 59)
    told = latency_sentence(dense, gated, Timing(17, 17.8, 19))
    assert told == (
        "Cut to size a pass takes 17.8 ms instead of 58.6 ms, 3.3 times as fast; with masks alone "
        "57 ms instead of 58.6 ms, no different within the spread."
    )
    slow = latency_sentence(dense, None, Timing(70, 72, 74))
    assert slow == "Cut to size a pass takes 72 ms instead of 58.6 ms, slower."
    assert "times as fast" in latency_sentence(dense, Timing(30, 31, 32), None)
    assert latency_sentence(dense, None, None) == "A pass takes 58.6 ms."


def test_costs() -> None:
    assert costs_words(12_300_000, 4_100_000) == "12.3 M → 4.1 M parameters (−67 %)"
    assert costs_words(4_100_000, 12_300_000) == "4.1 M → 12.3 M parameters (+200 %)"
    assert costs_words(1_820_000_000, 81_000_000, "MACs") == "1.82 G → 81 M MACs (−96 %)"
    assert costs_words(5_000, 900, "B") == "5 kB → 900 B (−82 %)"
    assert costs_words(900, 900, "B") == "900 B, unchanged"
    assert costs_words(1_000_000, 4_333_000) == "1 M → 4.33 M parameters (+333 %)"
    assert costs_words(0, 5, "B") == "0 B → 5 B (+∞ %)"
    assert costs_words(1_000_000, 999_000) == "1 M → 999 k parameters (−0.1 %)"


def test_why_batch_norms_stay() -> None:
    assert few_words(1, 1).startswith("Repair: biases alone; 1 picture for 1 class is too few")
    assert "6 pictures for 1000 classes are too few" in few_words(6, 1000)
