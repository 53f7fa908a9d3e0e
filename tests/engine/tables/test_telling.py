"""Findings as rankings: with the data flipped, the order flips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.table_results import Agreement, ColumnScores, Effects, Groups, Swarm
from engine.tables.telling import ranking

DISPLAY = {"columns": ["a", "b", "c"], "titles": ["Age", "Blood", "Colour"], "unit": "bits"}


def scores(values: list[float], error: list[float] | None = None) -> ColumnScores:
    spread = None if error is None else np.array(error, dtype=np.float32)
    manifest = {"key": "0", "display": DISPLAY, "outcome": {}}
    return ColumnScores(manifest, np.array(values, dtype=np.float32), spread)


def test_scores() -> None:
    entries = ranking(scores([1, 3, 2], [0.5, 0.5, 0.5]))
    assert [entry["column"] for entry in entries] == ["b", "c", "a"]
    assert entries[0] == {"column": "b", "title": "Blood", "value": 3.0, "error": 0.5}
    assert [entry["column"] for entry in ranking(scores([3, 1, 2]))] == ["a", "c", "b"]


def effect(values: list[float], categories: list[str] | None = None) -> Effects:
    display = {
        **DISPLAY, "column": "a", "column_title": "Age", "unit": "mean probability of yes",
        "categories": categories or [],
    }  # fmt: skip
    manifest = {"key": "0", "display": display, "outcome": {}}
    return Effects(manifest, np.array([0.0, 1.0, 2.0]), np.array(values, dtype=np.float32))


def test_effects_stand_along_the_column() -> None:
    assert [entry["at"] for entry in ranking(effect([1, 3, 2]))] == [0.0, 1.0, 2.0]
    named = ranking(effect([1, 3, 2], ["young", "grown", "old"]))
    assert [(entry["title"], entry["value"]) for entry in named] == [
        ("young", 1.0), ("grown", 3.0), ("old", 2.0),
    ]  # fmt: skip


def test_swarms_count_by_size_whatever_the_sign() -> None:
    values = np.array([[1, -5, 0], [-1, -5, 0]], dtype=np.float32)
    manifest = {"key": "0", "display": DISPLAY, "outcome": {}}
    rest = (np.zeros((2, 3)), np.array([1, 2], dtype=np.int32), np.zeros(2, dtype=np.float32))
    found = Swarm(manifest, values, *rest)
    assert [entry["title"] for entry in ranking(found)] == ["Blood", "Age", "Colour"]
    flipped = replace(found, values=values[:, [1, 0, 2]])
    assert [entry["title"] for entry in ranking(flipped)] == ["Age", "Blood", "Colour"]


def test_groups() -> None:
    display = {**DISPLAY, "groups": [["a", "c"], ["b"]]}
    manifest = {"key": "0", "display": display, "outcome": {}}
    found = Groups(
        manifest, np.eye(3), np.array([0, 1, 0]), np.array([2.0, 1.0]), np.array([0.1, 2.0])
    )
    first = ranking(found)[0]
    assert (first["columns"], first["title"]) == (["a", "c"], "Age, Colour")


def test_agreement() -> None:
    matrix = np.array([[1, 0.9, 0.1], [0.9, 1, -0.4], [0.1, -0.4, 1]])
    display = {**DISPLAY, "measures": ["One", "Two", "Three"]}
    found = Agreement({"key": "0", "display": display, "outcome": {}}, matrix, np.zeros((3, 3)))
    assert ranking(found)[0]["measures"] == ["One", "Two"]
    flipped = ranking(replace(found, matrix=-matrix))
    assert [flipped[0]["title"], flipped[-1]["title"]] == ["Two and Three", "One and Two"]
