from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from torch import nn

from engine.attribution.explain import explain
from engine.errors import MethodError, ParameterError
from engine.models.loading import load_model
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
    assert found.manifest["request"]["method"]["parameters"] == {"layer": "bn2"}


def test_maps_that_are_overwritten_later_are_read_before() -> None:
    """The twin, with the same weights, overwrites nothing: Captum reads its maps."""
    twin = zoo.seeded(zoo.TinyCnn)
    twin.load_state_dict(zoo.build("inplace-cnn").state_dict())
    model = zoo.load("inplace-cnn")
    x = zoo.noise(model)
    theirs = LayerGradCam(twin, twin.bn2).attribute(x, target=0)[0, 0].detach().numpy()
    assert np.allclose(explain(model, x, "grad-cam", 0).values, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("layer", ["relu1", "linear", "pool", "nothing"])
def test_layers_that_do_not_serve_are_refused(layer: str) -> None:
    model = zoo.load("inplace-cnn")
    with expect_refusal(ParameterError, f"layer={layer!r} is no choice"):
        explain(model, zoo.noise(model), "grad-cam", 0, layer=layer)


def test_networks_without_maps_are_refused() -> None:
    model = zoo.load("image-linear")
    with expect_refusal(MethodError, "Grad-CAM needs a layer with maps; ImageLinear has none"):
        explain(model, zoo.noise(model), "grad-cam", 0)


class Twice(nn.Module):
    """The same body on a picture and on its mirror image, then the same again on the sum."""

    def __init__(self, *, nested: bool) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 3, 3, padding=1)
        self.head = nn.Linear(3, 2)
        self.nested = nested

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = torch.tanh(self.body(x))
        again = self.body(first if self.nested else x.flip(-1))
        return self.head((again * first).mean(dim=(2, 3)))


@pytest.mark.parametrize("nested", [True, False])
def test_a_layer_that_runs_twice_by_hand(nested: bool) -> None:
    module = zoo.seeded(lambda: Twice(nested=nested))
    model = load_model(module, input_spec=zoo.SMALL, device="cpu")
    x = zoo.noise(model)
    found = explain(model, x, "grad-cam", 1)
    first = module.body(x).detach().requires_grad_()
    mixed = torch.tanh(first)
    again = module.body(mixed if nested else x.flip(-1))
    score = module.head((again * mixed).mean(dim=(2, 3)))[0, 1]
    slopes = torch.autograd.grad(score, (first, again))
    expected = sum(
        (slope.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1)[0]
        for slope, maps in zip(slopes, (first, again), strict=True)
    )
    assert np.allclose(found.values, expected.detach().numpy(), rtol=0, atol=1e-6)
    assert found.manifest["outcome"]["runs_of_the_layer"] == 2


class ChannelsLast(nn.Module):
    """Its last maps lie as rows, columns, channels, as those of a Swin do."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 2, stride=2)
        self.norm = nn.LayerNorm(5)
        self.head = nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.norm(self.conv(x).permute(0, 2, 3, 1)).square().mean(dim=(1, 2)))


def test_channels_that_lie_last() -> None:
    module = zoo.seeded(ChannelsLast)
    model = load_model(module, input_spec=zoo.SMALL, device="cpu")
    x = zoo.noise(model)
    found = explain(model, x, "grad-cam", 1)
    maps = module.norm(module.conv(x).permute(0, 2, 3, 1)).detach().requires_grad_()
    slope = torch.autograd.grad(module.head(maps.square().mean(dim=(1, 2)))[0, 1], maps)[0]
    expected = torch.einsum("bhwc,bc->bhw", maps, slope.mean(dim=(1, 2)))[0].detach().numpy()
    assert found.values.shape == (4, 4)
    assert np.allclose(found.values, expected, rtol=0, atol=1e-6)


def test_no_maps_after_attention() -> None:
    model = zoo.load("tiny-vit")
    with expect_refusal(MethodError, "a layer with maps after its attention; TinyVit has none"):
        explain(model, zoo.noise(model), "grad-cam", 0)


def test_frozen_weights_make_no_difference() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    expected = explain(model, x, "grad-cam", 0).values
    model.module.requires_grad_(False)
    assert np.array_equal(explain(model, x, "grad-cam", 0).values, expected)
