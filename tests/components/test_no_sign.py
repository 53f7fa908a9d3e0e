"""What is no interaction is not drawn or told as one: rounding, and models that break down."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from components import (
    halo,
    halo_ball,
    halo_grid,
    interaction_words,
    pair_heatmap,
    sign_agreement,
    swarm_values,
)
from engine.interaction_results import Ball, Interactions
from engine.interactions.balls import interaction_ball
from engine.interactions.planning import measure_interactions
from tests.engine.interactions.making import factorial, formula, linear, table_of

BOUND = 1.15


@pytest.fixture(scope="module")
def additive() -> Interactions:
    """Nothing interacts here: what scores there are come of rounding."""
    weights, x = np.array([1.7, -0.53, 0.91]), factorial(3)
    return measure_interactions(linear(weights), table_of(x, x @ weights + 0.7), rate=0.3)


def breaking(v: torch.Tensor) -> torch.Tensor:
    """A sum that is not a number where x₀ and x₁ are large together."""
    total = v[:, :3].sum(dim=1)
    return torch.where((v[:, 0] * v[:, 1]).abs() > BOUND, torch.nan, total)


@pytest.fixture(scope="module")
def broken() -> Interactions:
    x = factorial(3)
    table = table_of(x, x.sum(axis=1) + 1)
    return measure_interactions(formula(breaking, 3), table, epsilon=0.3)


@pytest.fixture(scope="module")
def broken_ball() -> Ball:
    x = factorial(3)
    table = table_of(x, x.sum(axis=1) + 1)
    return interaction_ball(formula(breaking, 3), table, [0, 1, 2], epsilon=0.3)


def test_rounding_has_no_sign(additive: Interactions) -> None:
    assert 0 < np.abs(additive.scores).max() < 1e-12
    assert sign_agreement.verdicts(additive) == ["none"] * 3
    assert not additive.agreement().any()
    assert interaction_words.heatmap_sentence(additive) == (
        "In no good model can an interaction be told from zero."
    )
    said = interaction_words.swarm_sentence(additive)
    assert said.startswith("All good models give x0 × x2 the same interaction score, 0.")
    assert "interaction score of x0 × x1 is 0, the reference's 0." in (
        interaction_words.model_sentence(additive, 0, 9)
    )


def test_rounding_has_no_colour(additive: Interactions) -> None:
    values, _ = pair_heatmap.cells_of(additive, "max")
    assert (values[~np.eye(3, dtype=bool)] == 0).all()
    assert not any(band.values.any() for band in swarm_values.bands_of(additive))


def test_what_is_more_than_rounding_stays(additive: Interactions) -> None:
    dust = float(additive.rounding[additive.members()].max())
    assert 1e-7 < dust / additive.base_loss < 1e-4
    assert additive.swept(np.array([-2 * dust, -dust / 2, 2 * dust])).tolist() == [
        -2 * dust, 0.0, 2 * dust,
    ]  # fmt: skip
    assert swarm_values.bands_of(additive, "columns", "reliance")[0].values.all()


def test_rounding_grows_with_the_effects(additive: Interactions) -> None:
    largest = np.abs(additive.effects).max(axis=2)
    assert np.allclose(additive.rounding, 1e-6 * np.maximum(largest, additive.base_loss))
    assert (additive.doubt == additive.rounding).all()


@pytest.mark.filterwarnings("error")
def test_models_that_break_down_are_told(broken: Interactions, broken_ball: Ball) -> None:
    curve = broken.halo(0)
    count = int(np.isinf(curve.radius).sum())
    assert count == 9
    assert f"{count} models return what is not finite" in interaction_words.halo_sentence(broken, 0)
    assert "∞" not in interaction_words.halo_sentence(broken, 0)
    far = int(np.isinf(broken_ball.loss).sum())
    said = interaction_words.ball_sentence(broken_ball)
    assert f"{far} models return what is not finite" in said
    assert "inf" not in said.replace("infinite", "")
    model = int(np.flatnonzero(np.isinf(broken.loss[0]))[0])
    assert "returns what is not finite" in interaction_words.model_sentence(broken, 0, model)
    many = "model returns" if broken.not_finite == 1 else "models return"
    assert any(
        note.startswith(f"{broken.not_finite} masked {many} what is not finite")
        for note in interaction_words.notes(broken)
    )


@pytest.mark.filterwarnings("error")
def test_models_that_break_down_are_drawn_at_the_edge(broken: Interactions) -> None:
    chosen = np.flatnonzero(np.isinf(broken.loss[0]))[0]
    steps, signs = broken.steps[chosen].tolist(), broken.signs[chosen].tolist()
    drawn = halo.figure(broken, 0, chosen=(tuple(steps), tuple(signs)))
    reach = halo.reach_of(broken.halo(0))
    (edge,) = [trace for trace in drawn.data if trace.marker.symbol == "star-triangle-up"]
    assert np.allclose(np.hypot(edge.x, edge.y), reach, rtol=1e-5)
    assert all("not finite" in text for text in edge.text)
    for figure in (drawn, halo_grid.figure(broken)):
        for trace in figure.data:
            assert trace.x is None or not np.isinf(np.asarray(trace.x, float)).any()


@pytest.mark.filterwarnings("error")
def test_a_ball_leaves_out_what_breaks_down(broken_ball: Ball) -> None:
    drawn = halo_ball.figure(broken_ball)
    surface, _, dots = drawn.data
    there = np.isfinite(broken_ball.loss)
    corners = np.concatenate([surface.i, surface.j, surface.k])
    assert there[corners].all()
    assert len(dots.x) == there.sum()
    assert np.isfinite([surface.cmin, surface.cmax]).all()
