from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import engine
from engine.attribution.explain import explain, plan
from engine.errors import (
    HaloscopeError,
    InputError,
    MethodError,
    ModelError,
    ParameterError,
    TargetError,
)
from engine.execution.cost import Cost
from engine.execution.predict import predict
from engine.models.loading import load_model
from tests.engine import zoo
from tests.engine.counting import counted
from tests.engine.refusals import expect_refusal

LINEAR_IN_THE_SCORE = [
    ("gradient", {}),
    ("integrated-gradients", {"steps": 7}),
    ("grad-cam", {}),
    ("occlusion", {"window": 4, "stride": 3}),
    ("gradient-x-input", {}),
    ("smoothgrad", {"samples": 5}),
    ("gradient-shap", {"samples": 5}),
    ("rise", {"masks": 20}),
    ("feature-ablation", {"regions": "grid", "cells": 3}),
]


@pytest.mark.parametrize(("method", "parameters"), LINEAR_IN_THE_SCORE)
@pytest.mark.parametrize("output", ["logit", "probability"])
def test_versus_is_the_difference_of_two_targets(method: str, parameters: Any, output: Any) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)

    def values(target: int, **more: Any) -> np.ndarray:
        return explain(model, x, method, target, output=output, **more, **parameters).values

    assert np.allclose(values(0, versus=2), values(0) - values(2), rtol=0, atol=1e-6)
    assert np.allclose(values(0, versus=2), -values(2, versus=0), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("method", "parameters"), LINEAR_IN_THE_SCORE)
def test_probability_is_not_logit(method: str, parameters: Any) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    found = [
        explain(model, x, method, 0, output=output, **parameters).values
        for output in ("logit", "probability")
    ]
    assert not np.allclose(*found, atol=1e-4)


def test_the_predicted_class_is_the_default_target() -> None:
    model = zoo.load("tiny-cnn")
    for seed in range(6):
        x = zoo.noise(model, seed=seed)
        best = predict(model, x).best
        found = explain(model, x, "gradient")
        assert found.manifest["request"]["target"] == {"index": best, "name": f"class {best}"}
        assert np.array_equal(found.values, explain(model, x, "gradient", best).values)


def test_target_by_name() -> None:
    model = load_model(zoo.build("mlp"), classes=["cat", "dog", "Dog"])
    x = zoo.noise(model)
    found = explain(model, x, "gradient", "dog", versus="CAT")
    assert found.manifest["request"]["target"] == {"index": 1, "name": "dog"}
    assert found.manifest["request"]["versus"] == {"index": 0, "name": "cat"}
    with expect_refusal(TargetError, "1 and 2"):
        explain(model, x, "gradient", "DOG")


@pytest.mark.parametrize(
    ("kind", "told", "changes"),
    [
        (TargetError, "both class 1", {"versus": 1}),
        (TargetError, "class 3 is out of range", {"target": 3}),
        (TargetError, "class 9 is out of range", {"versus": 9}),
        (MethodError, "did you mean gradient", {"method": "gradiant"}),
        (MethodError, "takes no background", {"background": [1]}),
        (MethodError, "takes no data", {"data": [1]}),
        (ParameterError, "has no parameter 'steps'; it takes none", {"steps": 5}),
        (ModelError, "no output 'odds'", {"output": "odds"}),
        (InputError, "expected a tensor of shape (1, 5)", {"input": torch.zeros(3)}),
        (ModelError, "no model 'imagnet-cnn'", {"model": "imagnet-cnn"}),
    ],
)
def test_mistakes_are_told_in_one_line(kind: Any, told: str, changes: dict[str, Any]) -> None:
    model = zoo.load("mlp")
    request = {"model": model, "input": zoo.noise(model), "method": "gradient", "target": 1}
    with expect_refusal(kind, told):
        explain(**{**request, **changes})


def test_a_seed_that_is_no_whole_number() -> None:
    model = zoo.load("mlp")
    for seed in ("x", None):
        with pytest.raises(HaloscopeError):
            explain(model, zoo.noise(model), "gradient", 0, seed=seed)


def test_whatever_an_input_comes_as(tmp_path: Path) -> None:
    model = zoo.load("tiny-cnn")
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    sources = [tmp_path / "a.png", str(tmp_path / "a.png"), pixels, Image.fromarray(pixels)]
    sources += [(tmp_path / "a.png").read_bytes(), model.prepare(pixels), model.prepare(pixels)[0]]
    found = [explain(model, source, "gradient", 0).values for source in sources]
    assert all(np.array_equal(values, found[0]) for values in found)


def test_a_network_in_hand() -> None:
    module = zoo.build("mlp")
    x = torch.randn(5, generator=torch.Generator().manual_seed(0))
    expected = explain(load_model(module), x, "gradient", 0)
    assert np.array_equal(engine.explain(module, x, "gradient", 0).values, expected.values)


def test_the_callers_tensor_is_left_alone() -> None:
    model = zoo.load("tiny-cnn")
    for mine in (zoo.noise(model), zoo.noise(model).requires_grad_()):
        before, wanted = mine.detach().clone(), mine.requires_grad
        for method, parameters in LINEAR_IN_THE_SCORE:
            explain(model, mine, method, 0, **parameters)
        assert torch.equal(mine.detach(), before)
        assert mine.requires_grad == wanted
        assert mine.grad is None


@pytest.mark.parametrize(("method", "parameters"), LINEAR_IN_THE_SCORE)
def test_works_where_gradients_are_off(method: str, parameters: Any) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    expected = explain(model, x, method, 0, **parameters).values
    with torch.no_grad():
        assert np.array_equal(explain(model, x, method, 0, **parameters).values, expected)


def test_a_plan_costs_nothing() -> None:
    model = zoo.load("tiny-cnn")
    with counted(model.module) as count:
        planned = plan(model, zoo.noise(model), "integrated-gradients", 0, steps=9)
        assert count.forward == 0
        assert planned.cost == Cost(9 + 2 + 1, 9)
        found = planned.run()
    assert found.key == planned.key
    assert found.manifest["request"] == planned.request
    assert (count.forward, count.backward) == (12, 9)


def test_what_the_model_says_is_told_beside() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    said = predict(model, x)
    target = (said.best + 1) % 3
    told = explain(model, x, "gradient", target).manifest["outcome"]["prediction"]
    assert told == {
        "index": said.best,
        "name": said.classes[said.best],
        "probability": pytest.approx(float(said.probabilities[said.best]), abs=1e-6),
        "target_probability": pytest.approx(float(said.probabilities[target]), abs=1e-6),
        "target_logit": pytest.approx(float(said.logits[target]), abs=1e-6),
    }
