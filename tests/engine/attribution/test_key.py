"""The key changes with all that decides the numbers, and with nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.attribution import request as home
from engine.attribution.explain import plan
from engine.inputs.images import ImageInput
from engine.models.loading import load_model
from engine.models.specs import ImageSpec
from tests.engine import zoo

CLASSES = ("cat", "dog", "cup")


def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def key(
    module: nn.Module | None = None,
    image: Any = None,
    spec: Any = zoo.PICTURE,
    classes: tuple[str, ...] = CLASSES,
    method: str = "integrated-gradients",
    target: Any = 0,
    **more: Any,
) -> str:
    model = load_model(module or zoo.build("tiny-cnn"), input_spec=spec, classes=classes)
    image = ImageInput(pixels(), "cat.png") if image is None else image
    return plan(model, image, method, target, **more).key


def test_same_request_same_key() -> None:
    assert key() == key()
    assert key() == key(target="cat") == key(target="0")
    assert key() == key(steps=50, baseline="blur", seed=0, output="logit")


def test_names_do_not_matter() -> None:
    assert key(image=ImageInput(pixels(), "other.png", notes=("turned",))) == key()
    assert key(image=pixels()) == key()
    model = load_model(zoo.build("tiny-cnn"), input_spec=zoo.PICTURE, classes=CLASSES)
    model.ref = "file:elsewhere.safetensors"
    assert plan(model, pixels(), "integrated-gradients", 0).key == key()


def module_with(change: str) -> nn.Module:
    module = zoo.build("tiny-cnn")
    if change == "weight":
        module.conv1.weight.data[0, 0, 0, 0] += 1e-3
    elif change == "statistics":
        module.bn1.running_var[0] += 1e-3
    elif change == "stride":
        module.conv2.stride = (1, 1)
    elif change == "eps":
        module.bn2.eps = 1e-4
    return module


def image_with(change: str) -> ImageInput:
    changed = pixels()
    if change == "pixel":
        changed[19, 29, 2] ^= 1
        return ImageInput(changed, "cat.png")
    if change == "size":
        return ImageInput(changed[:, :-1], "cat.png")
    return ImageInput(changed, "cat.png", "letterbox")


CHANGED: dict[str, dict[str, Any]] = {
    **{c: {"module": module_with(c)} for c in ("weight", "statistics", "stride", "eps")},
    **{c: {"image": image_with(c)} for c in ("pixel", "size", "fit")},
    "class names": {"classes": ("cat", "dog", "mug")},
    "order of classes": {"classes": ("dog", "cat", "cup"), "target": "dog"},
    "mean": {"spec": ImageSpec(16, 16, mean=(0.5, 0.4, 0.2), std=zoo.PICTURE.std)},
    "resize": {"spec": ImageSpec(16, 16, mean=zoo.PICTURE.mean, std=zoo.PICTURE.std, resize=18)},
    "interpolation": {
        "spec": ImageSpec(
            16, 16, mean=zoo.PICTURE.mean, std=zoo.PICTURE.std, interpolation="bicubic"
        )
    },
    "side": {"spec": ImageSpec(24, 24, mean=zoo.PICTURE.mean, std=zoo.PICTURE.std)},
    "method": {"method": "gradient"},
    "another method": {"method": "grad-cam"},
    "layer": {"method": "grad-cam", "layer": "conv1"},
    "steps": {"steps": 51},
    "baseline": {"baseline": "black"},
    "target": {"target": 1},
    "versus": {"versus": 1},
    "another versus": {"versus": 2},
    "output": {"output": "probability"},
    "seed": {"seed": 1},
}


@pytest.mark.parametrize("change", CHANGED)
def test_what_decides_changes_the_key(change: str) -> None:
    assert key(**CHANGED[change]) != key()


def test_all_changes_differ_from_each_other() -> None:
    assert len({key(**changes) for changes in CHANGED.values()}) == len(CHANGED)


def test_tensors() -> None:
    x = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert key(image=x) == key(image=x.clone())
    other = x.clone()
    other[0, 0, 0, 0] += 1e-6
    assert key(image=other) != key(image=x)
    prepared = load_model(zoo.build("tiny-cnn"), input_spec=zoo.PICTURE).prepare(pixels())
    assert key(image=prepared) != key()


def test_the_same_tensor_handed_over_in_other_ways() -> None:
    x = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    scattered = x.transpose(2, 3).contiguous().transpose(2, 3)
    assert key(image=scattered) == key(image=x)
    assert key(image=x.clone().requires_grad_()) == key(image=x)


def test_tensors_of_every_type_of_number() -> None:
    x = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    kinds = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int32)
    assert len({key(image=x.to(kind)) for kind in kinds}) >= 3


def test_versions_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key()
    monkeypatch.setattr(home, "versions", lambda: {"engine": "9.9.9"})
    assert key() != before


def test_a_changed_weight_changes_the_next_key() -> None:
    model = load_model(zoo.build("tiny-cnn"), input_spec=zoo.PICTURE)
    x = zoo.noise(model)
    before = plan(model, x, "gradient", 0)
    with torch.no_grad():
        model.module.linear.weight.mul_(2)
    after = plan(model, x, "gradient", 0)
    assert after.key != before.key
    assert np.allclose(after.run().values, 2 * before.run().values / 2, atol=1e-6)
