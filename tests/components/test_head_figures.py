"""Charts of heads: what stands in them is what was found out, and a click says which head."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from components import (
    head_curve,
    head_heatmap,
    head_made_up,
    head_scatter,
    head_strength,
    head_trend,
    partial_bars,
    pattern_map,
    tokens,
)
from engine.head_results import BLOCKS, MEASURES, HeadScores


def picks(figure: go.Figure) -> dict[tuple[int, ...], tuple[float, float, str]]:
    """What a click returns, where it lies, and what is told there."""
    (trace,) = [one for one in figure.data if one.customdata is not None]
    keys = [tuple(key) for key in trace.customdata]
    return dict(zip(keys, zip(trace.x, trace.y, trace.text, strict=True), strict=True))


def rectangles(figure: go.Figure) -> list[tuple[float, float]]:
    """Middles of the rings drawn as shapes."""
    return [
        ((s.x0 + s.x1) / 2, (s.y0 + s.y1) / 2) for s in figure.layout.shapes if s.type == "rect"
    ]


FIGURES = {
    "curve": head_curve.example,
    "heatmap": head_heatmap.example,
    "scatter": head_scatter.example,
    "strength": head_strength.example,
    "trend": head_trend.example,
    "patterns": pattern_map.example,
    "partial": partial_bars.example,
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_small_and_tell_no_nonsense(name: str) -> None:
    figure = FIGURES[name]()
    written = figure.to_json()
    assert len(written) <= 80_000
    told = json.dumps([[t.text, t.hovertemplate, t.hovertext] for t in figure.data], default=str)
    assert "nan" not in told.lower()
    assert "nothing" not in told
    for trace in figure.data:
        if trace.customdata is not None:
            assert trace.selected is not None, "or a click greys everything else"
    assert not (figure.layout.dragmode or False)


def test_heatmap_has_every_head_at_its_place() -> None:
    scores = head_made_up.scores()
    found = picks(head_heatmap.figure(scores, "logit"))
    assert len(found) == 34
    for (layer, head), (x, y, told) in found.items():
        assert (x, y) == (head, layer)
        assert told.startswith(f"layer {layer + 1}, head {head + 1}: ")
        assert told.endswith("± 0.006 logit")
    assert (1, 4) not in found
    z = np.array(head_heatmap.figure(scores).data[0].z)
    assert np.array_equal(z, scores.values, equal_nan=True)


def test_heatmap_of_a_single_picture_tells_no_error() -> None:
    scores = replace(head_made_up.scores(), error=None)
    assert all("±" not in told for *_, told in picks(head_heatmap.figure(scores)).values())


def test_heatmap_scale_is_centred_where_heads_do_harm() -> None:
    heat = head_heatmap.figure(head_made_up.scores(signed=True)).data[0]
    assert heat.zmin == -heat.zmax < 0
    assert heat.colorscale[0][1] == tokens.DIVERGING[0]
    plain = head_heatmap.figure(head_made_up.scores()).data[0]
    assert (plain.zmin, plain.colorscale[0][1]) == (0, tokens.SEQUENTIAL[0])
    assert plain.zmax == pytest.approx(float(np.nanmax(head_made_up.scores().values)))
    nothing = HeadScores(head_made_up.manifest(), np.zeros((2, 2), np.float32))
    assert head_heatmap.figure(nothing).data[0].zmax == 1


def test_heatmap_rings_the_chosen_and_strikes_out_what_is_off() -> None:
    figure = head_heatmap.figure(head_made_up.scores(), "", (4, 2), {(0, 1), (5, 5)})
    assert set(rectangles(figure)) == {(2, 4)}
    lines = [t for t in figure.data[1:] if t.mode == "lines"]
    assert len(lines) == 2
    struck = {
        (round(np.mean(x)), round(np.mean(y)))
        for x, y in (
            (lines[0].x[i : i + 2], lines[0].y[i : i + 2]) for i in range(0, len(lines[0].x), 3)
        )
    }
    assert struck == {(1, 0), (5, 5)}
    assert picks(figure)[0, 1][2].endswith(", off")
    bare = head_heatmap.figure(head_made_up.scores())
    assert not bare.layout.shapes
    assert len(bare.data) == 2


def test_scatter_by_rank_and_by_value() -> None:
    first, second = head_made_up.scores(), head_made_up.scores(1)
    ranked = picks(head_scatter.figure(first, second, ("one", "other")))
    valued = picks(head_scatter.figure(first, second, ("one", "other"), by_rank=False))
    assert set(ranked) == set(valued) == set(first.ranking)
    for key, (x, y, told) in ranked.items():
        assert first.ranking[x - 1] == key
        assert second.ranking[y - 1] == key
        assert valued[key][:2] == (first.values[key], second.values[key])
        assert f"(rank {x})<br>other: " in told
    figure = head_scatter.figure(first, second, ("one", "other"))
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert axis.range[0] > axis.range[1], "the most important at the right, and on top"


def test_scatter_leaves_out_heads_that_only_one_metric_knows() -> None:
    first, second = head_made_up.scores(), head_made_up.scores(1)
    values = second.values.copy()
    values[0, 0] = np.nan
    found = picks(head_scatter.figure(first, replace(second, values=values), ("a", "b")))
    assert len(found) == 33
    assert (0, 0) not in found
    assert sorted(x for x, *_ in found.values()) == list(range(1, 34))


def test_scatter_marks_the_chosen_and_what_is_off() -> None:
    scores = head_made_up.scores()
    figure = head_scatter.figure(scores, scores, ("a", "b"), (2, 3), {(0, 0)})
    (dots,) = [t for t in figure.data if t.customdata is not None]
    keys = [tuple(key) for key in dots.customdata]
    hollow = [key for key, s in zip(keys, dots.marker.symbol, strict=True) if s == "circle-open"]
    assert hollow == [(0, 0)]
    assert list(dots.marker.color) == [layer for layer, _ in keys]
    x, y, _ = picks(figure)[2, 3]
    rings = [t for t in figure.data if t.customdata is None]
    assert [(list(t.x), list(t.y)) for t in rings] == [([x], [y])] * 2
    assert len(head_scatter.figure(scores, scores, ("a", "b"), (1, 5)).data) == 1


@pytest.mark.parametrize("per_cell", [False, True])
def test_strength_dots_lie_on_their_lines(per_cell: bool) -> None:
    strength = head_made_up.strength()
    values = strength.profile / strength.cells[:, None] if per_cell else strength.profile
    figure = head_strength.figure(strength, 3, (2, 4), per_cell)
    found = picks(figure)
    assert len(found) == 36
    top = values.max()
    lows = {}
    for (layer, head), (x, y, told) in found.items():
        low = round(y - values[layer, head, 3] / top, 3)
        lows.setdefault(layer, (x, low))
        assert (x, low) == pytest.approx(lows[layer], abs=2e-3)
        assert f"layer {layer + 1}, head {head + 1}: " in told
        assert told.endswith("to patches 3 away")
    assert len(set(lows.values())) == 6
    marks = [s.x0 for s in figure.layout.shapes if s.line.dash == "dot"]
    assert marks == pytest.approx([lows[layer][0] for layer in range(6)], abs=1e-3)
    (own,) = [t for t in figure.data if t.line.color == tokens.BAR_CHOSEN and t.mode == "lines"]
    heights = np.array(own.y) - lows[2][1]
    assert heights == pytest.approx(values[2, 4] / top, abs=2e-3)
    assert "to the patch itself" in str(picks(head_strength.figure(strength, 0)).values())


def test_strength_of_layers_with_smaller_grids_and_fewer_heads() -> None:
    strength = head_made_up.strength()
    profile, cells = strength.profile.copy(), strength.cells.copy()
    profile[4:, :, 4:] = np.nan
    profile[5, 3:] = np.nan
    cells[4:, 4:] = np.nan
    told = head_made_up.manifest(heads=[6, 6, 6, 6, 6, 3], windows=[4, 4, 1, 1, 1, 1])
    given = replace(strength, manifest=told, profile=profile, cells=cells)
    figure = head_strength.figure(given, 5)
    assert {layer for layer, _ in picks(figure)} == {0, 1, 2, 3}
    assert len([s for s in figure.layout.shapes if s.line.dash == "dot"]) == 4
    assert len(picks(head_strength.figure(given, 2))) == 33
    titles = [a.text for a in figure.layout.annotations]
    assert "layer 1 · 4 windows" in titles
    assert "layer 6" in titles
    gaps = next(trace for trace in figure.data if trace.mode == "lines")
    assert all(v is None or np.isfinite(v) for v in gaps.y)


def test_twelve_layers_of_twelve_heads_stay_small() -> None:
    one = head_made_up.strength()
    wide = {
        "profile": np.tile(one.profile, (2, 2, 1)),
        "cells": np.tile(one.cells, (2, 1)),
        "measures": np.tile(one.measures, (2, 2, 1)),
        "profile_error": None,
        "measures_error": None,
    }
    told = head_made_up.manifest(heads=[12] * 12, windows=[1] * 12)
    figure = head_strength.figure(replace(one, manifest=told, **wide), 1, (7, 7))
    assert len(picks(figure)) == 144
    assert len(figure.to_json()) <= 80_000
    assert len(figure.data) <= 4, "one trace for all lines"


@pytest.mark.parametrize("measure", MEASURES)
def test_trend(measure: str) -> None:
    strength = head_made_up.strength()
    figure = head_trend.figure(strength, measure, (3, 1))
    factor = 1 if measure in ("distance", "entropy", "needed") else 100
    values = strength.measure(measure)
    found = picks(figure)
    assert len(found) == 36
    for (layer, head), (x, y, told) in found.items():
        assert y == pytest.approx(factor * values[layer, head], abs=1e-4)
        assert abs(x - layer - 1) < 0.3
        assert told.startswith(f"layer {layer + 1}, head {head + 1}: ")
    (line,) = [t for t in figure.data if t.mode == "lines"]
    assert list(line.x) == [1, 2, 3, 4, 5, 6]
    assert line.y == pytest.approx(factor * values.mean(axis=1), abs=1e-3)
    x, y, _ = found[3, 1]
    assert [(list(t.x), list(t.y)) for t in figure.data[2:]] == [([x], [y])] * 2


def test_pattern_map() -> None:
    patterns = head_made_up.patterns()
    figure = pattern_map.figure(patterns, (2, 5))
    clusters = [t for t in figure.data if t.customdata is not None]
    assert len({t.marker.color for t in clusters}) == len({t.marker.symbol for t in clusters}) == 4
    seen = 0
    for index, trace in enumerate(clusters):
        assert trace.name == f"{patterns.names[index]} ({len(trace.x)})"
        for (layer, head, image), x, y in zip(trace.customdata, trace.x, trace.y, strict=True):
            (at,) = np.flatnonzero(
                (patterns.layer == layer) & (patterns.head == head) & (patterns.image == image)
            )
            assert patterns.cluster[at] == index
            assert (x, y) == tuple(patterns.at[at])
            seen += 1
    assert seen == len(patterns.layer)
    own = patterns.at[(patterns.layer == 2) & (patterns.head == 5)]
    for ring in figure.data[4:]:
        assert np.allclose(np.stack([ring.x, ring.y], -1), own, atol=1e-4)
    assert len(figure.data) == 6


@pytest.mark.parametrize(("output", "factor"), [("probability", 100), ("logit", 1)])
def test_partial_bars(output: str, factor: float) -> None:
    partial = head_made_up.partial()
    figure = partial_bars.figure(partial, output)
    left, even, whole = figure.data
    column = int(output == "probability")
    for way, trace in enumerate((left, even)):
        assert list(trace.x) == pytest.approx(factor * partial.blocks[:, way, column])
        assert trace.name == partial_bars.WAYS[way]
    assert list(whole.x) == pytest.approx([factor * partial.whole[column]])
    assert figure.layout.yaxis.ticktext[-1] == "the whole head"
    assert len(figure.layout.yaxis.ticktext) == len(BLOCKS) + 1
    assert "“tabby cat”" in figure.layout.xaxis.title.text.replace("<br>", " ")
    low, high = figure.layout.xaxis.range
    assert low < min(left.x) < max(even.x) < high


def test_partial_bars_without_a_class_token() -> None:
    partial = head_made_up.partial()
    blocks = partial.blocks.copy()
    blocks[:3] = np.nan
    figure = partial_bars.figure(replace(partial, blocks=blocks))
    assert list(figure.layout.yaxis.ticktext) == ["patches → patches", "the whole head"]
    assert [len(t.x) for t in figure.data] == [1, 1, 1]


def test_changes_that_are_rounding_are_told_as_nothing() -> None:
    partial = head_made_up.partial()
    blocks = partial.blocks.copy()
    blocks[0] = 3e-8
    figure = partial_bars.figure(replace(partial, blocks=blocks))
    assert (figure.data[0].text[0], figure.data[0].text[1]) == ("0", "−11")


def test_heads_of_which_only_the_gradient_is_known_can_be_clicked_too() -> None:
    values = np.full((2, 3), np.nan, np.float32)
    values[1, 2] = 0.5
    cheap = np.array([[0.1, 0.2, np.nan], [0.3, 0.4, 0.6]], np.float32)
    found = HeadScores(head_made_up.manifest(), values, None, cheap)
    told = {key: text for key, (_, _, text) in picks(head_heatmap.figure(found)).items()}
    assert set(told) == {(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)}
    assert told[0, 1] == "layer 1, head 2: not judged (gradient 0.2)"
    assert told[1, 2] == "layer 2, head 3: 0.5"


def test_the_colour_key_tells_the_ends_of_the_scale() -> None:
    for signed, low in ((False, "0 …"), (True, "−")):
        scores = head_made_up.scores(signed=signed)
        limit = head_heatmap.scale(scores).limit
        texts = [note.text for note in head_heatmap.figure(scores, "nats").layout.annotations]
        (key,) = [text for text in texts if "nats" in text]
        assert key.startswith(low) and f"{limit:.2g}" in key


def test_a_pruning_curve_holds_its_numbers_and_their_errors() -> None:
    curve = head_made_up.curve()
    drawn = head_curve.figure(curve)
    bands, lines = drawn.data[:3], drawn.data[3:]
    assert [line.name for line in lines] == list(curve.orders)
    for order, (band, line) in enumerate(zip(bands, lines, strict=True)):
        np.testing.assert_allclose(line.y, 100 * curve.accuracy[order], atol=1e-3)
        reach = 200 * curve.accuracy_error[order]
        low = (100 * curve.accuracy[order] - reach).clip(0)[::-1]
        np.testing.assert_allclose(band.y[len(curve.off) :], low, atol=1e-3)
    losses = head_curve.figure(curve, "loss").data[3:]
    np.testing.assert_allclose(losses[1].y, curve.loss[1], atol=1e-4)


def test_how_many_heads_can_go_flips_with_the_curve() -> None:
    curve = head_made_up.curve()
    kept = np.full(len(curve.off), 0.9, np.float32)
    least, most = kept.copy(), kept.copy()
    least[7:], most[1:] = 0.5, 0.5
    given = replace(curve, accuracy=np.stack([least, most, kept]))
    assert head_curve.sentence(given) == (
        f"With the least important first, {curve.off[6]} of 36 heads can go before the right "
        "answers (90 %) fall by more than 2 points; with the most important first, none."
    )
    turned = head_curve.sentence(replace(given, accuracy=given.accuracy[[1, 0, 2]]))
    assert "first, none of 36 heads can go" in turned
    assert turned.endswith(f"with the most important first, {curve.off[6]}.")
    loss = head_curve.sentence(curve, "loss")
    half = int(np.abs(curve.off - 18).argmin())
    assert f"With {curve.off[half]} heads off the loss goes from 0.2 to " in loss
    assert f"{curve.loss[1, half]:.3g}, the most important first" in loss
