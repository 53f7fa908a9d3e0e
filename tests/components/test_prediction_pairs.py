"""What a model says before and after a change."""

from __future__ import annotations

import numpy as np

from components import prediction_pairs
from engine.results import Prediction


def said(*shares: float) -> Prediction:
    probabilities = np.array(shares)
    names = ("cat", "dog", "hen", "owl", "pig", "rat")[: len(shares)]
    return Prediction(np.log(probabilities), probabilities, names, 0.01)


def test_each_class_that_leads_before_or_after_is_there_once() -> None:
    before = said(0.5, 0.2, 0.1, 0.08, 0.07, 0.05)
    after = said(0.05, 0.07, 0.08, 0.1, 0.2, 0.5)
    rows = prediction_pairs.rows_of(before, after, 2)
    assert [row[0] for row in rows] == ["cat", "rat"]
    assert rows[1][1:] == (0.05, 0.5)
    assert len(prediction_pairs.rows_of(before, before)) == 4


def test_bars_stand_in_pairs_and_alone_where_nothing_changes() -> None:
    rows = [("cat", 0.7, 0.2), ("dog", 0.3, 0.8)]
    drawn = prediction_pairs.figure(rows, ("before", "after"))
    assert [list(bar.x) for bar in drawn.data] == [[0.7, 0.3], [0.2, 0.8]]
    assert drawn.data[0].y[0] < drawn.data[1].y[0]
    alone = prediction_pairs.figure(rows, ("before",))
    assert [list(bar.x) for bar in alone.data] == [[0.7, 0.3]]
    assert not alone.layout.showlegend


def test_the_sentence_follows_the_numbers() -> None:
    one, other = said(0.7, 0.3), said(0.4, 0.6)
    told = prediction_pairs.sentence(one, other, "with 3 heads off")
    assert told.startswith("With 3 heads off the answer changes to dog (60.0 %)")
    assert "cat goes from 70.0 % to 40.0 %" in told
    back = prediction_pairs.sentence(other, one, "with 3 heads off")
    assert "changes to cat (70.0 %)" in back and "dog goes from 60.0 % to 30.0 %" in back
    assert "the answer stays: cat stays at 70.0 %" in prediction_pairs.sentence(one, one, "so")
