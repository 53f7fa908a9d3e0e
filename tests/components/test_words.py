"""Sentences read the data: when the data flips, the sentence must flip."""

from __future__ import annotations

import numpy as np
import pytest

from components import views, words
from engine.results import Attribution


def attribution(values: np.ndarray, versus: str | None = None) -> Attribution:
    manifest = {
        "key": "k",
        "display": {"fold": "sum", "view": "positive"},
        "source": {"model_title": "Net", "method_title": "Grad-CAM", "input": "cat.png"},
        "request": {
            "target": {"index": 1, "name": "cat"},
            "versus": versus and {"index": 2, "name": versus},
            "method": {"name": "grad-cam", "parameters": {"layer": "head"}},
            "output": "logit",
            "seed": 0,
            "device": "cpu",
        },
        "outcome": {"passes": {"forward": 2, "backward": 1}, "seconds": 0.081},
    }
    return Attribution(manifest, values.astype(np.float32))


def test_title() -> None:
    assert words.title(attribution(np.eye(3))) == "Why “cat”?"
    assert words.title(attribution(np.eye(3), "dog")) == "Why “cat” and not “dog”?"


def test_caption_tells_all_that_was_done() -> None:
    told = words.caption(attribution(np.eye(3), "dog"))
    for part in ("Net", "Grad-CAM (layer head)", "target 1 cat against 2 dog", "0.08 s", "CPU"):
        assert part in told
    assert "2 forward and 1 backward pass" in told


@pytest.mark.parametrize(
    ("row", "column", "place"),
    [
        (0, 0, "top left"),
        (0, 8, "top right"),
        (8, 0, "bottom left"),
        (4, 4, "centre"),
        (4, 0, "middle left"),
        (8, 4, "bottom centre"),
    ],
)
def test_the_peak_is_where_it_is(row: int, column: int, place: str) -> None:
    values = np.zeros((9, 9))
    values[row, column] = 2
    given = attribution(values)
    assert f"at the {place} of" in words.map_in_words(given, views.look_at(given, "positive"))


def test_the_peak_of_a_signed_map_may_be_negative() -> None:
    values = np.zeros((9, 9))
    values[0, 0], values[8, 8] = 1, -2
    given = attribution(values)
    assert words.place_of_peak(views.look_at(given, "positive")) == "top left"
    assert words.place_of_peak(views.look_at(given, "signed")) == "bottom right"


def test_nothing_speaks_for_it() -> None:
    given = attribution(-np.ones((4, 4)))
    assert "nothing speaks for it" in words.map_in_words(given, views.look_at(given, "positive"))


def test_verdict_flips_with_the_data() -> None:
    good = words.verdict(0.9, 0.2, 0.8, 0.02)
    bad = words.verdict(0.9, 0.8, 0.2, 0.02)
    chance = words.verdict(0.9, 0.5, 0.5, 0.02)
    assert good.startswith("The map names what the prediction rests on")
    assert "other places matter more" in bad
    assert "no better than chance" in chance
    assert "costs 70.0 points" in good
    assert "elsewhere costs 10.0 points" in good


def test_verdict_needs_two_standard_errors() -> None:
    assert "no better than chance" in words.verdict(0.9, 0.76, 0.8, 0.03)
    assert "rests on" in words.verdict(0.9, 0.73, 0.8, 0.03)


def test_verdict_makes_nothing_of_nothing() -> None:
    assert "says little" in words.verdict(0.5, 0.499, 0.5, 0.0)
    assert "costs 0.0 points" in words.verdict(0.5, 0.50001, 0.5, 0.0)
    assert "no better than chance" in words.verdict(0.9, 0.79, 0.795, 0.0)


@pytest.mark.parametrize("text", ["a*b_c", "[n](http://x)", ":red[q] $x$", "`c` <b> # ~~s~~"])
def test_plain_takes_away_every_meaning(text: str) -> None:
    shown = words.plain(text)
    assert shown.replace("\\", "") == text
    for mark in "*_[]()`$<>#~:":
        for place, letter in enumerate(shown):
            assert letter != mark or shown[place - 1] == "\\"


def test_verdict_tells_a_gain_as_a_gain() -> None:
    assert "gains 5.0 points" in words.verdict(0.5, 0.55, 0.4, 0.01)
