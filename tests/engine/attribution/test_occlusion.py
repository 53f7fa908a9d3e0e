from __future__ import annotations

import numpy as np
import pytest
from captum.attr import Occlusion

from engine.attribution.explain import explain, plan
from engine.errors import ParameterError
from engine.execution.cost import Cost
from tests.engine import reference, zoo
from tests.engine.masking.painting import PAINTED
from tests.engine.refusals import expect_refusal

SIZES = [(5, 3), (16, 1), (4, 4), (3, 5), (1, 7), (15, 16)]


@pytest.mark.parametrize(("window", "stride"), SIZES)
def test_by_hand(window: int, stride: int) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    array = x[0].double().numpy()
    expected = reference.occlusion(
        lambda at: reference.cnn_logits(model.module, at)[1],
        array,
        np.zeros_like(array),
        window,
        stride,
    )
    found = explain(model, x, "occlusion", 1, window=window, stride=stride, fill="mean").values
    assert found.shape == (3, 16, 16)
    assert all(np.array_equal(found[0], channel) for channel in found)
    assert np.allclose(found[0], expected, rtol=0, atol=1e-5)
    assert np.abs(expected).max() > 1e-3


@pytest.mark.parametrize("output", ["logit", "probability"])
def test_of_a_linear_network_by_hand(output: str) -> None:
    model = zoo.load("image-linear")
    x = zoo.noise(model)
    weights = reference.weight(model.module, "linear.weight")
    bias = reference.weight(model.module, "linear.bias")

    def score(at: np.ndarray) -> float:
        logits = weights @ at.ravel() + bias
        return (reference.softmax(logits) if output == "probability" else logits)[2]

    array = x[0].double().numpy()
    hidden = np.full_like(array, (1 - 0.5) / 0.25)
    expected = reference.occlusion(score, array, hidden, 3, 2)
    found = explain(model, x, "occlusion", 2, window=3, stride=2, fill="white", output=output)
    assert np.allclose(found.values[0], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("fill", PAINTED)
@pytest.mark.parametrize(("window", "stride"), [(5, 3), (4, 4), (7, 2)])
def test_agrees_with_captum(fill: str, window: int, stride: int) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    theirs = Occlusion(zoo.build("tiny-cnn")).attribute(
        x,
        sliding_window_shapes=(3, window, window),
        strides=(3, stride, stride),
        baselines=PAINTED[fill].values(model, x).expand_as(x),
        target=0,
    )
    found = explain(model, x, "occlusion", 0, window=window, stride=stride, fill=fill)
    assert np.allclose(found.values, theirs[0].detach().numpy(), rtol=0, atol=1e-5)


def test_pixels_that_no_window_covers_are_zero() -> None:
    model = zoo.load("tiny-cnn")
    found = explain(model, zoo.noise(model), "occlusion", 0, window=2, stride=7).values[0]
    covered = np.zeros((16, 16), bool)
    for top in (0, 7, 14):
        for left in (0, 7, 14):
            covered[top : top + 2, left : left + 2] = True
    assert np.all(found[~covered] == 0)
    assert np.all(found[covered] != 0)


@pytest.mark.parametrize(("window", "stride"), SIZES)
def test_cost_is_a_pass_for_each_window_and_two_more(window: int, stride: int) -> None:
    model = zoo.load("tiny-cnn")
    planned = plan(model, zoo.noise(model), "occlusion", 0, window=window, stride=stride)
    starts = 1
    while (starts - 1) * stride + window < 16:
        starts += 1
    assert planned.cost == Cost(starts**2 + 2)  # nothing hidden, and the prediction told beside
    assert planned.run().manifest["outcome"]["windows"] == starts**2


def test_windows_are_in_proportion_by_default() -> None:
    model = zoo.load("tiny-cnn")
    planned = plan(model, zoo.noise(model), "occlusion", 0)
    assert planned.parameters == {"window": 2, "stride": 1, "fill": "mean"}


@pytest.mark.parametrize("name", ["window", "stride"])
@pytest.mark.parametrize("value", [0, 17, -3])
def test_windows_larger_than_the_picture_are_refused(name: str, value: int) -> None:
    model = zoo.load("tiny-cnn")
    with expect_refusal(ParameterError, f"{name}={value} is out of range: from 1 to 16"):
        explain(model, zoo.noise(model), "occlusion", 0, **{name: value})
