"""Weights in a file, with an architecture by reference or by the name of a module."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from tests.engine.own_models import nets, rollouts
from tests.engine.own_models.from_hub import VIT, logits, save, save_processor
from tests.engine.own_models.in_hand import lively
from tests.engine.own_models.own import HALF, IMAGENET, Facts, Own, global_rollout

_LARGE = (3, 64, 64)


def _safetensors(module: nn.Module, folder: Path) -> Path:
    path = folder / "weights.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in module.state_dict().items()}, path)
    return path


def _pth(module: nn.Module, folder: Path) -> Path:
    path = folder / "weights.pth"
    torch.save({"epoch": 3, "state_dict": module.state_dict()}, path)
    return path


def _load(path: Path, arch: str, options: str = "") -> LoadedModel:
    return load_model(f"file:{path}?arch={arch}{options}", device="cpu")


def _of_timm(folder: Path) -> LoadedModel:
    module = lively(lambda: timm.create_model("test_resnet", num_classes=4), _LARGE)
    return _load(_safetensors(module, folder), "timm:test_resnet", "&size=64")


def _of_torchvision(folder: Path) -> LoadedModel:
    module = lively(lambda: torchvision.models.squeezenet1_1(num_classes=4), _LARGE)
    return _load(_pth(module, folder), "torchvision:squeezenet1_1", "&size=64")


def _of_hub(folder: Path) -> LoadedModel:
    module = save(folder / "published", "ViT", **VIT)
    save_processor(folder / "published", "ViT", size={"height": 32, "width": 32})
    return _load(_safetensors(module, folder), f"hf:{folder / 'published'}")


def _of_module(folder: Path) -> LoadedModel:
    return _load(_pth(lively(nets.Twice), folder), f"{nets.__name__}:Twice")


def _own(name: str, load: Callable[[Path], LoadedModel], facts: Facts, **more: object) -> Own:
    return Own(f"file: {name}", load, facts, **more)  # type: ignore[arg-type]


FILES = (
    _own(
        "safetensors, arch=timm:test_resnet",
        _of_timm,
        Facts("cnn", (3, 64, 64), HALF, layer="layer4", told_by="timm"),
    ),
    _own(
        ".pth, arch=torchvision:squeezenet1_1",
        _of_torchvision,
        Facts("cnn", (3, 64, 64), IMAGENET, layer="classifier.2", told_by="torchvision"),
    ),
    _own(
        "safetensors, arch=hf:folder",
        _of_hub,
        Facts(
            "vit",
            (3, 32, 32),
            HALF,
            attention=3,
            output=("ImageClassifierOutput", "logits"),
            told_by="transformers",
        ),
        read=logits,
        rollout=global_rollout(rollouts.of_transformers, "class"),
    ),
    _own(
        ".pth, arch=module:builder",
        _of_module,
        Facts("cnn", (3, 32, 32), IMAGENET, layer="trunk"),
    ),
)
