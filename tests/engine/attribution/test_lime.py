from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from engine.attribution.explain import explain, plan
from engine.errors import MethodError, ParameterError
from engine.execution.cost import Cost
from engine.masking.predict import predict_masked
from engine.masking.regions import grid, superpixels
from engine.models.loaded import LoadedModel
from engine.results import Attribution
from tests.engine import reference, zoo
from tests.engine.counting import counted
from tests.engine.refusals import expect_refusal

METHOD = "lime"


def drawn(seed: int, samples: int, columns: int) -> np.ndarray:
    """Which columns stay in each sample."""
    draws = [np.random.default_rng([seed, index]) for index in range(samples)]
    return np.stack([draw.random(columns) < 0.5 for draw in draws])


@pytest.mark.parametrize("name", ["table", "forest"])
@pytest.mark.parametrize(
    "parameters", [{}, {"width": 0.3}, {"ridge": 0, "seed": 3}, {"ridge": 50.0}]
)
def test_agrees_with_ridge_regression_on_the_same_draws(
    name: str, parameters: dict[str, Any]
) -> None:
    model = zoo.load(name)
    x, rows = zoo.noise(model), zoo.noise(model, 6, seed=1)
    column_of = model.spec.column_of
    columns = column_of.max() + 1
    keep = drawn(parameters.get("seed", 0), 200, columns)
    stays = torch.from_numpy(keep[:, column_of])
    with torch.no_grad():
        each = [model.forward(torch.where(stays, x, row))[:, 1] for row in rows]
    scores = torch.stack(each).double().mean(dim=0).numpy()
    reach = (parameters.get("width", 0.75) * np.sqrt(columns)) ** 2
    weights = np.sqrt(np.exp(-(~keep).sum(axis=1) / reach))
    line = Ridge(parameters.get("ridge", 1.0)).fit(keep, scores, sample_weight=weights)
    found = explain(model, x, METHOD, 1, background=rows, samples=200, **parameters)
    assert np.allclose(found.values, line.coef_, rtol=0, atol=1e-5)
    told = found.manifest["outcome"]
    assert told["base"] == pytest.approx(line.intercept_, abs=1e-5)
    assert told["fit"] == pytest.approx(line.score(keep, scores, weights), abs=1e-4)
    at_x = float(model.forward(x)[0, 1].detach())
    apart = at_x - line.predict(np.ones((1, columns)))[0]
    assert told["completeness"]["residual"] == pytest.approx(apart, abs=1e-5)
    assert told["completeness"]["sum"] == pytest.approx(line.coef_.sum(), abs=1e-5)


def test_of_what_is_linear_the_fit_is_perfect() -> None:
    model = zoo.load("table")
    x, row = zoo.noise(model), zoo.noise(model, seed=4)
    near = x + 5e-4 * (row - x)  # so near that all ReLUs stay on their sides
    found = explain(model, x, METHOD, 1, background=near, samples=300, ridge=0)
    told = found.manifest["outcome"]
    assert told["fit"] > 0.99
    assert abs(told["completeness"]["residual"]) < 1e-5


def test_a_wide_kernel_without_a_ridge_comes_near_the_mean_effect() -> None:
    """All samples weigh the same: then each coefficient is a Banzhaf value."""
    model = zoo.load("table")
    x, rows = zoo.noise(model), zoo.noise(model, 4, seed=1)
    of = reference.worth(
        lambda features: float(reference.table_logits(model.module, features)[1]),
        x[0].double().numpy(),
        rows.double().numpy(),
        zoo.TABLE.column_of,
    )
    worths = {n: of((n >> np.arange(3)) & 1 == 1) for n in range(8)}
    expected = [
        np.mean([worths[n | 1 << c] - worths[n & ~(1 << c)] for n in range(8)]) for c in range(3)
    ]
    found = explain(model, x, METHOD, 1, background=rows, samples=4000, ridge=0, width=10)
    assert (np.abs(found.values - expected) < 4 * found.error).all()


def test_the_error_is_that_of_another_seed() -> None:
    model = zoo.load("table")
    x, rows = zoo.noise(model), zoo.noise(model, 9, seed=1)
    runs = [
        explain(model, x, METHOD, 1, background=rows, samples=100, seed=seed) for seed in range(30)
    ]
    spread = np.std([run.values for run in runs], axis=0, ddof=1)
    told = np.sqrt(np.mean([np.square(run.error) for run in runs], axis=0))
    assert (told < 2 * spread).all()
    assert (told > spread / 2).all()
    sums = [run.manifest["outcome"]["completeness"] for run in runs]
    spread_of_sum = np.std([one["sum"] for one in sums], ddof=1)
    assert spread_of_sum / 2 < np.mean([one["error"] for one in sums]) < 2 * spread_of_sum


def test_shown_on_the_way() -> None:
    model = zoo.load("table")
    shown: list[Attribution] = []
    work = plan(model, zoo.noise(model), METHOD, 1, background=zoo.noise(model, 9), samples=40)
    watched, alone = work.run(partial=shown.append), work.run()
    assert watched.values.tobytes() == alone.values.tobytes()
    assert [one.manifest["outcome"]["samples"] for one in shown] == [5, 10, 20]
    assert all(np.isfinite(one.values).all() and np.isfinite(one.error).all() for one in shown)


