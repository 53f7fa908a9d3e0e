"""Sentences about heads read the data: when the data flips, the sentence must flip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components import head_made_up
from components.head_words import (
    agreement_sentence,
    looking_sentence,
    partial_sentence,
    patterns_sentence,
    scores_sentence,
    strength_sentence,
    trend_sentence,
)
from engine.head_results import MEASURES, HeadMaps, HeadScores, HeadStrength, PartialPruning


def scores(values: list[list[float]], error: float | None = 0.01) -> HeadScores:
    given = np.array(values, dtype=np.float32)
    errors = None if error is None else np.full(given.shape, error, np.float32)
    return HeadScores(head_made_up.manifest(), given, errors)


def test_the_head_that_matters_most() -> None:
    assert scores_sentence(scores([[0.5, 0.1], [0.001, 0.01]]), "logit") == (
        "Layer 1, head 1 matters most (0.5 ± 0.02 logit); "
        "2 of 4 heads make no measurable difference."
    )
    assert scores_sentence(scores([[0.1, 0.2], [0.3, 0.6]])).startswith("Layer 2, head 2 matters")
    assert scores_sentence(scores([[0.1, 0.2]])) == "Layer 1, head 2 matters most (0.2 ± 0.02)."
    assert scores_sentence(scores([[0.1, 0.2]], None)) == "Layer 1, head 2 matters most (0.2)."


def test_heads_that_do_harm() -> None:
    one = scores_sentence(scores([[0.5, -0.1]]))
    assert one.endswith("; the model would do better without layer 1, head 2.")
    two = scores_sentence(scores([[0.5, -0.1], [-0.3, np.nan]]))
    assert two.endswith("; the model would do better without 2 of them, layer 2, head 1 above all.")
    none = scores_sentence(scores([[-0.5, 0.001]]))
    assert none.startswith("No head matters measurably; the model would do better without layer 1")
    assert scores_sentence(scores([[0.001, 0.0]])) == "No head matters measurably."
    assert scores_sentence(scores([[np.nan]])) == "There are no heads to compare."


def test_metrics_that_agree_and_do_not() -> None:
    up = scores([[1, 2, 3, 4]])
    assert agreement_sentence(up, up, ("Loss", "Gradient")) == (
        "Loss and gradient agree on the order of the heads (rank correlation 1); "
        "both put layer 1, head 4 first."
    )
    down = agreement_sentence(up, scores([[4, 3, 2, 1]]), ("Loss", "Gradient"))
    assert "put the heads in opposite orders (rank correlation −1)" in down
    assert down.endswith("first: layer 1, head 4, and layer 1, head 1.")
    assert "do not agree" in agreement_sentence(up, scores([[2, 4, 1, 3]]), ("a", "b"))
    assert "agree in part" in agreement_sentence(
        scores([[1, 2, 3, 4, 5]]), scores([[2, 1, 5, 3, 4]]), ("a", "b")
    )
    assert "too few" in agreement_sentence(scores([[1, 2]]), scores([[1, 2]]), ("a", "b"))


def looking(row: list[float]) -> HeadMaps:
    """One head, 2 × 2 patches; the class token and the last patch attend to what is given."""
    matrix = np.full((1, 1, 5, 5), 0.2, np.float32)
    matrix[0, 0, 0] = matrix[0, 0, 4] = row
    tokens = (np.arange(5)[None],)
    return HeadMaps((matrix,), tokens, ((2, 2),), (1,), (0,), ("block",), (0,))


def test_where_a_head_looks() -> None:
    assert looking_sentence(looking([0.5, 0.05, 0.05, 0.3, 0.1]), 0, 0) == (
        "Layer 1, head 1, from the class token: 50 % goes to patches, most to row 2, column 1 "
        "(30 %); half of what patches get goes to 1 of 4."
    )
    even = looking_sentence(looking([0, 0.25, 0.25, 0.25, 0.25]), 0, 0, (0.9, 0.9))
    assert "from the patch in row 2, column 2: 100 % goes to patches" in even
    assert even.endswith("goes to 2 of 4.")
    assert "nothing goes to patches" in looking_sentence(looking([1, 0, 0, 0, 0]), 0, 0)
    nobody = replace(looking([0.2] * 5), class_tokens=(-1,))
    assert "from all patches on average" in looking_sentence(nobody, 0, 0)


def strength(profile: list[float], windows: int = 1) -> HeadStrength:
    given = np.array([[profile]], dtype=np.float32)
    told = head_made_up.manifest(heads=[1], windows=[windows])
    measures = np.zeros((1, 1, len(MEASURES)), np.float32)
    cells = np.array([[1, 5, 4]], np.float32)
    return HeadStrength(told, given, cells, measures)


def test_how_strongly_a_head_looks_so_far() -> None:
    near, far = strength([0.5, 0.4, 0.1]), strength([0.02, 0.38, 0.6])
    assert strength_sentence(near, 0, 0, 0) == (
        "Layer 1, head 1 gives 50 % to the patch itself, 5 times what even attention would give."
    )
    assert strength_sentence(near, 0, 0, 2).endswith(
        "10 % to patches 2 away, only 0.25 times what even attention would give."
    )
    assert strength_sentence(far, 0, 0, 2).endswith(", 1.5 times what even attention would give.")
    even = strength_sentence(strength([0.1, 0.5, 0.4], 4), 0, 0, 1)
    assert even.endswith(", as much as even attention would give (attention within 4 windows).")
    assert "no patch is 7 away" in strength_sentence(near, 0, 0, 7)


def trending(means: list[float], measure: str) -> str:
    one = head_made_up.strength()
    measures = np.zeros((len(means), 1, len(MEASURES)), np.float32)
    measures[..., MEASURES.index(measure)] = np.array(means)[:, None]
    return trend_sentence(replace(one, measures=measures), measure)


def test_over_the_layers() -> None:
    assert trending([10, 20, 30], "distance") == (
        "Mean attention distance rises over the layers, from 10 pixels in the first to 30 pixels "
        "in the last."
    )
    falls = trending([0.9, 0.5, 0.25], "needed-share")
    assert "falls over the layers, from 90 % in the first to 25 % in the last" in falls
    flat = trending([10, 30, 9, 29, 10.5], "distance")
    assert flat.endswith(
        "neither rises nor falls over the layers: it lies between 9 pixels and 30 pixels."
    )
    assert "no layers to compare" in trending([np.nan, 1.0], "distance")


def test_patterns_and_content() -> None:
    patterns = head_made_up.patterns()
    told = patterns_sentence(patterns, (0, 0))
    counts = np.bincount(
        [patterns.cluster_of(layer, head) for layer in range(6) for head in range(6)], minlength=4
    )
    assert told.startswith(f"36 heads by what they look at: {counts.max()} ")
    for count, name in zip(counts, patterns.names, strict=True):
        assert f"{count} {name}" in told
    for layer, head in ((0, 0), (5, 3)):
        name = patterns.names[patterns.cluster_of(layer, head)]
        assert f"Layer {layer + 1}, head {head + 1} is {name}" in patterns_sentence(
            patterns, (layer, head)
        )
    same = replace(patterns, variation=np.full((6, 6), 0.05, np.float32))
    assert "looks the same in every picture (5 % of its" in patterns_sentence(same, (0, 0))
    moved = replace(patterns, variation=np.full((6, 6), 0.6, np.float32))
    assert "; 60 % of its attention differs from picture" in patterns_sentence(moved, (0, 0))
    one = replace(patterns, variation=np.full((6, 6), np.nan, np.float32))
    assert "picture" not in patterns_sentence(one, (0, 0))
    assert "Layer" not in patterns_sentence(patterns)


def test_partial_pruning_flips() -> None:
    assert partial_sentence(head_made_up.partial()) == (
        "Layer 4, head 2: putting class → patches to zero costs “tabby cat” 11 points; "
        "the whole head off: −14 points."
    )
    flipped = partial_sentence(head_made_up.partial(-1))
    assert "gains “tabby cat” 11 points; the whole head off: +14 points." in flipped


@pytest.mark.parametrize("factor", [0.0, 1e-4])
def test_partial_pruning_of_what_does_nothing(factor: float) -> None:
    assert partial_sentence(head_made_up.partial(factor)).endswith(
        "no part of its attention moves the probability of “tabby cat”."
    )


def test_partial_pruning_without_a_class_token() -> None:
    given = head_made_up.partial()
    blocks = given.blocks.copy()
    blocks[:3] = np.nan
    told = partial_sentence(PartialPruning(given.manifest, blocks, given.whole, given.plain))
    assert told == "Layer 4, head 2: its attention off costs “tabby cat” 3.5 points."


def evened(change: float, left: float = 0.0) -> str:
    """What is said where a block counts only when the other weights make up for it."""
    blocks = np.zeros((4, 2, 2), np.float32)
    blocks[1, :, 1] = left, change
    whole = np.zeros(2, np.float32)
    return partial_sentence(replace(head_made_up.partial(), blocks=blocks, whole=whole))


def test_partial_pruning_that_shows_only_where_the_rest_makes_up_for_it() -> None:
    assert "class → patches to zero moves “tabby cat” by −0.71 points if" in evened(-0.0071)
    assert "by +0.71 points if the other weights are raised" in evened(0.0071)
    assert "costs “tabby cat” 2 points" in evened(0.0071, left=-0.02)


def judged(values: list[list[float]], cheap: list[list[float]]) -> HeadScores:
    return replace(scores(values, None), cheap=np.array(cheap, dtype=np.float32))


def test_heads_of_which_only_the_gradient_is_known() -> None:
    nothing = float("nan")
    said = scores_sentence(judged([[nothing, 0.2], [nothing, nothing]], [[0.1, 0.9], [0.2, 0.3]]))
    assert said == "Layer 1, head 2 matters most (0.2); the other 3 heads were not judged."
    first = scores_sentence(judged([[nothing] * 2] * 2, [[0.1, 0.4], [0.2, 0.9]]))
    assert first.startswith("The gradient puts layer 2, head 2 first")


def test_heads_kept_alone_do_not_harm_by_their_absence() -> None:
    found = scores([[0.5, -0.2], [0.3, -0.4]], None)
    found.manifest["request"]["keep_one"] = True
    assert scores_sentence(found) == (
        "Layer 1, head 1 gives most as the only head of its layer (0.5); "
        "2 heads alone would do worse than none."
    )
