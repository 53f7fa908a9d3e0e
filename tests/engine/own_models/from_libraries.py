"""Networks of torchvision and timm as they are, at small sizes."""

from __future__ import annotations

from typing import Any

from tests.engine.own_models import rollouts, swins
from tests.engine.own_models.own import (
    HALF,
    IMAGENET,
    Facts,
    Own,
    Rollout,
    global_rollout,
    untrained,
)

_CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))


def _own(
    library: str,
    name: str,
    options: str,
    layer: str,
    *,
    size: int = 64,
    normalisation: Any = IMAGENET,
    rollout: Rollout | None = None,
    attention: int = 0,
) -> Own:
    family = "vit" if attention else "cnn"
    facts = Facts(
        family, (3, size, size), normalisation, layer=layer, attention=attention, told_by=library
    )
    ref = f"{library}:{name}?weights=none&num_classes=4&{options}"
    return Own(f"{library}: {name}", untrained(ref), facts, rollout=rollout)


TORCHVISION = (
    _own("torchvision", "resnet18", "size=48", "layer4", size=48),
    _own("torchvision", "mobilenet_v3_small", "size=48", "features", size=48),
    _own("torchvision", "densenet121", "size=64", "features"),
    _own("torchvision", "vgg11", "size=64", "features"),
    _own("torchvision", "convnext_tiny", "size=32", "features.6.0", size=32),
    _own(
        "torchvision",
        "vit_b_32",
        "image_size=64",
        "",
        rollout=global_rollout(rollouts.of_torchvision, "class"),
        attention=12,
    ),
    _own(
        "torchvision",
        "swin_t",
        "size=64",
        "permute",
        rollout=swins.of_torchvision,
        attention=12,
    ),
)

TIMM = (
    _own(
        "timm",
        "vit_tiny_patch16_224",
        "img_size=64",
        "",
        normalisation=HALF,
        rollout=global_rollout(rollouts.of_timm, "class"),
        attention=12,
    ),
    _own(
        "timm",
        "deit_tiny_patch16_224",
        "img_size=64",
        "",
        rollout=global_rollout(rollouts.of_timm, "class"),
        attention=12,
    ),
    _own("timm", "resnet18", "size=48", "layer4", size=48),
    _own("timm", "mobilenetv2_100", "size=48", "bn2", size=48),
    _own("timm", "convnext_atto", "size=64", "norm_pre"),
    _own(
        "timm",
        "swin_tiny_patch4_window7_224",
        "img_size=64&window_size=4",
        "norm",
        rollout=swins.of_timm,
        attention=12,
    ),
    _own("timm", "efficientnet_lite0", "size=48", "bn2", size=48),
    _own(
        "timm",
        "eva02_tiny_patch14_224",
        "img_size=56",
        "",
        size=56,
        normalisation=_CLIP,
        rollout=global_rollout(rollouts.of_timm, "patches"),
        attention=12,
    ),
)
