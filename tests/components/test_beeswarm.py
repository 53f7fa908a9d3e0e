from __future__ import annotations

import json

import numpy as np
import pytest

from components import beeswarm, made_up, spreading, tokens
from engine.table_results import Swarm


def bands(figure) -> list:
    return [trace for trace in figure.data if trace.meta is not None]


def test_the_most_important_column_is_on_top() -> None:
    given = made_up.swarm()
    figure = beeswarm.figure(given, top=5)
    order = np.argsort(-np.abs(given.values).mean(axis=0))[:5]
    assert list(figure.layout.yaxis.ticktext) == [given.titles[i] for i in order]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]


def test_dots_lie_at_the_values_and_within_their_band() -> None:
    given = made_up.swarm()
    figure = beeswarm.figure(given, top=15)
    for trace in bands(figure):
        column = given.titles.index(trace.meta)
        rows = np.array(trace.customdata) - 1
        assert np.array(trace.x) == pytest.approx(100 * given.values[rows, column], rel=1e-5)
        band = list(figure.layout.yaxis.ticktext).index(trace.meta)
        assert np.abs(np.array(trace.y) - band).max() <= 0.41


def test_every_dot_tells_its_row() -> None:
    given = made_up.swarm(100)
    figure = beeswarm.figure(given, top=15)
    for title in given.titles:
        rows = np.concatenate([t.customdata for t in bands(figure) if t.meta == title])
        assert sorted(rows.tolist()) == list(range(1, 101))


def test_crowded_places_spread_and_lone_dots_stay_in_the_middle() -> None:
    x = np.concatenate([np.zeros(50), [1.0]])[:, None]
    y = spreading.heights(x)[:, 0]
    assert y[-1] == 0
    assert len(set(y[:50])) == 50
    assert y[:50].max() <= spreading.REACH + 1e-9
    assert np.array_equal(spreading.heights(x), spreading.heights(x))


def test_few_dots_are_not_blown_up() -> None:
    y = spreading.heights(np.zeros((3, 1)))[:, 0]
    assert np.abs(y).max() == pytest.approx(spreading.STEP)


def test_colours_go_by_rank_and_missing_is_grey() -> None:
    given = made_up.swarm()
    dots = [t for t in bands(beeswarm.figure(given, top=15)) if t.meta == "Mean texture"]
    there, missing = dots
    inputs = given.inputs[np.array(there.customdata) - 1, 2]
    colour = np.array(there.marker.color)
    assert colour[inputs.argmin()] == 0
    assert colour[inputs.argmax()] == 255
    assert np.all(np.diff(colour[np.argsort(inputs)].astype(int)) >= 0)
    assert missing.marker.color == tokens.BAR_OTHER
    assert set(missing.text) == {"empty"}
    assert len(missing.x) == np.isnan(given.inputs[:, 2]).sum()


def test_categories_are_coloured_by_place_and_told_by_name() -> None:
    given = made_up.swarm()
    (dots,) = [t for t in bands(beeswarm.figure(given, top=15)) if t.meta == "Mean symmetry"]
    places = given.inputs[np.array(dots.customdata) - 1, 3].astype(int)
    assert np.array(dots.marker.color).tolist() == np.rint(places * 255 / 3).tolist()
    assert list(dots.text[:3]) == [["none", "low", "some", "high"][p] for p in places[:3]]


def test_the_chosen_row_is_ringed_in_every_band() -> None:
    given = made_up.swarm()
    figure = beeswarm.figure(given, chosen=7, top=6)
    rings = [trace for trace in figure.data if trace.marker.symbol == "circle-open"]
    assert len(rings) == 2
    assert len({ring.marker.color for ring in rings}) == 2
    order = np.argsort(-given.importance(), kind="stable")[:6]
    assert np.array(rings[0].x) == pytest.approx(100 * given.values[6, order], rel=1e-5)
    assert set(rings[0].customdata) == {7}
    assert rings[0].hoverinfo == "skip"
    dots = figure.data[-1]
    assert np.array_equal(dots.x, rings[0].x)
    assert rings[0].marker.size > dots.marker.size > figure.data[0].marker.size
    assert set(dots.customdata) == {7}


def test_the_chosen_rows_dots_keep_the_colour_of_their_value() -> None:
    given = made_up.swarm()
    lowest = int(given.inputs[:, 0].argmin())
    figure = beeswarm.figure(given, chosen=lowest + 1, top=15)
    band = list(figure.layout.yaxis.ticktext).index("Worst area")
    code = tokens.VALUES[0]
    expected = "rgb({},{},{})".format(*(int(code[i : i + 2], 16) for i in (1, 3, 5)))
    assert figure.data[-1].marker.color[band] == expected
    missing = beeswarm.figure(given, chosen=1, top=15)  # row 1 has no mean texture
    band = list(missing.layout.yaxis.ticktext).index("Mean texture")
    assert missing.data[-1].marker.color[band] == tokens.BAR_OTHER


@pytest.mark.parametrize("chosen", [None, 9999])
def test_no_ring_without_a_row(chosen: int | None) -> None:
    figure = beeswarm.figure(made_up.swarm(), chosen)
    assert all(trace.marker.symbol is None for trace in figure.data)


def test_2000_rows_and_12_columns_stay_below_a_megabyte() -> None:
    draw = np.random.default_rng(0)
    few = made_up.swarm(2)
    few.manifest["display"]["categories"] = {}
    given = Swarm(
        few.manifest,
        draw.normal(0, 0.1, (2000, 15)).astype(np.float32),
        draw.gamma(2, 1234.5, (2000, 15)),
        np.arange(30_000, 32_000, dtype=np.int32),
        np.zeros(2000, dtype=np.float32),
    )
    figure = beeswarm.figure(given, 30_001)
    content = figure.to_json()
    assert len(content) < 1_000_000
    first = json.loads(content)["data"][0]
    assert first["x"]["dtype"] == "f4"
    assert first["marker"]["color"]["dtype"] == "u1"
    assert first["customdata"]["dtype"] == "i2"
    assert "shape" not in first["customdata"]


def test_large_row_numbers_survive() -> None:
    few = made_up.swarm(2)
    rows = np.array([5, 1_000_000], dtype=np.int32)
    given = Swarm(few.manifest, few.values, few.inputs, rows, few.scores)
    dots = beeswarm.figure(given).data[0]
    assert 1_000_000 in np.array(dots.customdata).tolist()


def test_text_alternative() -> None:
    told = beeswarm.alt(made_up.swarm())
    assert told.startswith("Beeswarm of 200 rows and 12 columns, the most important on top:")
