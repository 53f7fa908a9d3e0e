from __future__ import annotations

import doctest

import numpy as np
import pytest
from scipy.stats import spearmanr

from components import fitting, made_up, ranks, saying
from components.facts import facts_of


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(saying).failed == 0


@pytest.mark.parametrize(
    ("value", "told"),
    [(9.999, "10"), (999.96, "1000"), (0.00012, "0.00012"), (-1234567.0, "−1\u00a0230\u00a0000")],
)
def test_numbers_keep_three_digits(value: float, told: str) -> None:
    assert saying.number(value) == told


def test_tiny_numbers_get_a_power_of_ten() -> None:
    assert saying.number(-0.0000123) == "−1.23 × 10⁻⁵"


@pytest.mark.parametrize("seed", range(3))
def test_rank_correlation_is_scipys(seed: int) -> None:
    draw = np.random.default_rng(seed)
    one, other = draw.integers(0, 9, 60).astype(float), draw.normal(size=60)
    assert ranks.correlation(one, other) == pytest.approx(spearmanr(one, other).statistic)
    one[::7] = np.nan
    there = np.isfinite(one)
    expected = spearmanr(one[there], other[there]).statistic
    assert ranks.correlation(one, other) == pytest.approx(expected)


def test_places_span_0_to_1_and_ties_share() -> None:
    places = ranks.places(np.array([5.0, 1.0, 1.0, np.nan, 9.0]))
    assert places[[1, 2]].tolist() == [0, 0]
    assert places[4] == 1
    assert np.isnan(places[3])
    assert ranks.places(np.array([3.0, 3.0])).tolist() == [0.5, 0.5]


def test_text_is_cut_to_fit() -> None:
    cut = fitting.fitted("a very long name of a column", 80)
    assert fitting.width(cut) <= 80
    assert cut.endswith("…")
    assert fitting.fitted("short", 80) == "short"
    assert all(fitting.width(line) <= 90 for line in fitting.wrapped("some words in a row", 90))


def test_units_come_from_the_preprocessing_when_the_display_has_none() -> None:
    given = made_up.scores()
    del given.manifest["display"]["units"]
    columns = [{"name": name} for name in given.columns]
    columns[0] |= {"unit": "cm"}
    columns[1] |= {"categories": ["a", "b"]}
    given.manifest["request"]["preprocessing"] = {"columns": columns}
    told = facts_of(given)
    assert told.cell(0, 3.0) == "3 cm"
    assert told.cell(1, 1.0) == "b"
    assert told.cell(1, float("nan")) == told.cell(0, None) == "empty"


def test_two_outcomes_are_held_against_each_other() -> None:
    given = made_up.attribution()
    given.manifest["request"]["versus"] = {"index": 0, "name": "benign"}
    told = facts_of(given)
    assert told.noun == "the probability of malignant minus that of benign"
    assert told.level(0.4) == "+40 points"
    assert told.suffix == ""
