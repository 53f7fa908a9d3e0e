"""Halos and balls: where curves lie, what leaves the circle, what could not be spent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from components import halo, halo_ball, halo_grid, halo_shape, interaction_made_up, saying
from components.interaction_names import LESS, MORE, order_of
from engine.halo_shapes import NO_EFFECT, NOT_REACHABLE
from engine.interaction_results import Ball, HaloCurve, Interactions

FOUND = interaction_made_up.interactions()
EPSILON = FOUND.epsilon
ALL = np.ones(36, dtype=bool)


def area(line: np.ndarray) -> float:
    """Return the area within a closed line, by the shoelace formula; with its sign."""
    x, y = line.T
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2)


def curve(radius: np.ndarray) -> HaloCurve:
    """Return a halo of some radii with ε = 1."""
    told = FOUND.halo(0)
    x, y = radius * np.cos(told.angle), radius * np.sin(told.angle)
    return HaloCurve(x, y, told.angle, radius, 1.0, told.steps, told.signs, told.masks, radius <= 1)


def marks(figure: go.Figure) -> dict[int, tuple[str, str, float, float]]:
    """Return symbol, colour and place of each point of the curve, by what a click returns."""
    return {
        int(key): (trace.marker.symbol, trace.marker.color, float(x), float(y))
        for trace in figure.data
        if trace.customdata is not None
        for key, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)
    }


def test_areas_of_a_curve_outside_and_inside() -> None:
    ball = np.pi
    for radius, more, less in ((1.0, 0, 0), (1.5, 1.25 * ball, 0), (0.5, 0, -0.75 * ball)):
        shape = halo_shape.shape_of(curve(np.full(36, radius)), ALL, pieces=40)
        assert area(shape.more) == pytest.approx(more, abs=1e-3)
        assert area(shape.less) == pytest.approx(less, abs=1e-3)
        assert area(shape.core) == pytest.approx(ball * min(1, radius) ** 2, rel=1e-3)
        assert np.isnan(shape.unknown).all()


def test_where_a_budget_was_not_spent_nothing_is_tinted() -> None:
    shape = halo_shape.shape_of(curve(np.full(36, 1.5)), ~ALL)
    assert area(shape.more) == pytest.approx(0)
    assert np.isnan(shape.known).all()
    half = np.arange(36) < 18
    shape = halo_shape.shape_of(curve(np.full(36, 1.5)), half, pieces=40)
    assert area(shape.more) == pytest.approx(1.25 * np.pi * 17 / 36, rel=0.1)


def test_points_lie_where_the_result_says() -> None:
    figure, told = halo.figure(FOUND, 0), FOUND.halo(0)
    found = marks(figure)
    assert sorted(found) == list(range(36))
    for at, (symbol, colour, x, y) in found.items():
        assert (x, y) == pytest.approx((told.x[at], told.y[at]), abs=1e-6)
        want = ("circle", LESS) if told.inside[at] else ("diamond", MORE)
        assert (symbol, colour) == want


def test_ticks_and_names_of_the_axes() -> None:
    for rate in (-1, 0):
        figure = halo.figure(FOUND, 0, rate)
        epsilon = float(FOUND.epsilons[rate])
        for axis, name in ((figure.layout.xaxis, "Age"), (figure.layout.yaxis, "Prior offences")):
            want = [-epsilon, -epsilon / 2, 0, epsilon / 2, epsilon]
            assert list(axis.tickvals) == pytest.approx(want)
            assert list(axis.ticktext) == ["−ε", "−ε/2", "0", "ε/2", "ε"]
            assert any(f"ε = {saying.number(epsilon, 2)}" in (t.name or "") for t in figure.data)
            assert axis.title.text == f"← down · m of {name} · up →"
        assert figure.layout.yaxis.scaleanchor == "x", "the circle is round"


def test_the_circle_is_the_sum_of_both() -> None:
    (circle,) = [t for t in halo.figure(FOUND, 0).data if "sum of both alone" in (t.name or "")]
    assert np.hypot(circle.x, circle.y) == pytest.approx(np.full(len(circle.x), EPSILON), rel=1e-5)
    assert circle.line.dash == "dash"


def test_rings_of_smaller_budgets() -> None:
    def lines(rate: int, *, rings: bool = True) -> int:
        figure = halo.figure(FOUND, 0, rate, rings=rings)
        return len([t for t in figure.data if t.mode == "lines" and t.line.width == 1.0])

    assert lines(-1) == 4
    assert lines(2) == 2
    assert lines(0) == 0
    assert lines(-1, rings=False) == 0


def test_a_curve_far_outside_is_cut_and_told() -> None:
    loss = FOUND.halo_loss.copy()
    far = FOUND.halo(0).angle.argmax()
    model = (FOUND.halo_steps == FOUND.halo(0).steps[far]).all(axis=1)
    model &= (FOUND.halo_signs == FOUND.halo(0).signs[far]).all(axis=1)
    loss[-1, 0, model] = FOUND.base_loss + 40 * EPSILON
    figure = halo.figure(replace(FOUND, halo_loss=loss), 0)
    reach = figure.layout.xaxis.range[1]
    assert reach == pytest.approx(2.5 * EPSILON), "the circle stays a third of the picture and more"
    symbol, _, x, y = marks(figure)[int(far)]
    assert symbol == "star-triangle-up"
    assert "farther out, cut" in {t.name for t in figure.data if t.showlegend}
    assert figure.layout.xaxis.ticktext[1] == "", "no room for all five labels"
    assert halo.figure(FOUND, 0).layout.xaxis.ticktext[1] != ""
    assert np.hypot(x, y) == pytest.approx(reach, rel=1e-5)
    assert halo.cut(replace(FOUND, halo_loss=loss).halo(0)) == 1
    assert halo.cut(FOUND.halo(0)) == 0
    for trace in figure.data:
        assert np.nanmax(np.abs(np.asarray(trace.x, dtype=float))) <= reach * 1.0001


@pytest.mark.parametrize("state", [NOT_REACHABLE, NO_EFFECT])
def test_what_could_not_be_spent_is_not_drawn_as_if_it_was(state: int) -> None:
    found = interaction_made_up.interactions(idle=[1], status=state)
    figure = halo.figure(found, 0)
    assert {symbol for symbol, *_ in marks(figure).values()} == {"circle-open"}
    assert "a budget cannot be spent" in {t.name for t in figure.data if t.showlegend}
    assert "a budget cannot be spent" not in {
        t.name for t in halo.figure(FOUND, 0).data if t.showlegend
    }


@pytest.mark.parametrize("rate", [-1, 1])
def test_the_model_that_is_looked_at_is_ringed(rate: int) -> None:
    told = FOUND.halo(0, rate)
    model = ((3, 7), (1, -1))
    at = int(((told.steps == model[0]) & (told.signs == model[1])).all(axis=1).argmax())
    assert halo.place_of_model(FOUND, 0, rate, model) == pytest.approx((told.x[at], told.y[at]))
    inner = halo.place_of_model(FOUND, 0, -1, ((2, 3), (-1, 1)))
    own = int(((FOUND.steps == (2, 3)) & (FOUND.signs == (-1, 1))).all(axis=1).argmax())
    assert inner is not None
    assert np.hypot(*inner) == pytest.approx(FOUND.loss[0, own] - FOUND.base_loss)
    assert inner[0] < 0 < inner[1]
    assert halo.place_of_model(FOUND, 0, -1, ((0, 0), (0, 0))) == (0, 0)
    assert halo.place_of_model(FOUND, 0, -1, ((9, 9), (1, 1))) is None
    bare, ringed = halo.figure(FOUND, 0, rate), halo.figure(FOUND, 0, rate, chosen=model)
    assert len(ringed.data) == len(bare.data) + 2


def test_names_are_drawn_as_they_are_and_cut() -> None:
    odd = interaction_made_up.interactions(("<img src=x>" * 20, "B & <i>C</i>"), others=0)
    for figure in (halo.figure(odd, 0), halo_grid.figure(odd), halo_ball.example()):
        told = figure.to_json()
        assert "<img" not in told
        assert "\\u003cimg" not in told
        assert "\\u003ci\\u003e" not in told


def test_grid_orders_by_strength_and_returns_pairs() -> None:
    figure = halo_grid.figure(FOUND, chosen=3, columns=5)
    (cells,) = [t for t in figure.data if t.customdata is not None]
    assert [key[0] for key in cells.customdata] == order_of(FOUND).tolist()
    assert len(set(cells.x)) == 5
    assert len(set(cells.y)) == 3
    titles = [note.text for note in figure.layout.annotations]
    assert titles[0] == "Age<br>× Prior offences"
    assert len(titles) == 15
    (frame,) = figure.layout.shapes
    at = [key[0] for key in cells.customdata].index(3)
    assert frame.x0 < cells.x[at] < frame.x1
    assert frame.y0 < cells.y[at] < frame.y1
    assert not halo_grid.figure(FOUND).layout.shapes
    assert len(figure.to_json()) < 200_000


def test_small_halos_stay_in_their_cells() -> None:
    loss = FOUND.halo_loss.copy()
    loss[-1, 4] += 30 * EPSILON
    figure = halo_grid.figure(replace(FOUND, halo_loss=loss))
    (cells,) = [t for t in figure.data if t.customdata is not None]
    half = (sorted(set(cells.x))[1] - sorted(set(cells.x))[0]) / 2
    middles = np.column_stack([cells.x, cells.y])
    for trace in figure.data:
        if trace.mode == "lines":
            points = np.column_stack([trace.x, trace.y])
            points = points[np.isfinite(points).all(axis=1)]
            far = np.abs(points[:, None] - middles).max(axis=2).min(axis=1)
            assert far.max() <= half


def test_grid_of_a_single_pair() -> None:
    one = interaction_made_up.interactions(("A", "B"))
    assert len(halo_grid.figure(one).layout.annotations) == 1
    assert "1 pair " in halo_grid.alt(one)


def test_faces_close_the_ball() -> None:
    ball = interaction_made_up.ball()
    faces = halo_ball.faces(ball.steps * ball.signs)
    assert len(faces) == 8 * 100
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    assert (counts == 2).all(), "every edge belongs to two faces: there is no hole"
    assert len(np.unique(faces)) == 402
    assert 402 - len(counts) + len(faces) == 2, "Euler's formula"


def _of(figure: go.Figure, kind: str) -> list[go.Figure]:
    return [trace for trace in figure.data if trace.type == kind]


def test_ball_draws_the_losses() -> None:
    ball = interaction_made_up.ball()
    figure = halo_ball.figure(ball)
    (mesh,) = _of(figure, "mesh3d")
    far = np.linalg.norm(np.column_stack([mesh.x, mesh.y, mesh.z]), axis=1)
    assert far == pytest.approx(ball.loss - ball.base_loss, rel=1e-5)
    assert mesh.intensity == pytest.approx(far / ball.epsilon - 1, abs=1e-5)
    assert mesh.cmin == -mesh.cmax
    wire, dots = _of(figure, "scatter3d")
    rings = np.linalg.norm(np.column_stack([wire.x, wire.y, wire.z]), axis=1)
    assert rings[np.isfinite(rings)] == pytest.approx(ball.epsilon, rel=1e-5)
    assert dots.customdata.tolist() == list(range(402))
    assert figure.layout.dragmode == "turntable"


def test_a_fourth_feature_is_a_colour() -> None:
    ball = interaction_made_up.ball(fourth=True)
    figure = halo_ball.figure(ball)
    assert not _of(figure, "mesh3d")
    dots = _of(figure, "scatter3d")[1]
    assert ball.fourth is not None
    there = np.asarray(dots.customdata)
    assert dots.marker.color == pytest.approx(ball.fourth[there])
    assert len(there) == 2718, "two models spend all on the fourth: they lie in no direction"
    assert np.isfinite(np.asarray(dots.x)).all()
    assert any("Juvenile offences" in note.text for note in figure.layout.annotations)
    assert len(figure.to_json()) < 300_000


@pytest.mark.parametrize("ball", [interaction_made_up.ball(), interaction_made_up.ball(True)])
def test_alternatives_count_who_leaves(ball: Ball) -> None:
    outside = int((ball.loss - ball.base_loss > ball.epsilon * (1 + 1e-6)).sum())
    assert f"{outside} of {len(ball.loss)} models lie outside" in halo_ball.alt(ball)


def test_alternative_of_a_halo() -> None:
    def told(found: Interactions) -> str:
        return halo.alt(found, 0)

    assert "Halo of Age × Prior offences at ε = 0.0632: of 36 models 18 lie outside" in told(FOUND)
    assert " 0 lie outside the circle and 0 within" in told(
        interaction_made_up.interactions(idle=[0, 1])
    )
