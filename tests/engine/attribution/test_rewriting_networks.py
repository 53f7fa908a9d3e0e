"""Networks as people bring them, of other libraries: which method suits which, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import transformers
from torch import nn

from engine.attribution.explain import explain
from engine.attribution.registry import find_method
from engine.errors import MethodError
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import ImageSpec
from tests.engine import zoo
from tests.engine.refusals import expect_refusal

SPEC = ImageSpec(32, 32, mean=(0.5,) * 3, std=(0.25,) * 3)
METHODS = ("deep-lift", "guided-backprop", "lrp")


class DenseLike(nn.Module):
    """DenseNet's way: each layer gets all outputs before it; functional ReLUs."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(8 + 4 * i) for i in range(3)])
        self.convs = nn.ModuleList([nn.Conv2d(8 + 4 * i, 4, 3, padding=1) for i in range(3)])
        self.last = nn.BatchNorm2d(20)
        self.classifier = nn.Linear(20, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = [F.max_pool2d(F.relu(self.stem(x)), 3, stride=2, padding=1)]
        for norm, conv in zip(self.norms, self.convs, strict=True):
            features.append(conv(F.relu(norm(torch.cat(features, 1)), inplace=True)))
        x = F.avg_pool2d(F.relu(self.last(torch.cat(features, 1))), 2)
        return self.classifier(F.adaptive_avg_pool2d(x, (1, 1)).flatten(1))


def resnet() -> nn.Module:
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[16, 32], depths=[1, 2], num_labels=3
    )
    return transformers.ResNetForImageClassification(config)


def mobilenet() -> nn.Module:
    config = transformers.MobileNetV2Config(depth_multiplier=0.35, image_size=32, num_labels=3)
    return transformers.MobileNetV2ForImageClassification(config)


def regnet() -> nn.Module:
    config = transformers.RegNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], groups_width=8, num_labels=3
    )
    return transformers.RegNetForImageClassification(config)


def convnext() -> nn.Module:
    config = transformers.ConvNextConfig(
        hidden_sizes=[8, 16], depths=[1, 1], num_stages=2, num_labels=3
    )
    return transformers.ConvNextForImageClassification(config)


def vit() -> nn.Module:
    config = transformers.ViTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=32,
        patch_size=8,
        num_labels=3,
    )
    return transformers.ViTForImageClassification(config)


@cache
def load(builder: Callable[[], nn.Module]) -> LoadedModel:
    """With weights large enough for the picture to reach the logits."""

    def built() -> nn.Module:
        module = builder()
        for parameter in module.parameters():
            if parameter.ndim > 1:
                nn.init.kaiming_normal_(parameter)
        return module

    return load_model(zoo.seeded(built), input_spec=SPEC, device="cpu")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("builder", [DenseLike, resnet, mobilenet])
def test_convolutional_networks_are_explained(
    builder: Callable[[], nn.Module], method: str
) -> None:
    model = load(builder)
    found = explain(model, zoo.noise(model), method, 0)
    assert np.abs(found.values).max() > 1e-5
    outcome = found.manifest["outcome"]
    if method == "deep-lift":
        told = outcome["completeness"]
        assert abs(told["gap"]) < 1e-3 * abs(told["difference"])
    if method == "lrp":
        told = outcome["conservation"]
        assert abs(told["gap"]) < 1e-3 * abs(told["score"])


LAYER_NORMS = {
    convnext: "convnext.embeddings.layernorm calls layer_norm",
    vit: "vit.layers.0.layernorm_before calls layer_norm",
}
GELUS = {
    convnext: "convnext.encoder.stages.0.layers.0.act calls gelu",
    vit: "vit.layers.0.mlp.activation_fn calls gelu",
}
GATED = "regnet.encoder.stages.0.layers.0.layer.2"
REFUSED = [
    *((builder, method, told) for builder, told in LAYER_NORMS.items() for method in METHODS[::2]),
    *((builder, "guided-backprop", told) for builder, told in GELUS.items()),
    (regnet, "deep-lift", f"{GATED} multiplies two parts that both depend on the input, by mul"),
    (regnet, "guided-backprop", f"{GATED}.attention.3 calls sigmoid"),
    (regnet, "lrp", f"{GATED}.attention.3 calls sigmoid"),
]


@pytest.mark.parametrize(("builder", "method", "told"), REFUSED)
def test_others_are_refused_with_the_layer(
    builder: Callable[[], nn.Module], method: str, told: str
) -> None:
    model = load(builder)
    names = [name for name, _ in model.module.named_modules()]
    assert told.split(maxsplit=1)[0] in names
    reason = find_method(method).refusal(model)
    assert reason is not None
    with expect_refusal(MethodError, f"its layer {told}", reason):
        explain(model, zoo.noise(model), method, 0)
