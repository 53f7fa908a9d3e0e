from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from scipy.ndimage import gaussian_filter

from engine.attribution.explain import explain, plan
from engine.attribution.rows import per_column
from engine.errors import MethodError, ParameterError
from engine.execution.cost import Cost
from tests.engine import reference, zoo
from tests.engine.masking.painting import PAINTED, PLAIN
from tests.engine.refusals import expect_refusal

METHOD = "integrated-gradients"


def baseline_of(name: str, x: np.ndarray) -> np.ndarray:
    """The baseline by its definition, float64, for ``zoo.SMALL``."""
    if name == "mean":
        return np.zeros_like(x)
    if name == "blur":
        sigma = 10 * 8 / 224
        return gaussian_filter(x, (0, sigma, sigma), mode="reflect", truncate=4)
    level = {"black": 0.0, "grey": 0.5, "white": 1.0}[name]
    return np.full_like(x, (level - 0.5) / 0.25)


@pytest.mark.parametrize("baseline", PLAIN)
def test_of_a_linear_network_is_weight_times_way(baseline: str) -> None:
    model = zoo.load("image-linear")
    x = zoo.noise(model)
    array = x[0].double().numpy()
    weights = reference.weight(model.module, "linear.weight")[1].reshape(3, 8, 8)
    expected = weights * (array - baseline_of(baseline, array))
    found = explain(model, x, METHOD, 1, baseline=baseline, steps=3)
    assert np.allclose(found.values, expected, rtol=0, atol=1e-5)
    assert abs(found.manifest["outcome"]["completeness"]["gap"]) < 1e-4


@pytest.mark.parametrize("steps", [2, 5, 20])
@pytest.mark.parametrize("target", range(3))
def test_of_a_perceptron_by_hand(steps: int, target: int) -> None:
    model = zoo.load("mlp")
    x = zoo.noise(model)
    array = x[0].double().numpy()
    expected = reference.integrated_gradients(
        lambda at: reference.mlp_gradient(model.module, at, target), array, np.zeros(5), steps
    )
    found = explain(model, x, METHOD, target, steps=steps)
    assert np.allclose(found.values, expected, rtol=0, atol=1e-6)
    told = found.manifest["outcome"]["completeness"]
    ends = [reference.mlp_logits(model.module, at)[target] for at in (array, np.zeros(5))]
    assert told["difference"] == pytest.approx(ends[0] - ends[1], abs=1e-6)
    assert told["sum"] == pytest.approx(expected.sum(), abs=1e-6)
    assert told["gap"] == pytest.approx(expected.sum() - (ends[0] - ends[1]), abs=1e-6)


@pytest.mark.parametrize("name", zoo.NETWORKS)
@pytest.mark.parametrize("steps", [2, 11])
def test_agrees_with_captum(name: str, steps: int) -> None:
    model = zoo.load(name)
    x = zoo.noise(model)
    theirs = IntegratedGradients(zoo.build(name))
    baseline = PAINTED["mean"].values(model, x).expand_as(x)
    expected = theirs.attribute(x, baseline, target=0, n_steps=steps)[0].detach()
    found = explain(model, x, METHOD, 0, steps=steps, baseline="mean")
    folded = per_column(expected, model.spec)
    assert np.allclose(found.values, folded.numpy(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["mlp", "tiny-cnn", "tiny-vit"])
@pytest.mark.parametrize("output", ["logit", "probability"])
def test_the_gap_shrinks_with_steps(name: str, output: str) -> None:
    model = zoo.load(name)
    x = 2 * zoo.noise(model)

    def gap(steps: int) -> float:
        found = explain(model, x, METHOD, 0, steps=steps, baseline="mean", output=output)
        return abs(found.manifest["outcome"]["completeness"]["gap"])

    coarse, fine = gap(2), gap(120)
    assert coarse > 1e-5
    assert fine < coarse / 3


def test_only_the_mean_is_a_baseline_for_tables() -> None:
    model = zoo.load("mlp")
    with expect_refusal(ParameterError, "baseline='black' is no choice", "mean"):
        explain(model, zoo.noise(model), METHOD, 0, baseline="black")


@pytest.mark.parametrize("steps", [1, 1001, "many"])
def test_steps_out_of_range(steps: object) -> None:
    model = zoo.load("mlp")
    with expect_refusal(
        ParameterError, f"steps={steps!r}" if steps == "many" else f"steps={steps}"
    ):
        explain(model, zoo.noise(model), METHOD, 0, steps=steps)


@pytest.mark.parametrize("name", ["mlp", "table"])
@pytest.mark.parametrize("output", ["logit", "probability"])
@pytest.mark.parametrize("count", [1, 7])
def test_with_a_background_it_is_the_mean_over_its_rows(count: int, output: str, name: str) -> None:
    model = zoo.load(name)
    x, rows = zoo.noise(model), zoo.noise(model, count, seed=1)
    network = zoo.build(name)

    def score(batch: torch.Tensor) -> torch.Tensor:
        return (network(batch) if output == "logit" else network(batch).softmax(dim=1))[:, 2]

    theirs = IntegratedGradients(score)
    each = [theirs.attribute(x, row[None], n_steps=13) for row in rows]
    expected = per_column(torch.cat(each).detach().mean(dim=0), model.spec)
    planned = plan(model, x, METHOD, 2, background=rows, steps=13, output=output)
    found = planned.run()
    assert np.allclose(found.values, expected.numpy(), rtol=0, atol=1e-6)
    assert planned.cost == Cost(13 * count + count + 1 + 1, 13 * count)
    with torch.no_grad():
        scores = score(torch.cat([x, rows])).numpy()
    outcome = found.manifest["outcome"]
    assert outcome["base"] == pytest.approx(scores[1:].mean(), abs=1e-6)
    assert outcome["completeness"]["difference"] == pytest.approx(
        scores[0] - scores[1:].mean(), abs=1e-6
    )
    assert outcome["completeness"]["sum"] == pytest.approx(float(expected.sum()), abs=1e-6)


def test_pictures_take_no_background() -> None:
    for name in ("tiny-cnn", "tiny-vit", "image-linear"):
        model = zoo.load(name)
        with expect_refusal(MethodError, "Integrated Gradients takes no background"):
            explain(model, zoo.noise(model), METHOD, 0, background=zoo.noise(model, 3))


def test_the_base_is_the_score_of_the_baseline() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    blurred = PAINTED["blur"].values(model, x)
    with torch.no_grad():
        expected = float(zoo.build("tiny-cnn")(blurred)[0, 1])
    found = explain(model, x, METHOD, 1, steps=3, baseline="blur")
    assert found.manifest["outcome"]["base"] == pytest.approx(expected, abs=1e-6)
