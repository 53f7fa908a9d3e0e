from __future__ import annotations

import doctest

import numpy as np

from components import confusion, predictions, words
from components.tokens import BAR_CHOSEN, BAR_OTHER

ROWS = [(282, "tiger cat", 0.4), (285, "Egyptian cat", 0.35), (281, "tabby", 0.0002)]


def test_the_explained_class_stands_out() -> None:
    for position, (index, _, _) in enumerate(ROWS):
        colours = predictions.figure(ROWS, index).data[0].marker.color
        expected = [BAR_OTHER] * len(ROWS)
        expected[position] = BAR_CHOSEN
        assert list(colours) == expected


def test_bars_carry_what_a_click_needs() -> None:
    bars = predictions.figure(ROWS, None).data[0]
    assert [row[0] for row in bars.customdata] == [282, 285, 281]
    assert list(bars.x) == [0.4, 0.35, 0.0002]
    assert list(bars.text) == ["40.0 %", "35.0 %", "under 0.1 %"]


def test_long_names_are_cut() -> None:
    name = "a very long class name that would push the bars away"
    shown = predictions.figure([(0, name, 1.0)], None).layout.yaxis.ticktext[0]
    assert len(shown) == 22
    assert shown.endswith("…")


def test_a_name_is_drawn_as_it_is_written() -> None:
    """Plotly would read its tags."""
    name = "<b>x</b> & <a href='y'>z</a>"
    drawn = predictions.figure([(0, name, 1.0)], None)
    assert drawn.layout.yaxis.ticktext[0].startswith("&lt;b&gt;x&lt;/b&gt; &amp; ")
    assert "<" not in drawn.data[0].customdata[0][1]
    mixed = confusion.figure(np.eye(2, dtype=int), [name, "cat"])
    for trace in mixed.data:
        assert not any("<" in told for told in (*trace.x, *trace.y))


def test_classes_of_one_name_stay_apart() -> None:
    mixed = confusion.figure(np.eye(3, dtype=int), ["cat", "dog", "cat"])
    assert list(mixed.data[0].x) == ["cat", "dog", "cat (2)"]


def test_no_predictions() -> None:
    assert len(predictions.figure([], None).data[0].x) == 0


def test_examples_in_docstrings() -> None:
    for module in (predictions, words):
        assert doctest.testmod(module).failed == 0
