"""``model.prepare`` gives the tensor that the network's own library gives."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torchvision
import transformers

from engine.models.loading import load_model
from tests.engine.own_models.from_hub import save, save_processor
from tests.engine.own_models.own import IMAGENET
from tests.engine.own_models.pictures import PICTURES, opaque

CNN = {"embedding_size": 8, "hidden_sizes": [8], "depths": [1], "layer_type": "basic"}
_NORM = dict(zip(("image_mean", "image_std"), IMAGENET, strict=True))

PROCESSORS: dict[str, tuple[str, dict[str, Any]]] = {
    "ViT": ("ViT", {}),
    "ViT, not square": ("ViT", {"size": {"height": 48, "width": 66}, "resample": 3}),
    "ViT, as large as published": ("ViT", {"do_rescale": True, "rescale_factor": 1 / 127.5}),
    "DeiT": ("DeiT", {}),
    "DeiT, odd crop": ("DeiT", {"size": {"height": 50, "width": 51}, "crop_size": 41}),
    "ConvNeXT below 384": ("ConvNext", {"size": {"shortest_edge": 224}}),
    "ConvNeXT below 384, odd": ("ConvNext", {"size": {"shortest_edge": 45}, "crop_pct": 0.9}),
    "ConvNeXT from 384": ("ConvNext", {"size": {"shortest_edge": 384}, **_NORM}),
    "EfficientNet": ("EfficientNet", {"size": {"height": 60, "width": 60}}),
    "EfficientNet, offset": (
        "EfficientNet",
        {"rescale_offset": True, "rescale_factor": 1 / 127.5, "include_top": False},
    ),
    "EfficientNet, top alone": ("EfficientNet", {"do_normalize": False, **_NORM}),
    "EfficientNet, crop": ("EfficientNet", {"do_center_crop": True}),
    "Bit (DINOv2)": ("Bit", {"size": {"shortest_edge": 256}, **_NORM}),
    "Bit, odd crop": ("Bit", {"size": {"shortest_edge": 60}, "crop_size": 53}),
    "Bit, crop larger than the picture": ("Bit", {"size": {"shortest_edge": 40}, "crop_size": 53}),
    "MobileNetV2": ("MobileNetV2", {}),
    "MobileNetV2, bilinear without normalising": ("MobileNetV2", {"do_normalize": False}),
}


def alike(found: torch.Tensor, wanted: torch.Tensor) -> bool:
    return found.shape == wanted.shape and torch.allclose(found, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", PROCESSORS)
def test_of_transformers(name: str, tmp_path: Path) -> None:
    kind, settings = PROCESSORS[name]
    save(tmp_path, "ResNet", **CNN)
    save_processor(tmp_path, kind, **settings)
    model = load_model(f"hf:{tmp_path}", device="cpu")
    assert model.card.notes == ()
    theirs = transformers.AutoImageProcessor.from_pretrained(tmp_path, backend="pil")
    for called, picture in PICTURES.items():
        asked = theirs(picture, do_convert_rgb=True, return_tensors="pt")
        assert alike(model.prepare(picture), asked["pixel_values"]), called


def test_where_a_folder_has_no_processor_the_assumption_is_told(tmp_path: Path) -> None:
    save(tmp_path, "ViT", hidden_size=24, num_hidden_layers=1, num_attention_heads=3, image_size=48)
    model = load_model(f"hf:{tmp_path}", device="cpu")
    assert model.spec.shape == (3, 48, 48)
    assert "assumed: 48 × 48 pictures with values in [−1, 1]" in model.card.notes[0]


def test_a_processor_that_swaps_the_colours_is_told(tmp_path: Path) -> None:
    save(tmp_path, "ResNet", **CNN)
    save_processor(tmp_path, "MobileViT", do_flip_channel_order=True)
    (note,) = load_model(f"hf:{tmp_path}", device="cpu").card.notes
    assert "transformers itself prepares pictures otherwise" in note


@pytest.mark.parametrize(
    "name",
    [
        "resnet18",
        "mobilenet_v3_small",
        "efficientnet_b0",
        "convnext_tiny",
        "inception_v3",
        "swin_t",
    ],
)
def test_of_torchvision(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = torchvision.models.get_model_weights(name).DEFAULT
    monkeypatch.setattr(type(weights), "get_state_dict", lambda *_, **__: {})
    monkeypatch.setattr(torch.nn.Module, "load_state_dict", lambda *_, **__: None)
    home = "engine.models.libraries.torchvision_models"
    monkeypatch.setattr(f"{home}.is_reachable", lambda *_, **__: True)
    model = load_model(f"torchvision:{name}", device="cpu")
    theirs = weights.transforms()
    for called, picture in PICTURES.items():
        assert alike(model.prepare(picture)[0], theirs(opaque(picture))), called


OVERLAYS: dict[str, dict[str, Any]] = {
    "test_vit": {},
    "test_resnet": {"crop_pct": 0.9, "interpolation": "bicubic"},
    "test_convnext": {"crop_mode": "squash", "crop_pct": 1.0},
    "test_efficientnet": {"crop_mode": "squash", "crop_pct": 0.87, "mean": (0.1, 0.2, 0.3)},
    "test_byobnet": {"input_size": (3, 97, 97), "crop_pct": 0.875, "interpolation": "bilinear"},
    "resnet18": {"input_size": (3, 288, 288), "crop_pct": 0.95},
}


def _timm(name: str, overlay: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A network of timm whose settings say something else; a reference itself cannot do that."""
    create = partial(timm.create_model, pretrained_cfg_overlay=overlay)
    monkeypatch.setattr(timm, "create_model", create)
    return load_model(f"timm:{name}?weights=none", device="cpu")


@pytest.mark.parametrize("name", OVERLAYS)
def test_of_timm(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = _timm(name, OVERLAYS[name], monkeypatch)
    config = timm.data.resolve_model_data_config(model.module)
    assert OVERLAYS[name].items() <= config.items()
    assert not any("prepares pictures otherwise" in note for note in model.card.notes)
    theirs = timm.data.create_transform(**config, is_training=False)
    for called, picture in PICTURES.items():
        assert alike(model.prepare(picture)[0], theirs(opaque(picture))), called


@pytest.mark.parametrize(
    "overlay", [{"crop_mode": "border"}, {"input_size": (3, 64, 96), "crop_pct": 0.9}]
)
def test_what_cannot_be_taken_over_from_timm_is_told(
    overlay: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = _timm("test_resnet", overlay, monkeypatch).card.notes
    assert any("timm itself prepares pictures otherwise" in note for note in notes)
