from __future__ import annotations

import numpy as np
import pytest
from captum.attr import LayerGradCam

from engine.attribution.explain import explain
from engine.errors import MethodError, ParameterError
from tests.engine import reference, zoo
from tests.engine.refusals import expect_refusal


@pytest.mark.parametrize("target", range(3))
def test_by_hand(target: int) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    expected = reference.cnn_grad_cam(model.module, x[0].double().numpy(), target)
    found = explain(model, x, "grad-cam", target)
    assert found.values.shape == (8, 8)
    assert np.allclose(found.values, expected, rtol=0, atol=1e-6)
    assert np.abs(expected).max() > 1e-3


def test_signed() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    lowest = [explain(model, x, "grad-cam", target).values.min() for target in range(3)]
    assert min(lowest) < -1e-3


def test_of_a_probability_by_hand() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    array = x[0].double().numpy()
    shares = reference.softmax(reference.cnn_logits(model.module, array))
    maps = [reference.cnn_grad_cam(model.module, array, target) for target in range(3)]
    expected = shares[1] * (maps[1] - sum(s * m for s, m in zip(shares, maps, strict=True)))
    found = explain(model, x, "grad-cam", 1, output="probability")
    assert np.allclose(found.values, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["tiny-cnn", "inplace-cnn", "one-logit-cnn"])
@pytest.mark.parametrize("layer", ["conv1", "conv2"])
def test_agrees_with_captum_at_any_layer(name: str, layer: str) -> None:
    model = zoo.load(name)
    x = zoo.noise(model)
    module = zoo.build(name)
    theirs = LayerGradCam(module, module.get_submodule(layer)).attribute(x, target=0)
    found = explain(model, x, "grad-cam", 0, layer=layer)
    assert found.values.shape == ((16, 16) if layer == "conv1" else (8, 8))
    assert np.allclose(found.values, theirs[0, 0].detach().numpy(), rtol=0, atol=1e-6)


def test_the_target_layer_is_the_default() -> None:
    model = zoo.load("inplace-cnn")
    found = explain(model, zoo.noise(model), "grad-cam", 0)
    assert found.manifest["request"]["method"]["parameters"] == {"layer": "conv2"}


@pytest.mark.parametrize("layer", ["bn2", "relu1", "linear", "pool", "nothing"])
def test_layers_that_do_not_serve_are_refused(layer: str) -> None:
    model = zoo.load("inplace-cnn")
    with expect_refusal(ParameterError, f"layer={layer!r} is no choice"):
        explain(model, zoo.noise(model), "grad-cam", 0, layer=layer)


def test_networks_without_maps_are_refused() -> None:
    model = zoo.load("image-linear")
    with expect_refusal(MethodError, "Grad-CAM needs a layer with maps; ImageLinear has none"):
        explain(model, zoo.noise(model), "grad-cam", 0)


def test_frozen_weights_make_no_difference() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    expected = explain(model, x, "grad-cam", 0).values
    model.module.requires_grad_(False)
    assert np.array_equal(explain(model, x, "grad-cam", 0).values, expected)
