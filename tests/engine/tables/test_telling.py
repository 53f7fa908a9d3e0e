"""Sentences that read a finding out: with the data flipped, the sentence flips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.table_results import Agreement, ColumnScores, Effects, Groups, Surrogate, Swarm
from engine.tables.measuring import measure
from engine.tables.telling import ranking, sentence
from tests.engine.tables import nets

DISPLAY = {"columns": ["a", "b", "c"], "titles": ["Age", "Blood", "Colour"], "unit": "bits"}


def scores(values: list[float], error: list[float] | None = None) -> ColumnScores:
    spread = None if error is None else np.array(error, dtype=np.float32)
    manifest = {"key": "0", "display": DISPLAY, "outcome": {}}
    return ColumnScores(manifest, np.array(values, dtype=np.float32), spread)


def test_scores() -> None:
    assert sentence(scores([3, 1, 2])) == "Age comes first, then Colour."
    assert sentence(scores([-3, -1, -2], [9, 9, 9])) == "Nothing can be told from chance."
    assert sentence(scores([1, 3, 2])) == "Blood comes first, then Colour."
    told = sentence(scores([1, 3, 0.1], [0.1, 0.1, 0.1]))
    assert told == "Blood comes first, then Age. 1 of 3 columns cannot be told from 0."
    entries = ranking(scores([1, 3, 2], [0.5, 0.5, 0.5]))
    assert [entry["column"] for entry in entries] == ["b", "c", "a"]
    assert entries[0] == {"column": "b", "title": "Blood", "value": 3.0, "error": 0.5}


def effect(values: list[float], categories: list[str] | None = None) -> Effects:
    display = {
        **DISPLAY, "column": "a", "column_title": "Age", "unit": "mean probability of yes",
        "categories": categories or [],
    }  # fmt: skip
    manifest = {"key": "0", "display": display, "outcome": {}}
    return Effects(manifest, np.array([0.0, 1.0, 2.0]), np.array(values, dtype=np.float32))


def test_effects() -> None:
    assert sentence(effect([0.25, 0.5, 0.75])) == (
        "Mean probability of yes: highest (0.75) where Age is 2, lowest (0.25) where it is 0."
    )
    assert "highest (0.75) where Age is 0, lowest (0.25) where it is 2" in sentence(
        effect([0.75, 0.5, 0.25])
    )
    assert "lowest (0.25) where it is old" in sentence(
        effect([0.75, 0.5, 0.25], ["young", "grown", "old"])
    )
    assert sentence(effect([0.5, 0.5, 0.5])).endswith("0.5 throughout; Age moves nothing.")
    assert [entry["at"] for entry in ranking(effect([1, 2, 3]))] == [0.0, 1.0, 2.0]


def test_swarms_count_by_size_whatever_the_sign() -> None:
    values = np.array([[1, -5, 0], [-1, -5, 0]], dtype=np.float32)
    manifest = {"key": "0", "display": DISPLAY, "outcome": {}}
    rest = (np.zeros((2, 3)), np.array([1, 2], dtype=np.int32), np.zeros(2, dtype=np.float32))
    found = Swarm(manifest, values, *rest)
    assert sentence(found) == "Blood comes first, then Age."
    flipped = replace(found, values=values[:, [1, 0, 2]])
    assert sentence(flipped) == "Age comes first, then Blood."


def test_groups() -> None:
    display = {**DISPLAY, "groups": [["a", "c"], ["b"]]}
    manifest = {"key": "0", "display": display, "outcome": {}}
    found = Groups(
        manifest, np.eye(3), np.array([0, 1, 0]), np.array([2.0, 1.0]), np.array([0.1, 2.0])
    )
    assert sentence(found) == (
        "Age, Colour comes first, then Blood. 1 of 2 groups cannot be told from 0."
    )
    assert ranking(found)[0]["columns"] == ["a", "c"]


def test_agreement() -> None:
    matrix = np.array([[1, 0.9, 0.1], [0.9, 1, -0.4], [0.1, -0.4, 1]])
    display = {**DISPLAY, "measures": ["One", "Two", "Three"]}
    found = Agreement({"key": "0", "display": display, "outcome": {}}, matrix, np.zeros((3, 3)))
    told = sentence(found)
    assert "agree by 0.20 on average" in told
    assert "most alike are One and Two (0.90), least alike Two and Three (-0.40)" in told
    flipped = sentence(replace(found, matrix=-matrix))
    assert "most alike are Two and Three (0.40), least alike One and Two (-0.90)" in flipped


def test_surrogates_tell_how_well_they_imitate() -> None:
    found = measure(nets.mixed_net(), nets.mixed_table(), "surrogate")
    assert isinstance(found, Surrogate)
    fidelity = found.outcome["fidelity"]
    assert f"explains {100 * fidelity['r2']:.0f} %" in sentence(found)
    assert f"in {100 * fidelity['agreement']:.0f} % of them" in sentence(found)

    def told(**changed: float) -> str:
        outcome = {"fidelity": {"rows": 9, **changed}}
        return sentence(replace(found, manifest={**found.manifest, "outcome": outcome}))

    assert told(r2=0.5) == (
        "The tree explains 50 % of how the model's number varies on 9 rows that it has not seen."
    )
    assert "further from the model's number than its mean" in told(r2=-0.5)
    assert "nothing to imitate" in told()
