"""The swarm of models: each model once, no two dots over each other, who is in and who is out."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components import interaction_made_up, interaction_swarm, swarm_values
from components.swarm_places import laid, positions, tallest_of
from components.swarm_values import Band, Of, Value
from components.tokens import BAR_OTHER
from engine.interaction_results import Interactions
from tests.components.test_packing import overlap

ALL: list[tuple[Of, Value]] = [(of, v) for of in ("pairs", "columns") for v in swarm_values.VALUES]  # type: ignore[misc]


def keys(figure: go.Figure) -> list[tuple[int, int]]:
    """Return what clicks return, of all dots."""
    return [
        (int(pair), int(model))
        for trace in figure.data
        if trace.customdata is not None
        for pair, model in np.asarray(trace.customdata)
    ]


@pytest.mark.parametrize(("of", "value"), ALL)
def test_dots_do_not_overlap_at_the_declared_size(of: Of, value: Value) -> None:
    found = interaction_made_up.interactions()
    placed = laid(found, of, value)
    assert len(placed) == (15 if of == "pairs" else 6)
    x, y, sizes = (np.concatenate([getattr(one, n) for one in placed]) for n in ("x", "y", "sizes"))
    assert overlap(x, y, sizes) < 1e-6, "within bands and between them"
    assert x.min() >= 0
    assert x.max() <= interaction_swarm.WIDTH
    assert set(sizes) == {interaction_swarm.DOT, interaction_swarm.MARK, interaction_swarm.STAR}


def test_the_figure_has_the_dots_where_they_were_placed() -> None:
    found = interaction_made_up.interactions()
    figure = interaction_swarm.figure(found)
    low, high = figure.layout.xaxis.range
    margin = figure.layout.margin
    down = figure.layout.height - margin.t - margin.b
    assert figure.layout.yaxis.range == (pytest.approx(down, abs=1), 0), "y counts pixels"
    want = {
        (int(p), int(m)): (x, y)
        for one in laid(found)
        for p, m, x, y in zip(one.band.pair, one.band.model, one.x, one.y, strict=True)
    }
    told = dict(zip(keys(figure), spots(figure), strict=True))
    assert set(told) == set(want)
    for key, (x, y) in told.items():
        across = (x - low) / (high - low) * interaction_swarm.WIDTH
        assert (across, y) == pytest.approx(want[key], abs=1e-2), "float32 is near enough"
    sizes = {trace.marker.size for trace in figure.data if trace.customdata is not None}
    assert max(sizes) <= interaction_swarm.STAR


def spots(figure: go.Figure) -> list[tuple[float, float]]:
    return [
        (float(x), float(y))
        for trace in figure.data
        if trace.customdata is not None
        for x, y in zip(trace.x, trace.y, strict=True)
    ]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.floats(-3, 3), min_size=1, max_size=60), min_size=1, max_size=4),
    st.integers(1, 150),
    st.floats(200, 900),
)
def test_any_values_are_placed_without_overlap(
    values: list[list[float]], most: int, wide: float
) -> None:
    bands = [band(np.array(some)) for some in values]
    placed = positions(bands, wide=wide, most=most)
    x, y, sizes = (np.concatenate([getattr(one, n) for one in placed]) for n in ("x", "y", "sizes"))
    assert overlap(x, y, sizes) < 1e-6
    assert len(x) <= sum(map(len, values))
    for one, whole in zip(placed, bands, strict=True):
        assert one.band.reference.sum() == 1
        assert one.band.values.min() == whole.values.min(), "both ends are drawn"
        assert one.band.values.max() == whole.values.max()


def band(values: np.ndarray) -> Band:
    count = len(values)
    return Band(
        "a",
        values,
        np.zeros(count),
        np.ones(count),
        np.ones(count, dtype=bool),
        np.zeros(count, dtype=np.int32),
        np.arange(count, dtype=np.int32),
    )


def test_many_equal_values_are_thinned_and_told() -> None:
    heap = band(np.zeros(900))
    placed = positions([heap], keep=(0, 441))
    assert 20 <= len(placed[0].x) <= 32  # a pile of dots and a star, not higher than a band
    assert placed[0].there == 900
    assert 441 in placed[0].band.model, "the one that is looked at is there"
    assert np.ptp(placed[0].y) <= tallest_of(1) == 160
    found = interaction_made_up.interactions(("A", "B", "C"), idle=[])
    told = interaction_swarm.figure(found, placed=laid(found, most=100))
    lines = [note.text for note in told.layout.annotations]
    drawn = len(keys(told))
    there = sum(len(b.values) for b in swarm_values.bands_of(found))
    assert f"{drawn} of {there} dots drawn" in lines
    assert drawn <= 100 + 3 * 5
    whole = interaction_swarm.figure(interaction_made_up.interactions(("A", "B")))
    assert not [note for note in whole.layout.annotations if "drawn" in note.text]


def test_models_out_of_bound_are_grey_and_counted() -> None:
    found = interaction_made_up.interactions(("A", "B"), others=0)
    inside, distinct = found.members()[0], found.distinct(0)
    out = {(0, int(m)) for m in distinct if not inside[m]}
    assert out
    figure = interaction_swarm.figure(found)
    grey = [
        t for t in figure.data if isinstance(t.marker.color, str) and t.marker.color == BAR_OTHER
    ]
    assert {(int(p), int(m)) for t in grey for p, m in np.asarray(t.customdata)} == out
    assert all("out of bound" in t.hovertemplate for t in grey)
    assert any(f"grey: {len(out)} out of bound" in n.text for n in figure.layout.annotations)
    assert set(keys(figure)) == {(0, int(m)) for m in distinct}
    less = interaction_swarm.figure(found, epsilon=found.epsilon / 2)
    assert not any(f"grey: {len(out)} out" in n.text for n in less.layout.annotations)


def test_values_are_those_of_the_result() -> None:
    found = interaction_made_up.interactions(others=0)
    for pair, one in zip(_order(found), swarm_values.bands_of(found), strict=True):
        assert one.title == " × ".join(found.titles[i] for i in found.pairs[pair])
        np.testing.assert_allclose(one.values, found.scores[pair, one.model], atol=1e-15)
        np.testing.assert_allclose(one.loss, found.loss[pair, one.model])
    ratio = swarm_values.bands_of(found, "columns", "ratio")
    reach = found.reliance_range(ratio=True)
    for one in ratio:
        at = found.titles.index(one.title)
        inside = one.values[one.member]
        assert (inside.min(), inside.max()) == pytest.approx(tuple(reach[at]))
    sizes = swarm_values.bands_of(found, absolute=True)
    assert all((one.values >= 0).all() for one in sizes)


def _order(found: Interactions) -> list[int]:
    return np.argsort(-np.abs(found.spread()).max(axis=1), kind="stable").tolist()


def test_a_feature_has_every_model_once() -> None:
    found = interaction_made_up.interactions(("A", "B", "C"), others=3)
    for one in swarm_values.bands_of(found, "columns", "reliance"):
        masks = {
            tuple(found.mask(int(p), int(m)).round(12)) if m >= 0 else int(m)
            for p, m in zip(one.pair, one.model, strict=True)
        }
        assert len(masks) == len(one.values)
        assert one.reference.sum() == 1
        assert one.retrained.sum() == 3


def test_the_reference_is_a_star_and_models_trained_again_are_diamonds() -> None:
    found = interaction_made_up.interactions(("A", "B"), others=3)
    figure = interaction_swarm.figure(found)
    by_symbol: dict[Any, set[tuple[int, int]]] = {}
    for trace in figure.data:
        if trace.customdata is not None:
            some = {(int(p), int(m)) for p, m in np.asarray(trace.customdata)}
            by_symbol.setdefault(trace.marker.symbol, set()).update(some)
    assert by_symbol["star"] == {(0, 0)}
    assert by_symbol["diamond"] == {(0, -1), (0, -2), (0, -3)}
    assert not by_symbol["circle"] & (by_symbol["star"] | by_symbol["diamond"])


def test_box_threshold_and_ring() -> None:
    found = interaction_made_up.interactions(("A", "B"), others=0)
    bare = interaction_swarm.figure(found)
    boxed = interaction_swarm.figure(found, box=True)
    (lines,) = [t for t in boxed.data if t.mode == "lines"]
    one = swarm_values.bands_of(found)[0]
    want = np.quantile(one.values[one.member], [0.25, 0.5, 0.75])
    assert sorted({x for x in lines.x if x is not None}) == pytest.approx(list(want))
    told = interaction_swarm.figure(found, threshold=0.02)
    assert {s.x0 for s in told.layout.shapes} == {0.0, 0.02, -0.02}
    assert {
        s.x0 for s in interaction_swarm.figure(found, absolute=True, threshold=0.02).layout.shapes
    } == {0.0, 0.02}
    ringed = interaction_swarm.figure(found, chosen=(0, 30))
    extra = ringed.data[len(bare.data) :]
    assert len(extra) == 2
    at = keys(ringed).index((0, 30))
    assert (extra[0].x[0], extra[0].y[0]) == pytest.approx(spots(ringed)[at], abs=1e-3)
    assert len(interaction_swarm.figure(found, chosen=(3, 5)).data) == len(bare.data)


@pytest.mark.parametrize(("of", "value"), ALL)
def test_edges_are_drawn(of: Of, value: Value) -> None:
    lone = interaction_made_up.interactions(("A", "B"), others=0)
    alone = replace(lone, loss=np.where(np.arange(lone.loss.shape[1]) == 0, lone.loss, 9.0))
    assert swarm_values.bands_of(alone, of, value)[0].member.sum() == 1
    effects = lone.effects.copy()
    effects[0, 7] = np.nan
    broken = replace(lone, effects=effects)
    idle = interaction_made_up.interactions(("A", "B"), others=0, idle=[0, 1])
    for found in (alone, broken, idle, interaction_made_up.interactions(("<b>A</b>" * 40, "B"))):
        figure = interaction_swarm.figure(found, of=of, value=value, box=True)
        assert all(
            np.isfinite(np.asarray(t.x)).all() for t in figure.data if t.customdata is not None
        )
        assert not any("<b>A" in n.text.removeprefix("<b>") for n in figure.layout.annotations)
        assert interaction_swarm.alt(found, of=of, value=value)


def test_a_full_swarm_travels_small() -> None:
    figure = interaction_swarm.figure(interaction_made_up.interactions())
    assert len(figure.to_json()) < 200_000
    coded = [t for t in figure.to_dict()["data"] if isinstance(t.get("x"), dict)]
    assert coded
    assert all(len(base64.b64decode(t["x"]["bdata"])) % 4 == 0 for t in coded)


@pytest.mark.parametrize(("of", "value"), ALL)
def test_a_smaller_set_moves_no_dot(of: Of, value: Value) -> None:
    found = interaction_made_up.interactions()
    placed = laid(found, of, value)
    whole = interaction_swarm.figure(found, of=of, value=value, placed=placed)
    grey = []
    for epsilon in found.epsilons:
        some = interaction_swarm.figure(
            found, of=of, value=value, epsilon=float(epsilon), placed=placed
        )
        assert sorted(zip(keys(some), spots(some), strict=True)) == sorted(
            zip(keys(whole), spots(whole), strict=True)
        )
        alone = interaction_swarm.figure(found, of=of, value=value, epsilon=float(epsilon))
        assert alone.to_json() == some.to_json(), "what is passed is what would be laid"
        inside = found.members(float(epsilon))
        out = {
            (int(p), int(m))
            for trace in some.data
            if trace.customdata is not None and isinstance(trace.marker.color, str)
            for p, m in np.asarray(trace.customdata)
            if trace.marker.symbol == "circle"
        }
        assert out == {(p, m) for p, m in keys(some) if m > 0 and not inside[p, m]}
        grey.append(len(out))
    assert grey == sorted(grey, reverse=True)
    assert grey[0] > grey[-1]


def test_models_of_smaller_sets_lie_nearer_to_the_middle() -> None:
    heap = replace(band(np.zeros(31)), loss=np.r_[0.0, np.linspace(3.0, 0.1, 30)])
    (placed,) = positions([heap], limits=[1.0, 2.0])
    away = np.abs(placed.y - placed.middle)
    small, middle, rest = (
        away[which & ~placed.band.reference]
        for which in (
            placed.band.loss <= 1,
            (placed.band.loss > 1) & (placed.band.loss <= 2),
            placed.band.loss > 2,
        )
    )
    assert small.max() <= middle.min()
    assert middle.max() <= rest.min()
    assert small.max() < rest.min()


def test_the_page_draws_a_swarm_no_narrower_than_it_was_laid_for() -> None:
    css = (Path(__file__).parents[2] / "assets/css/page.css").read_text()
    told = re.search(r"\.st-key-chart-i-swarm > \* \{ min-width: (\d+)px; \}", css)
    assert told
    margin = interaction_swarm.example().layout.margin
    assert int(told[1]) - margin.l - margin.r >= interaction_swarm.WIDTH
