"""Networks of transformers, small, saved with an image processor in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers

from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from tests.engine.own_models import rollouts, swins
from tests.engine.own_models.alive import revive
from tests.engine.own_models.own import HALF, IMAGENET, Facts, Own, Rollout, global_rollout

CLASSES = ("cat", "dog", "bird", "fish")
VIT = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 48,
    "image_size": 32,
    "patch_size": 8,
}


def save(folder: Path, kind: str, **settings: Any) -> torch.nn.Module:
    """Save a classifier with lively weights; ``kind`` as in ``transformers.ViTConfig``."""
    named = dict(enumerate(CLASSES))
    config = getattr(transformers, f"{kind}Config")(
        id2label=named, label2id={name: index for index, name in named.items()}, **settings
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = getattr(transformers, f"{kind}ForImageClassification")(config).eval()
    transformers.utils.logging.disable_progress_bar()
    side = settings.get("image_size", 64)
    revive(module, (config.num_channels, side, side)).save_pretrained(folder)
    return module


def save_processor(folder: Path, kind: str, **settings: Any) -> None:
    getattr(transformers, f"{kind}ImageProcessorPil")(**settings).save_pretrained(folder)


def _saved(
    kind: str, settings: dict[str, Any], processor: str, preparing: dict[str, Any]
) -> Callable[[Path], LoadedModel]:
    def load(folder: Path) -> LoadedModel:
        save(folder, kind, **settings)
        save_processor(folder, processor, **preparing)
        return load_model(f"hf:{folder}", device="cpu")

    return load


def logits(returned: Any) -> torch.Tensor:
    return returned.logits


def _own(
    kind: str,
    settings: dict[str, Any],
    processor: str,
    preparing: dict[str, Any],
    *,
    rollout: Rollout | None = None,
    normalisation: Any = IMAGENET,
    size: int = 32,
    **facts: Any,
) -> Own:
    family = "cnn" if rollout is None else "vit"
    found = Facts(
        family,
        (3, size, size),
        normalisation,
        CLASSES,
        told_by="transformers",
        **facts,
    )
    load = _saved(kind, settings, processor, preparing)
    return Own(f"hf: {kind}", load, found, logits, rollout)


def _container(name: str) -> tuple[str, str]:
    return name, "logits"


_PLAIN = _container("ImageClassifierOutputWithNoAttention")
_ATTENDING = _container("ImageClassifierOutput")
_SIDES = {"height": 32, "width": 32}
_NORM = dict(zip(("image_mean", "image_std"), IMAGENET, strict=True))

HUB = (
    _own(
        "ResNet",
        {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"},
        "ConvNext",
        {"size": {"shortest_edge": 32}, **_NORM},
        layer="resnet.encoder.stages.1",
        output=_PLAIN,
    ),
    _own(
        "ConvNext",
        {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1]},
        "ConvNext",
        {"size": {"shortest_edge": 64}, **_NORM},
        size=64,
        layer="convnext.encoder.stages.3",
        output=_PLAIN,
    ),
    _own(
        "MobileNetV2",
        {"depth_multiplier": 0.25, "image_size": 64},
        "MobileNetV2",
        {"size": {"shortest_edge": 72}, "crop_size": {"height": 64, "width": 64}},
        normalisation=HALF,
        size=64,
        layer="mobilenet_v2.conv_1x1",
        output=_PLAIN,
    ),
    _own(
        "EfficientNet",
        {"width_coefficient": 0.25, "depth_coefficient": 0.25, "hidden_dim": 320, "image_size": 64},
        "EfficientNet",
        {"size": {"height": 64, "width": 64}, **_NORM},
        normalisation=(IMAGENET[0], tuple(std * std for std in IMAGENET[1])),
        size=64,
        layer="efficientnet.encoder.top_activation",
        output=_PLAIN,
    ),
    _own(
        "ViT",
        VIT,
        "ViT",
        {"size": _SIDES},
        rollout=global_rollout(rollouts.of_transformers, "class"),
        normalisation=HALF,
        attention=3,
        output=_ATTENDING,
    ),
    _own(
        "DeiT",
        VIT,
        "DeiT",
        {"size": {"height": 36, "width": 36}, "crop_size": _SIDES, **_NORM},
        rollout=global_rollout(rollouts.of_transformers, "class", 2),
        attention=3,
        output=_ATTENDING,
    ),
    _own(
        "Swin",
        {
            "image_size": 32,
            "embed_dim": 16,
            "depths": [2, 2],
            "num_heads": [2, 2],
            "window_size": 4,
        },
        "ViT",
        {"size": _SIDES, **_NORM},
        rollout=swins.of_transformers,
        attention=4,
        output=_container("SwinImageClassifierOutput"),
    ),
    _own(
        "Dinov2",
        VIT,
        "Bit",
        {"size": {"shortest_edge": 36}, "crop_size": _SIDES, **_NORM},
        rollout=global_rollout(rollouts.of_transformers, "both"),
        attention=3,
        output=_ATTENDING,
    ),
)
