from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components import made_up, tokens, tree, tree_nodes
from components.facts import facts_of
from engine.table_results import Surrogate


@pytest.mark.parametrize(("depth", "leaves"), [(1, 2), (3, 8), (4, 16)])
def test_every_node_has_a_line_of_its_own(depth: int, leaves: int) -> None:
    given = made_up.surrogate(depth)
    nodes = tree_nodes.nodes_of(given)
    assert [node.line for node in nodes] == list(range(2 * leaves - 1))
    assert sorted(node.place for node in nodes) == list(range(2 * leaves - 1))
    figure = tree.figure(given)
    assert len(figure.data[0].y) == leaves
    assert len(figure.layout.shapes) == leaves - 1


def test_yes_is_left_for_numbers_and_right_for_names() -> None:
    given = made_up.surrogate(1)
    yes, no = tree_nodes.nodes_of(given)[1:]
    assert (yes.answer, yes.place, no.answer, no.place) == ("yes", 1, "no", 2)
    assert tree_nodes.question(given, facts_of(given), 0) == "Worst area ≤ 880 mm²?"
    given.manifest["display"]["categories"] = {"worst area": ["small", "large"]}
    named = replace(given, threshold=np.array([1.0, 0, 0]))
    yes, no = tree_nodes.nodes_of(named)[1:]
    assert (yes.place, no.place) == (2, 1)
    assert tree_nodes.question(named, facts_of(named), 0) == "Worst area is large?"


@pytest.mark.parametrize(
    ("threshold", "told"),
    [
        (2013.0, "2013 mm²"),
        (2013.5, "2013.5 mm²"),
        (59698.0, "59\xa0698 mm²"),
        (-0.1625, "−0.1625 mm²"),
    ],
)
def test_thresholds_are_told_in_full(threshold: float, told: str) -> None:
    given = replace(made_up.surrogate(1), threshold=np.array([threshold, 0, 0]))
    assert tree_nodes.question(given, facts_of(given), 0) == f"Worst area ≤ {told}?"


def test_leaves_are_as_wide_as_their_share_and_tell_their_prediction() -> None:
    given = made_up.surrogate(1)
    uneven = replace(given, share=np.array([1, 0.8, 0.2], dtype=np.float32))
    leaves = tree.figure(uneven).data[0]
    assert leaves.x[0] / leaves.x[1] == pytest.approx(4)
    assert leaves.text[0] == "<b>5 %</b> malignant · 80 % of rows"


def test_colours_of_probabilities_span_the_whole_scale() -> None:
    ends = replace(made_up.surrogate(1), prediction=np.array([0.5, 0, 1], dtype=np.float32))
    low, high = tree.figure(ends).data[0].marker.color
    assert low == "rgb({},{},{})".format(*(int(tokens.VALUES[0][i : i + 2], 16) for i in (1, 3, 5)))
    assert high != low
    close = replace(ends, prediction=np.array([0.5, 0.5, 0.51], dtype=np.float32))
    first, second = (
        np.array([int(part) for part in colour[4:-1].split(",")])
        for colour in tree.figure(close).data[0].marker.color
    )
    assert np.abs(first - second).max() < 12


def test_a_tree_that_asks_nothing() -> None:
    given = made_up.surrogate(1)
    none = np.array([-1], dtype=np.int32)
    alone = Surrogate(
        given.manifest,
        given.values,
        none,
        np.zeros(1),
        np.array([[-1, -1]], dtype=np.int32),
        np.array([0.4], dtype=np.float32),
        np.array([1.0], dtype=np.float32),
    )
    assert len(tree.figure(alone).data[0].y) == 1
    assert tree.alt(alone) == "Decision tree without a question."


def test_text_alternative() -> None:
    assert tree.alt(made_up.surrogate()) == (
        "Decision tree with 8 leaves; its first question: Worst area ≤ 880 mm²?"
    )
