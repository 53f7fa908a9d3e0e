"""Charts of smaller networks: what stands in them is what was found out; a click says what."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from components import (
    prune_classes,
    prune_corruptions,
    prune_costs,
    prune_curve,
    prune_drift,
    prune_made_up,
    prune_map,
    tokens,
)
from components.prune_costs import Timing
from components.prune_names import VALUES, way_name
from engine.prune_results import PruneSweep
from engine.scores import share_of

FIGURES = {
    "curve": prune_curve.example,
    "map": prune_map.example,
    "cells": prune_map.example_cells,
    "corruptions": prune_corruptions.example,
    "difference": prune_corruptions.example_difference,
    "classes": prune_classes.example,
    "costs": prune_costs.example,
    "drift": prune_drift.example,
    "overlap": prune_drift.example_overlap,
}


@pytest.fixture(scope="module")
def sweep() -> PruneSweep:
    return prune_made_up.sweep()


def displaying(found: PruneSweep, **display: object) -> PruneSweep:
    return replace(found, manifest={**found.manifest, "display": {**found.display, **display}})


def clicked(figure: go.Figure) -> dict[tuple[int, ...], tuple[float, float, str]]:
    """What a click returns, where it lies, and what is told there."""
    found = {}
    for trace in figure.data:
        if trace.customdata is not None:
            told = trace.text or trace.hovertext
            for key, x, y, text in zip(trace.customdata, trace.x, trace.y, told, strict=True):
                found[tuple(key)] = (x, y, text)
    return found


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_small_and_tell_no_nonsense(name: str) -> None:
    figure = FIGURES[name]()
    assert len(figure.to_json()) <= 30_000
    told = json.dumps([[t.text, t.hovertemplate, t.hovertext] for t in figure.data], default=str)
    assert "nan" not in told.lower().replace("nance", "")
    assert "nothing" not in told
    for trace in figure.data:
        if trace.customdata is not None:
            assert trace.selected is not None, "or a click greys everything else"
    assert not (figure.layout.dragmode or False)


@pytest.mark.parametrize("value", VALUES)
def test_curve_has_its_values(sweep: PruneSweep, value: str) -> None:
    figure = prune_curve.figure(sweep, 5, 6, value=value)
    found = clicked(figure)
    own = {
        "accuracy": lambda r: sweep.accuracy(5, r).value,
        "agreement": lambda r: (sweep.predicted[5, r] == sweep.dense_predicted).mean(),
        "confidence": lambda r: sweep.confidence[5, r].mean(dtype=np.float64),
        "ece": lambda r: sweep.calibration(5, r).error,
    }[value]
    for ratio in range(10):
        x, y, told = found[5, ratio]
        assert x == pytest.approx(10 * ratio)
        assert y == pytest.approx(100 * own(ratio), abs=1e-3)
        assert told.startswith(f"Group L2, {10 * ratio} % of the units gone: ")
    marker = figure.data[-1]
    assert marker.x == (60.0,)
    assert marker.y[0] == pytest.approx(100 * own(6), abs=1e-3)


def test_the_number_stays_within_a_curve_that_ends_early(sweep: PruneSweep) -> None:
    half = replace(
        sweep,
        ratios=sweep.ratios[:6],
        **{
            name: getattr(sweep, name)[:, :6]
            for name in ("predicted", "confidence", "kept", "parameters", "macs")
        },
    )
    assert prune_curve.figure(sweep, 5, 5).data[-1].textposition.endswith("right")
    assert prune_curve.figure(half, 5, 5).data[-1].textposition.endswith("left")


def test_curve_draws_the_control_within_its_drawings(sweep: PruneSweep) -> None:
    figure = prune_curve.figure(sweep, 5, 6)
    each = np.array([[sweep.accuracy(w, r).value for r in range(10)] for w in (7, 8, 9)])
    (control,) = [t for t in figure.data if t.name == "random control"]
    assert control.line.dash == "dash"
    assert list(control.y) == pytest.approx(100 * each.mean(axis=0), abs=1e-3)
    band = figure.data[0]
    assert list(band.y) == pytest.approx(
        [*(100 * each.max(axis=0)), *(100 * each.min(axis=0))[::-1]], abs=1e-3
    )
    assert "mean of 3 drawings" in control.text[6]
    alone = displaying(sweep, ways=sweep.display["ways"][:2])
    assert not [t for t in prune_curve.figure(alone, 0, 1).data if t.name == "random control"]


def test_curve_band_is_wilsons(sweep: PruneSweep) -> None:
    band = prune_curve.figure(sweep, 5, 6).data[2]
    found = [share_of(sweep.predicted[5, r] == sweep.labels) for r in range(10)]
    assert list(band.y[:10]) == pytest.approx([100 * one.high for one in found], abs=1e-3)
    assert list(band.y[10:]) == pytest.approx([100 * one.low for one in found][::-1], abs=1e-3)
    wide = [t for t in prune_curve.figure(sweep, 5, 6, value="ece").data if t.fill == "toself"]
    assert len(wide) == 1, "an error without an interval has no band but the control's"


def test_curve_compares_ways(sweep: PruneSweep) -> None:
    figure = prune_curve.figure(sweep, 5, 3, compare=(6, 0, 5, 6))
    names = [t.name for t in figure.data if t.customdata is not None]
    assert names == [
        "random control",
        "Taylor, both repairs",
        "Group L2, no repair",
        "Group L2, both repairs",
    ]
    found = clicked(figure)
    assert found[0, 4][1] == pytest.approx(100 * sweep.accuracy(0, 4).value, abs=1e-3)
    assert found[6, 4][2].startswith("Taylor, both repairs, 40 %")


def test_curve_along_parameters(sweep: PruneSweep) -> None:
    found = clicked(prune_curve.figure(sweep, 5, 6, along="parameters"))
    gone = 1 - sweep.parameters[5] / 2_780_000
    assert [found[5, r][0] for r in range(10)] == pytest.approx(100 * gone, abs=1e-3)
    control = np.mean([1 - sweep.parameters[w] / 2_780_000 for w in (7, 8, 9)], axis=0)
    assert [found[7, r][0] for r in range(10)] == pytest.approx(100 * control, abs=1e-3)


def test_curve_without_labels_says_so() -> None:
    found = prune_made_up.sweep(labelled=False)
    figure = prune_curve.figure(found, 5, 6)
    assert figure.layout.yaxis.title.text == "agreement with the untouched network (%)"
    assert "ccuracy" not in prune_curve.alt(found, 5, 6)
    assert "at 60 %" in prune_curve.alt(found, 5, 6)


def test_names_of_ways(sweep: PruneSweep) -> None:
    assert way_name(sweep, 0) == "Group L2, global, no repair"
    assert way_name(sweep, 0, [0, 1]) == "Group L2"
    assert way_name(sweep, 0, [0, 5]) == "Group L2, no repair"
    assert way_name(sweep, 8, [5, 8]) == "Random (drawing 2)"


def test_map_counts_layers_in_their_order(sweep: PruneSweep) -> None:
    figure = prune_map.figure(sweep, 0, 5, group="layer2.1.conv1", absolute=True)
    stay, gone = figure.data[0], figure.data[1]
    kept = sweep.kept[0, 5]
    for place, layer in enumerate(sweep.layers):
        own = kept[layer.start : layer.start + layer.size]
        assert stay.x[place] == own.sum()
        assert gone.x[place] == (~own).sum()
        assert stay.customdata[place] == [place]
        assert figure.data[2].text[place] == f" {own.sum()} of {layer.size}"
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1], "the first on top"
    bold = [name for name in figure.layout.yaxis.ticktext if name.startswith("<b>")]
    assert bold == ["<b>layer2.1.conv1</b>"]
    plain = prune_map.figure(sweep, 0, 5)
    assert figure.layout.margin.l > 1.05 * plain.layout.margin.l, "letters in bold are wider"
    shares = prune_map.figure(sweep, 0, 5)
    assert np.add(shares.data[0].x, shares.data[1].x) == pytest.approx(100, abs=0.02)
    first = int(kept[:16].sum())
    assert f"Stage 1, block 1 {first} of 16" in prune_map.alt(sweep, 0, 5)


@pytest.mark.parametrize(("layers", "high"), [(5, 200), (24, 560), (60, 960)])
def test_map_stays_readable(sweep: PruneSweep, layers: int, high: int) -> None:
    """Sixty layers are less than a thousand pixels high, and no row is lower than its letters."""
    told = [
        {"name": f"l{i}", "title": f"layer {i}", "kind": "hidden", "size": 9} for i in range(layers)
    ]
    kept = np.zeros((10, 10, 9 * layers), dtype=bool)
    kept[..., ::3] = True
    figure = prune_map.figure(replace(displaying(sweep, layers=told), kept=kept), 0, 5)
    assert figure.layout.height <= high
    assert figure.layout.height / layers > figure.layout.yaxis.tickfont.size + 2
    assert len(figure.layout.yaxis.ticktext) == layers
    assert "3 of 9 hidden units stay, 6 gone (67 %)" in figure.data[0].hovertext[-1]


def test_cells_have_every_unit_at_its_place(sweep: PruneSweep) -> None:
    figure = prune_map.cells(sweep, 0, 5, "layer3.0.conv1")
    layer = sweep.layers[6]
    scores, kept = sweep.scores[0, layer.start :][:64], sweep.kept[0, 5, layer.start :][:64]
    found = clicked(figure)
    assert set(found) == {(6, unit) for unit in range(64)}
    stays, gone = (np.array(figure.data[place].z) for place in (0, 1))
    for unit in range(64):
        x, y, told = found[6, unit]
        assert (x, y) == (unit % 16, unit // 16)
        shown, other = (stays, gone) if kept[unit] else (gone, stays)
        assert shown[y, x] == pytest.approx(scores[unit], rel=1e-6)
        assert np.isnan(other[y, x])
        rank = 1 + int((scores < scores[unit]).sum())
        assert f"channel {unit + 1}: " in told
        assert f"rank {rank} of 64 from below, {'stays' if kept[unit] else 'gone'}" in told
    crosses = figure.data[2]
    assert [16 * int(y) + int(x) for x, y in zip(crosses.x, crosses.y, strict=True)] == list(
        np.flatnonzero(~kept)
    )
    assert figure.data[1].opacity < figure.data[0].opacity
    assert prune_map.cells_alt(sweep, 0, 5, "layer3.0.conv1").startswith(
        f"Stage 3, block 1: {kept.sum()} of 64 channels stay; scores of those that went: "
    )


def test_cells_of_heads_and_of_equal_scores(sweep: PruneSweep) -> None:
    layers = [{"name": "a", "title": "A", "kind": "heads", "size": 3}]
    few = replace(
        displaying(sweep, layers=layers),
        scores=np.full((10, 3), 0.5),
        kept=np.ones((10, 10, 3), dtype=bool),
    )
    figure = prune_map.cells(few, 0, 1, "a")
    assert figure.data[0].zmin < figure.data[0].zmax
    assert clicked(figure)[0, 2] == (2, 0, "head 3: 0.5, rank 3 of 3 from below, stays")
    many = [{"name": "a", "title": "A", "kind": "hidden", "size": 2048}]
    draw = np.random.default_rng(0)
    large = replace(
        displaying(sweep, layers=many),
        scores=draw.gamma(1, 1, (10, 2048)),
        kept=draw.random((10, 10, 2048)) < 0.5,
    )
    drawn = prune_map.cells(large, 0, 1, "a")
    assert len(clicked(drawn)) == 2048
    assert len(drawn.to_json()) < 260_000


def test_corruptions(sweep: PruneSweep) -> None:
    given = sweep.corrupted.copy()
    given[5, 6, 2, 3] = np.nan
    found = replace(sweep, corrupted=given)
    heat = prune_corruptions.figure(found, 5, 6).data[0]
    z = np.array(heat.z)
    assert z.shape == (5, 6)
    assert z[:, 0] == pytest.approx(100 * found.accuracy(5, 6).value, rel=1e-6)
    assert z[:, 1:] == pytest.approx(100 * given[5, 6], rel=1e-6, nan_ok=True)
    assert (heat.zmin, heat.zmax) == (0, 100)
    assert heat.text[2][4] == ""
    assert heat.hovertext[1][2].startswith("Defocus blur, severity 2: ")
    assert heat.hovertext[1][0].startswith("Defocus blur: clean pictures: ")


def test_corruptions_against_the_untouched_network(sweep: PruneSweep) -> None:
    heat = prune_corruptions.figure(sweep, 5, 6, difference=True).data[0]
    change = sweep.corrupted[5, 6] - sweep.dense_corrupted
    assert np.array(heat.z)[:, 1:] == pytest.approx(100 * change, abs=1e-4)
    assert np.array(heat.z)[:, 0] == pytest.approx(100 * sweep.change(5, 6).value, rel=1e-6)
    assert heat.zmin == -heat.zmax
    assert heat.colorscale[0][1] == tokens.DIVERGING[0]
    told = prune_corruptions.alt(sweep, 5, 6, difference=True)
    lowest = int(change[:, -1].argmin())
    assert f"under {prune_made_up.CORRUPTIONS[lowest].capitalize()} and highest" in told


def test_classes_are_sorted_and_coloured_by_what_is_sure(sweep: PruneSweep) -> None:
    predicted = sweep.predicted.copy()
    own = np.flatnonzero(sweep.labels == 3)
    dense = sweep.dense_predicted.copy()
    dense[own] = 4  # all wrong before, all right after
    predicted[5, 6] = sweep.labels
    predicted[5, 6][sweep.labels == 6] = 0
    found = replace(sweep, predicted=predicted, dense_predicted=dense)
    figure = prune_classes.figure(found, 5, 6)
    names = list(figure.layout.yaxis.ticktext)
    assert (names[0], names[-1]) == ("lamp", "boat")
    before, after = (next(t for t in figure.data if t.name == n) for n in ("untouched", "smaller"))
    assert (after.x[0], before.x[-1], after.x[-1]) == (0, 0, 100)
    assert after.marker.color[0] == tokens.NEGATIVE
    assert after.marker.color[-1] == tokens.POSITIVE
    assert set(after.marker.color[1:-1]) == {tokens.BAR_OTHER}
    assert "boat +100 points" in prune_classes.alt(found, 5, 6)
    change = [after.x[i] - before.x[i] for i in range(8)]
    assert change == sorted(change)


def test_classes_without_pictures_and_too_many(sweep: PruneSweep) -> None:
    more = displaying(sweep, classes=[*sweep.classes, "kite"])
    assert len(prune_classes.figure(more, 5, 6).layout.yaxis.ticktext) == 8
    few = prune_classes.figure(sweep, 5, 6, top=3)
    assert len(few.layout.yaxis.ticktext) == 3
    assert "5 other classes lose less" in few.layout.xaxis.title.text
    assert len(prune_classes.figure(sweep, 5, 6, top=7).layout.yaxis.ticktext) == 8


def test_latency() -> None:
    times = {
        "untouched": Timing(55, 60, 64),
        "gated": Timing(58, 60, 61),
        "small": Timing(9, 10, 12),
    }
    figure = prune_costs.latency(times)
    bars = figure.data[0]
    assert list(bars.x) == [60, 60, 10]
    assert list(bars.error_x.array) == [4, 1, 2]
    assert list(bars.error_x.arrayminus) == [5, 2, 1]
    assert [text.strip() for text in figure.data[1].text] == ["60 ms", "60 ms", "10 ms, 6.0×"]
    assert list(bars.marker.color) == [tokens.BAR_OTHER, tokens.BAR_OTHER, tokens.BAR_CHOSEN]
    assert figure.layout.xaxis.range[1] > 64
    assert "small 10 ms (half of the passes: 9 – 12)" in prune_costs.alt(times)


def test_drift_of_many_pictures() -> None:
    rank, top = np.array([0.9, np.nan, -0.4, 0.2]), np.array([0.8, 0.5, 0.0, 0.1])
    figure = prune_drift.figure(rank, top, ["a", "b", "c", "d"], chosen=2, chance=0.1)
    dots = [t for t in figure.data if t.customdata is not None]
    assert [list(t.x) for t in dots] == [[0.9, -0.4, 0.2], [0.8, 0.0, 0.1]]
    assert [key for (key,) in dots[0].customdata] == [0, 2, 3]
    assert dots[0].text[1] == "c: rank correlation −0.4, top overlap 0 %"
    rings = [t for t in figure.data if t.marker.symbol == "circle-open"]
    assert [list(t.x) for t in rings] == [[-0.4, 0.0]] * 2
    medians = [t.x[0] for t in figure.data if t.mode == "lines"]
    assert medians == [0.2, 0.1]
    assert figure.layout.xaxis.range[0] < -0.4
    assert "medians and ends: rank correlation 0.2 (−0.4 to 0.9)" in prune_drift.alt(
        rank[[0, 2, 3]], top[[0, 2, 3]]
    )
    assert prune_drift.figure(np.zeros(0), np.zeros(0), []).data


def test_overlap_of_two_maps() -> None:
    before = np.arange(20.0).reshape(4, 5)
    after = np.roll(before, 2)
    fate = prune_drift.fates(before, after, 0.2)
    old, new = set(np.argsort(-before.ravel())[:4]), set(np.argsort(-after.ravel())[:4])
    for cell, told in enumerate(fate.ravel()):
        assert told == {(0, 0): 0, (1, 0): 1, (1, 1): 2, (0, 1): 3}[cell in old, cell in new]
    names = [t.name for t in prune_drift.overlap_figure(before, after, 0.2).data[1:]]
    assert names == ["before only (2)", "in both (2)", "after only (2)"]
    assert "2 cells before and after, 2 before only, 2 after only" in prune_drift.overlap_alt(
        before, after, 0.2
    )
    assert (prune_drift.fates(before, before, 1e-6) == 2).sum() == 1
