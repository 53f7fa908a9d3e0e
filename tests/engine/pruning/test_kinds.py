"""Scores, repairs and the cut after them on networks of all kinds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import ImageSpec
from engine.pruning.cutting.gating import gated_copy
from engine.pruning.cutting.making import pruned_of
from engine.pruning.cutting.slicing import sliced_copy
from engine.pruning.finding.groups import find_groups
from engine.pruning.repairing.repairs import repaired
from engine.pruning.scoring.scopes import choose
from engine.pruning.scoring.score import score_units
from tests.engine import zoo


def in_hand(build: Callable[[], nn.Module], side: int) -> LoadedModel:
    return load_model(zoo.seeded(build), input_spec=ImageSpec(side, side), device="cpu")


def transformers_resnet() -> nn.Module:
    from transformers import ResNetConfig, ResNetForImageClassification

    asked = {"embedding_size": 16, "hidden_sizes": [16, 24], "depths": [1, 1], "num_labels": 4}
    return ResNetForImageClassification(ResNetConfig(**asked, layer_type="basic"))


def transformers_vit() -> nn.Module:
    from transformers import ViTConfig, ViTForImageClassification

    size = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3}
    asked = {"intermediate_size": 40, "image_size": 32, "patch_size": 8, "num_labels": 4}
    return ViTForImageClassification(ViTConfig(**size, **asked))


def torchvision_of(name: str) -> nn.Module:
    import torchvision

    return getattr(torchvision.models, name)(num_classes=5)


KINDS: dict[str, Callable[[], LoadedModel]] = {
    "imagenet-cnn": partial(load_model, "imagenet-cnn", device="cpu"),
    "scenes-resnet": partial(load_model, "scenes-resnet", device="cpu"),
    "scenes-vit": partial(load_model, "scenes-vit", device="cpu"),
    "digits-cnn": partial(load_model, "digits-cnn", device="cpu"),
    "transformers resnet": lambda: in_hand(transformers_resnet, 32),
    "transformers vit": lambda: in_hand(transformers_vit, 32),
    "torchvision resnet18": lambda: in_hand(partial(torchvision_of, "resnet18"), 64),
    "torchvision mobilenet": lambda: in_hand(partial(torchvision_of, "mobilenet_v2"), 64),
}


@pytest.mark.parametrize("kind", KINDS)
def test_scored_repaired_and_cut(kind: str) -> None:
    model = KINDS[kind]()
    groups, x = find_groups(model), zoo.noise(model, 3)
    asked = ["group-l2", "filter-l1", "taylor", "fisher", "wanda-sp", "wifv", "random"]
    scores = score_units(model, groups, x, criteria=asked)
    assert scores.outcome["passes"] == {"forward": 3, "backward": 3}
    for name in asked:
        for group in groups.groups:
            values = scores[name][group.name]
            assert values.shape == (group.size,) and np.isfinite(values).all()
            assert values.dtype == np.float64
    kept = choose(scores["taylor"], groups, 0.3)
    gated = gated_copy(model, kept)
    found = repaired(model, gated, kept, groups, x, "both", statistics=scores.statistics)
    small = sliced_copy(found, kept, round_to=1)
    assert small.parameter_count < found.parameter_count
    with torch.no_grad():
        large, little = (one.forward(x) for one in (found, small))
    apart = float((large - little).abs().max() / large.abs().max())
    assert apart < 1e-4
    made = pruned_of(small).made
    norms = sum(isinstance(part, nn.BatchNorm2d) for part in model.module.modules())
    assert len(made["recalibrated"]) == norms
    assert made["biases"] and not made["without"]
