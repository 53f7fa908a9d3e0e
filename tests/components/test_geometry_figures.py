"""Charts of the geometry at the classifier: marks lie where pictures and networks lie."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from components import (
    geometry_map,
    geometry_parallel,
    geometry_scatter,
    geometry_table,
    prune_made_up,
    tokens,
)
from components.geometry_names import MEASURES, RIGHT, WRONG, middle
from engine.prune_results import Geometry

FIGURES = {
    "table": geometry_table.example,
    "map": geometry_map.example,
    "scatter": geometry_scatter.example,
    "parallel": geometry_parallel.example,
}


@pytest.fixture(scope="module")
def found() -> Geometry:
    return prune_made_up.geometry(pictures=120)


def clicked(figure: go.Figure) -> dict[tuple[int, ...], tuple[float, float, str]]:
    return {
        tuple(key): (x, y, text)
        for trace in figure.data
        if trace.customdata is not None
        for key, x, y, text in zip(trace.customdata, trace.x, trace.y, trace.text, strict=True)
    }


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_small_and_tell_no_nonsense(name: str) -> None:
    figure = FIGURES[name]()
    assert len(figure.to_json()) <= 40_000
    told = json.dumps([[t.text, t.hovertemplate, t.hovertext] for t in figure.data], default=str)
    assert "nan" not in told.lower()
    assert "nothing" not in told
    for trace in figure.data:
        if trace.customdata is not None:
            assert trace.selected is not None
    assert not (figure.layout.dragmode or False)


@pytest.mark.parametrize("measure", MEASURES)
def test_table(found: Geometry, measure: str) -> None:
    figure = geometry_table.figure(found, measure, (2, 1))
    right = 100 * (found.predicted == found.labels).mean(axis=-1)
    assert np.array(figure.data[0].z) == pytest.approx(right, rel=1e-6)
    keys = clicked(figure)
    assert set(keys) == {(m, b) for m in range(5) for b in range(5)}
    given = {"angle": found.angle, "norm": found.norm, "margin": found.margin}[measure]
    for (model, mark), (x, y, told) in keys.items():
        assert (x, y) == (mark, model)
        assert told.startswith(f"{found.models[model]}, {found.benchmarks[mark]}: ")
        assert f"{right[model, mark]:.0f} % right" in told or right[model, mark] > 99
        assert f"median {measure} " in told
    assert np.median(given[2, 1]) == pytest.approx(
        float(keys[2, 1][2].rsplit(" ", 1)[1].replace("−", "-")), rel=0.01
    )
    rings = [s for s in figure.layout.shapes if s.type == "rect"]
    assert {((s.x0 + s.x1) / 2, (s.y0 + s.y1) / 2) for s in rings} == {(1, 2)}


def test_table_histograms_count_every_picture(found: Geometry) -> None:
    bars, edges = geometry_table._histograms(found, "margin")
    counts = bars * 1.0
    largest = max(
        np.histogram(np.clip(found.margin[m, b], edges[0], edges[-1]), edges)[0].max()
        for m in range(5)
        for b in range(5)
    )
    assert (counts * largest).sum(axis=-1) == pytest.approx(np.full((5, 5), 120))
    assert counts.max() == 1
    drawn = geometry_table.figure(found, "margin").data
    shapes = [t for t in drawn if t.type == "scatter" and t.fill == "toself"]
    tops = [y for t in shapes for y in t.y if y is not None]
    size = 2 * geometry_table.BINS + 2
    steps = np.array(tops).reshape(25, size)[:, 1:-1:2]
    heights = np.sort(np.ptp(steps, axis=1))
    assert heights == pytest.approx(np.sort(np.ptp(bars.reshape(25, -1), axis=1)) * 0.3, abs=2e-3)
    means = (counts * (edges[1:] + edges[:-1])).sum(-1) / counts.sum(-1) / 2
    assert means == pytest.approx(found.margin.mean(axis=-1), abs=0.4)


def test_map_has_its_tree_and_marks(found: Geometry) -> None:
    figure = geometry_map.figure(found, (2, 1))
    keys = clicked(figure)
    for (model, mark), (x, y, told) in keys.items():
        assert (x, y) == pytest.approx(found.places[5 * model + mark], abs=1e-4)
        assert told.startswith(f"{found.models[model]}, {found.benchmarks[mark]}: ")
    assert len(keys) == 25
    tree = figure.data[0]
    drawn = {
        frozenset([(tree.x[i], tree.y[i]), (tree.x[i + 1], tree.y[i + 1])])
        for i in range(0, len(tree.x), 3)
    }
    places = [tuple(p) for p in found.places.astype(float).round(4).tolist()]
    assert drawn == {frozenset([places[a], places[b]]) for a, b in found.tree.tolist()}
    models = [t for t in figure.data if t.customdata is not None]
    assert [t.marker.color for t in models] == list(tokens.KINDS[:5])
    assert len({tuple(t.marker.symbol) for t in models}) == 1
    assert len(set(models[0].marker.symbol)) == 5
    assert [t.name for t in figure.data if t.legend == "legend2"] == list(found.benchmarks)
    rings = [t for t in figure.data if t.marker.symbol == "circle-open"]
    assert len(rings) == 2
    assert "24 edges" in geometry_map.alt(found)


@pytest.mark.parametrize("upward", ["norm", "margin"])
def test_scatter(found: Geometry, upward: str) -> None:
    figure = geometry_scatter.figure(found, 2, (2, 1), upward=upward)
    keys = clicked(figure)
    own = np.flatnonzero(found.labels == 2)
    assert set(keys) == {(place,) for place in own}
    up = found.norm if upward == "norm" else found.margin
    for (place,), (x, y, told) in keys.items():
        assert x == pytest.approx(found.angle[2, 1, place], abs=1e-3)
        assert y == pytest.approx(up[2, 1, place], abs=1e-3)
        assert told.startswith(f"car {place + 1}: named ")
        assert " then " not in told
    right = next(t for t in figure.data if t.name.startswith("named right"))
    wrong = next(t for t in figure.data if t.name.startswith("named wrong"))
    assert {k for (k,) in right.customdata} == set(own[found.predicted[2, 1, own] == 2])
    assert (right.marker.color, wrong.marker.color) == (RIGHT, WRONG)
    assert (right.marker.symbol, wrong.marker.symbol) == ("circle", "x")


def test_scatter_arrows_lead_from_one_network_to_the_other(found: Geometry) -> None:
    figure = geometry_scatter.figure(found, 2, (0, 0), to=(3, 1), chosen=10)
    own = np.flatnonzero(found.labels == 2)
    arrows = [t for t in figure.data if t.mode == "lines+markers"]
    ends = {
        (t.x[i], t.y[i]): (t.x[i + 1], t.y[i + 1], t.line.color)
        for t in arrows
        for i in range(0, len(t.x), 3)
    }
    assert len(ends) == len(own)
    first = found.angle[0, 0], found.norm[0, 0]
    last = found.angle[3, 1], found.norm[3, 1]
    for place in own:
        start = tuple(round(float(v[place]), d) for v, d in zip(first, (3, 4), strict=True))
        x, y, colour = ends[start]
        assert (x, y) == pytest.approx([float(v[place]) for v in last], abs=1e-3)
        assert colour == (tokens.BAR_OTHER if found.predicted[3, 1, place] == 2 else WRONG)
    assert "then named" in clicked(figure)[10,][2]
    rings = [t for t in figure.data if t.marker.symbol == "circle-open"]
    assert rings[0].x[0] == pytest.approx(found.angle[0, 0, 10], abs=1e-3)
    assert f"{(found.predicted[3, 1, own] == 2).sum()} named right." in geometry_scatter.alt(
        found, 2, (0, 0), to=(3, 1)
    )


def test_parallel_lines_go_through_their_dots(found: Geometry) -> None:
    figure = geometry_parallel.figure(found, 2, 1, chosen=10)
    own = np.flatnonzero(found.labels == 2)
    dots = [t for t in figure.data if t.customdata is not None]
    assert len(dots) == 3
    for trace, given in zip(dots, (found.angle, found.norm, found.margin), strict=True):
        at = {(k[0], x): y for k, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)}
        heights = np.array([[at[place, model] for place in own] for model in range(5)])
        low, high = given[:, 1, own].min(), given[:, 1, own].max()
        expected = (given[:, 1, own] - low) / (high - low)
        assert heights - heights.min() == pytest.approx(expected, abs=1e-3)
    wrong = {
        (k[0], x)
        for k, x, s in zip(dots[0].customdata, dots[0].x, dots[0].marker.symbol, strict=True)
        if s == "x"
    }
    assert wrong == {(p, m) for p in own for m in range(5) if found.predicted[m, 1, p] != 2}
    lost = (found.predicted[:, 1, own] != 2).any(axis=0)
    for colour, count in ((RIGHT, (~lost).sum()), (WRONG, lost.sum())):
        lines = next(t for t in figure.data if t.mode == "lines" and t.line.color == colour)
        assert len(lines.x) == 6 * count
    key = {t.name: t.line.color for t in figure.data if t.showlegend is None and t.name}
    assert key == {"named right by all": RIGHT, "named wrong by some": WRONG}
    chosen = [t for t in figure.data if t.line.color == tokens.ACCENT]
    assert len(chosen) == 3
    single = geometry_parallel.figure(found, 2, 1, measures=("margin",))
    assert single.layout.height < figure.layout.height / 2
    assert "named right: untouched " in geometry_parallel.alt(found, 2, 1)


def test_a_class_without_pictures(found: Geometry) -> None:
    none = Geometry(
        found.manifest, found.angle, found.norm, found.margin, found.predicted,
        np.zeros_like(found.labels), found.places, found.tree, found.tree_lengths,
    )  # fmt: skip
    assert geometry_scatter.figure(none, 3, (0, 0), to=(1, 0)).to_json()
    assert geometry_parallel.figure(none, 3).to_json()
    assert "0 pictures" in geometry_scatter.alt(none, 3, (0, 0))


def test_measures_that_some_pictures_do_not_have(found: Geometry) -> None:
    """A picture whose classifier input is 0 has no angle; one class alone has no margin."""
    angle, margin = found.angle.copy(), found.margin.copy()
    angle[2, 1, 2], margin[0] = np.nan, np.inf
    some = Geometry(
        found.manifest, angle, found.norm, margin, found.predicted, found.labels, found.places,
        found.tree, found.tree_lengths,
    )  # fmt: skip
    for figure in (
        geometry_table.figure(some, "angle"),
        geometry_table.figure(some, "margin"),
        geometry_scatter.figure(some, 2, (2, 1), to=(0, 0), upward="margin"),
        geometry_parallel.figure(some, 2, 1),
    ):
        assert "Infinity" not in figure.to_json()
    assert "no angle" in clicked(geometry_scatter.figure(some, 2, (2, 1)))[2,][2]
    bars, edges = geometry_table._histograms(some, "margin")
    assert np.isfinite(edges).all()
    assert bars[0].sum() == 0
    assert middle(some, "angle", 2, 1) == pytest.approx(np.nanmedian(angle[2, 1]))
    assert np.isnan(middle(some, "margin", 0, 0))
