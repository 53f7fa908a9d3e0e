from __future__ import annotations

import numpy as np
import pytest

from components import column_bars, made_up, tokens
from engine.results import Attribution
from engine.table_results import ColumnScores


def test_a_rows_bars_are_signed_and_sorted_by_size() -> None:
    figure = column_bars.attribution_figure(made_up.attribution(), top=4)
    bars = figure.data[0]
    assert np.all(np.diff(np.abs(bars.x[:4])) <= 0)
    assert bars.x[0] == pytest.approx(14)
    assert list(bars.marker.color[:4]) == [tokens.POSITIVE] * 4
    assert figure.layout.yaxis.ticktext[-1] == "11 other columns"
    assert figure.data[1].text[-1].strip() == "each at most 8.3 points"


def test_whiskers_where_there_are_errors() -> None:
    found = made_up.attribution(output="logit")
    spread = np.linspace(0.01, 0.05, 15).astype(np.float32)
    bars = column_bars.attribution_figure(Attribution(found.manifest, found.values, spread)).data[0]
    assert bars.error_x.array[0] == pytest.approx(0.02)
    assert column_bars.attribution_figure(found).data[0].error_x.array is None


def test_scores_are_sorted_and_the_rest_is_told() -> None:
    values = np.arange(30) / 100
    manifest = made_up.manifest("permutation", unit="rise of the log-loss (nats)")
    names = [f"c{n}" for n in range(30)]
    manifest["display"] |= {"columns": names, "titles": names, "units": [""] * 30}
    scores = ColumnScores(manifest, values.astype(np.float32), None)
    figure = column_bars.scores_figure(scores)
    assert figure.layout.yaxis.ticktext[:2] == ("c29", "c28")
    assert figure.layout.yaxis.ticktext[-1] == "15 other columns"
    assert figure.data[1].text[-1].strip() == "each at most 0.14"
    assert list(figure.data[0].customdata) == [*range(29, 14, -1), -1]
    assert figure.layout.xaxis.title.text == "rise of the log-loss (nats)"


def test_numbers_stand_beyond_the_whiskers() -> None:
    figure = column_bars.scores_figure(made_up.scores())
    bars, texts = figure.data[:2]
    assert texts.x[0] == pytest.approx(bars.x[0] + 2 * 0.004)
    assert figure.layout.xaxis.range[1] > texts.x[0]


def test_negative_bars_have_room_for_their_numbers() -> None:
    figure = column_bars.attribution_figure(made_up.attribution(-np.linspace(0.1, 0.02, 15)))
    low, high = figure.layout.xaxis.range
    assert low < -10
    assert high == pytest.approx(0)
    assert set(figure.data[1].textposition) == {"middle left"}


def test_groups_are_named_by_their_first_column() -> None:
    figure = column_bars.groups_figure(made_up.groups())
    assert figure.layout.yaxis.ticktext[0] == "Worst area + 6 more"
    assert figure.data[0].x[0] == pytest.approx(20)


def test_text_alternatives() -> None:
    assert "first Worst area 0.12" in column_bars.scores_alt(made_up.scores())
    assert "the longest: Worst area +14" in column_bars.attribution_alt(made_up.attribution())
    assert "3 groups" in column_bars.groups_alt(made_up.groups())
