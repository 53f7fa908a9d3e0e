from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components import effects, effects_of_names, made_up, tokens
from engine.table_results import Effects


def named(figure, colour: str) -> list:
    return [t for t in figure.data if t.line.color == colour and t.mode == "lines"]


def curve(figure):
    return next(t for t in figure.data if t.line.width == 3)


def many(rows: int) -> Effects:
    given = made_up.effects()
    draw = np.random.default_rng(0)
    lines = draw.random((rows, len(given.grid))).astype(np.float32)
    return replace(given, lines=lines, rows=np.arange(1, rows + 1, dtype=np.int32))


def test_curve_and_band_of_two_errors() -> None:
    given = made_up.effects()
    figure = effects.figure(given)
    assert np.array(curve(figure).y) == pytest.approx(100 * given.values)
    (band,) = [t for t in figure.data if t.fill == "toself"]
    top = np.array(band.y)[: len(given.grid)]
    assert top == pytest.approx(100 * (given.values + 2 * given.error), rel=1e-5)


@pytest.mark.parametrize(("rows", "drawn"), [(5, 5), (200, 200), (1000, 200)])
def test_rows_are_one_trace_with_gaps(rows: int, drawn: int) -> None:
    given = many(rows)
    (lines,) = named(effects.figure(given), tokens.BAR_OTHER)
    points = len(given.grid) + 1
    assert len(lines.x) == drawn * points
    assert np.isnan(np.array(lines.y)[points - 1 :: points]).all()
    numbers = np.array(lines.customdata).reshape(drawn, points)
    assert len(set(numbers[:, 0].tolist())) == drawn
    first = given.lines[numbers[0, 0] - 1]
    assert np.array(lines.y)[: points - 1] == pytest.approx(100 * first, rel=1e-5)


def test_the_chosen_rows_line_stands_out_though_it_is_one_of_a_thousand() -> None:
    given = many(1000)
    for row in (1, 500, 777):
        (line,) = named(effects.figure(given, None, row), tokens.ACCENT)
        assert np.array(line.y) == pytest.approx(100 * given.lines[row - 1], rel=1e-5)
    assert not named(effects.figure(given, None, 5000), tokens.ACCENT)


def test_a_line_marks_the_rows_own_value() -> None:
    figure = effects.figure(made_up.effects(), 880.0, 7)
    (line,) = figure.layout.shapes
    assert (line.x0, line.x1) == (880.0, 880.0)
    assert figure.layout.annotations[0].text == "row 7: 880 mm²"
    assert not effects.figure(made_up.effects()).layout.shapes


def test_a_value_out_of_range_is_marked_at_the_edge() -> None:
    figure = effects.figure(made_up.effects(), 1e6, 7)
    assert figure.layout.shapes[0].x0 == figure.layout.xaxis.range[1]
    assert "1\u00a0000\u00a0000 mm²" in figure.layout.annotations[0].text


def test_rug_keeps_the_ends_and_at_most_200() -> None:
    given = made_up.effects()
    (rug,) = [t for t in effects.figure(given).data if t.yaxis == "y2"]
    assert len(rug.x) == 200
    assert (rug.x[0], rug.x[-1]) == (given.density.min(), given.density.max())
    none = effects.figure(replace(given, density=None))
    assert all(trace.yaxis != "y2" for trace in none.data)


def test_axes_tell_units() -> None:
    layout = effects.figure(made_up.effects()).layout
    assert layout.xaxis.title.text == "Worst area (mm²)"
    assert layout.yaxis.title.text == "probability of malignant"
    assert layout.yaxis.ticksuffix == " %"
    local = effects.figure(made_up.effects(measure="accumulated-effects")).layout
    assert local.yaxis.title.text == "effect on malignant, in points"
    assert local.yaxis.ticksuffix == ""


def test_centred_lines_are_changes() -> None:
    given = made_up.effects(measure="individual-expectation")
    given.manifest["display"]["centred"] = True
    assert effects.figure(given).layout.yaxis.title.text == "effect on malignant, in points"


def test_categories_are_points_in_their_order() -> None:
    given = made_up.effects(category=True)
    figure = effects.figure(given, "twice", 7)
    assert list(figure.layout.yaxis.ticktext) == ["never", "once", "<b>twice</b>", "often"]
    (points,) = [t for t in figure.data if t.error_x.array is not None]
    assert np.array(points.x) == pytest.approx(100 * given.values)
    assert points.error_x.array[0] == pytest.approx(100 * 2 * 0.02)
    (own,) = [t for t in figure.data if t.marker.symbol == "diamond"]
    assert np.array(own.x) == pytest.approx(100 * given.lines[6])


def test_a_category_may_be_named_by_its_place() -> None:
    figure = effects.figure(made_up.effects(category=True), 2.0)
    assert figure.layout.yaxis.ticktext[2] == "<b>twice</b>"
    plain = effects.figure(made_up.effects(category=True))
    assert not any("<b>" in text for text in plain.layout.yaxis.ticktext)


def test_categories_that_no_row_has_are_named() -> None:
    given = made_up.effects(category=True)
    part = replace(
        given, grid=np.array([0.0, 3.0]), values=given.values[:2], error=None, lines=None, rows=None
    )
    part.manifest["outcome"]["unseen"] = ["once", "twice"]
    figure = effects.figure(part)
    assert list(figure.layout.yaxis.ticktext) == ["never", "often"]
    assert figure.layout.xaxis.title.text.endswith("no row has once, twice")
    part.manifest["outcome"]["unseen"] = ["once", "twice", "thrice"]
    assert "no row has once, twice and 1 more" in effects.figure(part).layout.xaxis.title.text
    assert "2 names of worst area" in effects.alt(part)


def test_of_many_categories_the_frequent_ones_are_shown() -> None:
    given = made_up.effects(category=True)
    names = [f"name {n}" for n in range(30)]
    given.manifest["display"]["categories"] = names
    density = np.repeat(np.arange(30), np.arange(1, 31)).astype(float)
    wide = Effects(
        given.manifest, np.arange(30.0), np.linspace(0, 1, 30, dtype=np.float32), density=density
    )
    figure = effects_of_names.figure(wide)
    assert list(figure.layout.yaxis.ticktext) == names[10:]
    assert figure.layout.xaxis.title.text.endswith("10 rarer names are not shown")


def test_text_alternatives() -> None:
    assert "80 rows as thin lines" in effects.alt(made_up.effects())
    assert "effect on malignant" in effects.alt(made_up.effects(measure="accumulated-effects"))
    assert "4 names of worst area" in effects.alt(made_up.effects(category=True))