@pytest.mark.parametrize("count", [None, 1, 6])
def test_cost(count: int | None) -> None:
    model = zoo.load("table")
    more: dict[str, Any] = {} if count is None else {"background": zoo.noise(model, count, seed=1)}
    planned = plan(model, zoo.noise(model), METHOD, 0, samples=30, **more)
    assert planned.cost == Cost(30 * (count or 1) + (count or 1) + 1 + 1)
    with counted(model.module) as count_of:
        planned.run()
    assert count_of.forward == planned.cost.forward


@pytest.mark.parametrize("wrong", [{"samples": 5}, {"width": 0}, {"ridge": -1}])
def test_out_of_range(wrong: dict[str, object]) -> None:
    model = zoo.load("table")
    with expect_refusal(ParameterError, next(iter(wrong))):
        explain(model, zoo.noise(model), METHOD, 0, **wrong)


def region_sums(model: LoadedModel, x: torch.Tensor, labels: np.ndarray, target: int) -> np.ndarray:
    weights = reference.weight(model.module, "linear.weight")[target].reshape(3, 8, 8)
    share = (weights * x[0].double().numpy()).sum(axis=0)
    return np.array([share[labels == region].sum() for region in range(labels.max() + 1)])


@pytest.mark.parametrize("way", [{"regions": "grid", "cells": 3}, {"segments": 12}])
def test_of_a_linear_network_each_region_gets_what_it_adds(way: dict[str, Any]) -> None:
    model = zoo.load("image-linear")
    x = zoo.noise(model)
    labels = grid(8, 8, 3) if "cells" in way else superpixels(model, x, 12)
    sums = region_sums(model, x, labels.numpy(), 2)
    found = explain(model, x, METHOD, 2, ridge=0, samples=120, **way)
    assert np.allclose(found.values, sums[labels.numpy()][None], rtol=0, atol=1e-5)
    assert np.abs(found.error).max() < 1e-5
    told = found.manifest["outcome"]
    assert told["regions"] == len(sums)
    assert told["fit"] == pytest.approx(1, abs=1e-6)
    assert told["base"] == pytest.approx(model.module.linear.bias[2].item(), abs=1e-5)
    assert told["residual"] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("fill", ["mean", "blur", "layer-masking"])
@pytest.mark.parametrize("parameters", [{}, {"width": 0.3, "ridge": 5.0}, {"seed": 3}])
def test_of_a_picture_agrees_with_ridge_regression(fill: str, parameters: dict[str, Any]) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    labels = grid(16, 16, 4)
    keep = drawn(parameters.get("seed", 0), 90, 16)
    masks = torch.from_numpy(keep)[:, labels]
    scores = predict_masked(model, x, masks, fill)[:, 1].astype(np.float64)
    reach = (parameters.get("width", 0.75) * 4) ** 2
    weights = np.sqrt(np.exp(-(~keep).sum(axis=1) / reach))
    line = Ridge(parameters.get("ridge", 1.0)).fit(keep, scores, sample_weight=weights)
    found = explain(
        model, x, METHOD, 1, regions="grid", cells=4, samples=90, fill=fill, **parameters
    )
    expected = line.coef_[labels.numpy()]
    assert np.allclose(found.values, np.broadcast_to(expected, (3, 16, 16)), rtol=0, atol=1e-5)
    told = found.manifest["outcome"]
    assert told["base"] == pytest.approx(line.intercept_, abs=1e-5)
    assert told["fit"] == pytest.approx(line.score(keep, scores, weights), abs=1e-4)
    assert told["samples"] == 90


def test_the_error_of_a_picture_is_that_of_another_seed() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    runs = [
        explain(model, x, METHOD, 1, regions="grid", cells=3, samples=100, seed=seed)
        for seed in range(25)
    ]
    spread = np.std([run.values for run in runs], axis=0, ddof=1)
    told = np.sqrt(np.mean([np.square(run.error) for run in runs], axis=0))
    assert (told < 2 * spread).all()
    assert (told > spread / 2).all()


@pytest.mark.parametrize("name", ["tiny-cnn", "tiny-vit"])
def test_cost_of_a_picture(name: str) -> None:
    model = zoo.load(name)
    planned = plan(model, zoo.noise(model), METHOD, 0, samples=30)
    assert planned.cost == Cost(30 + 1 + 1)
    assert plan(model, zoo.noise(model), METHOD, 0).parameters["samples"] == 512
    with counted(model.module) as count_of:
        planned.run()
    assert count_of.forward == planned.cost.forward


def test_pictures_take_no_background_and_rows_no_fill() -> None:
    picture, table = zoo.load("tiny-cnn"), zoo.load("table")
    with expect_refusal(MethodError, "LIME takes no background"):
        explain(picture, zoo.noise(picture), METHOD, 0, background=zoo.noise(picture, 3))
    with expect_refusal(ParameterError, "lime has no parameter 'fill'"):
        explain(table, zoo.noise(table), METHOD, 0, fill="mean")
