"""Weights in a file for an architecture by reference: they fit, are fitted, or are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from engine.errors import ModelError, WeightsError
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.uploads import load_uploaded
from tests.engine import zoo
from tests.engine.own_models import nets
from tests.engine.own_models.from_hub import VIT, save
from tests.engine.own_models.in_hand import lively
from tests.engine.refusals import expect_refusal

LARGE = (3, 64, 64)


def saved(module: nn.Module, folder: Path, name: str = "mine.safetensors") -> Path:
    path = folder / name
    if path.suffix == ".safetensors":
        save_file({k: v.contiguous() for k, v in module.state_dict().items()}, path)
    else:
        torch.save(module.state_dict(), path)
    return path


def load(path: Path, arch: str, options: str = "") -> LoadedModel:
    return load_model(f"file:{path}?arch={arch}{options}", device="cpu")


def answers(model: LoadedModel, module: nn.Module, side: int = 64) -> bool:
    x = torch.randn((2, 3, side, side), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        returned = module.eval()(x)
    wanted = getattr(returned, "logits", returned)
    return torch.allclose(model.forward(x), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("ending", ["safetensors", "pth", "pt", "bin"])
def test_another_number_of_classes_is_fitted_in_timm(tmp_path: Path, ending: str) -> None:
    module = lively(lambda: timm.create_model("test_resnet", num_classes=7), LARGE)
    model = load(saved(module, tmp_path, f"mine.{ending}"), "timm:test_resnet", "&size=64")
    assert model.classes == tuple(f"class {index}" for index in range(7))
    assert model.card.title == f"mine.{ending}"
    assert answers(model, module)


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "mobilenet_v3_small", "squeezenet1_1"])
def test_another_number_of_classes_is_fitted_in_torchvision(tmp_path: Path, name: str) -> None:
    module = lively(lambda: torchvision.models.get_model(name, num_classes=7), LARGE)
    model = load(saved(module, tmp_path), f"torchvision:{name}", "&size=64")
    assert len(model.classes) == 7
    assert answers(model, module)


def test_another_number_of_classes_is_fitted_in_transformers(tmp_path: Path) -> None:
    save(tmp_path / "published", "ViT", **VIT)
    seven = save(tmp_path / "mine", "ViT", **VIT)
    seven.classifier = nn.Linear(24, 7)
    model = load(saved(seven, tmp_path), f"hf:{tmp_path / 'published'}")
    assert len(model.classes) == 7
    assert answers(model, seven, 32)


def test_with_as_many_classes_as_published_the_rest_is_the_same(tmp_path: Path) -> None:
    module = lively(lambda: timm.create_model("test_resnet"), LARGE)
    model = load(saved(module, tmp_path), "timm:test_resnet", "&size=64")
    assert len(model.classes) == 1000
    assert answers(model, module)


def test_options_of_the_architecture_go_to_its_builder(tmp_path: Path) -> None:
    module = lively(lambda: timm.create_model("test_vit", img_size=64, num_classes=3), LARGE)
    for arch, options in (
        ("timm:test_vit", "&img_size=64"),
        ("timm:test_vit", "&img_size=64&num_classes=3"),
    ):
        model = load(saved(module, tmp_path), arch, options)
        assert model.spec.shape == LARGE
        assert answers(model, module)


def test_a_class_of_a_module_with_arguments(tmp_path: Path) -> None:
    module = lively(lambda: nets.Cnn(side=48), (3, 48, 48))
    model = load(saved(module, tmp_path), f"{nets.__name__}:Cnn", "&side=48")
    assert model.spec.shape == (3, 48, 48)
    assert answers(model, module, 48)


def test_weights_of_another_network_are_refused_by_name(tmp_path: Path) -> None:
    path = saved(lively(lambda: timm.create_model("test_vit"), (3, 160, 160)), tmp_path)
    with expect_refusal(WeightsError, "mine.safetensors does not fit", "it lacks 'conv1.0.weight'"):
        load(path, "timm:test_resnet")


def test_weights_of_another_width_are_refused_by_name(tmp_path: Path) -> None:
    wide = lively(lambda: torchvision.models.resnet18(width_per_group=64), LARGE)
    tensors = dict(wide.state_dict()) | {"layer1.0.conv1.weight": torch.zeros(32, 64, 3, 3)}
    save_file(tensors, tmp_path / "mine.safetensors")
    with expect_refusal(
        WeightsError, "'layer1.0.conv1.weight' has shape (32, 64, 3, 3), expected (64, 64, 3, 3)"
    ):
        load(tmp_path / "mine.safetensors", "torchvision:resnet18")


def test_a_bundled_network_keeps_its_classes(tmp_path: Path) -> None:
    bundled = load_model("digits-cnn", device="cpu")
    tensors = {name: tensor.clone() for name, tensor in bundled.module.state_dict().items()}
    last = list(tensors)[-2:]
    tensors |= {name: tensors[name][:7].clone() for name in last}
    save_file(tensors, tmp_path / "seven.safetensors")
    with expect_refusal(
        WeightsError, "the weights are for 7 classes, digits-cnn has 10; name an architecture"
    ):
        load(tmp_path / "seven.safetensors", "digits-cnn")


@pytest.mark.parametrize(
    ("arch", "told"),
    [
        ("timm:resnet81", "no model 'resnet81' in timm; did you mean resnet"),
        ("torchvision:resnet81", "no model 'resnet81' in torchvision; did you mean resnet"),
        ("hf:./nowhere", "hf:./nowhere: no such folder"),
        ("zip:x.zip", "references of kind 'zip' are unknown"),
        ("file:x.pth", "neither a bundled model nor a reference"),
        ("timm:", "names nothing after the colon"),
    ],
)
def test_an_architecture_that_is_none(tmp_path: Path, arch: str, told: str) -> None:
    path = saved(nn.Linear(2, 2), tmp_path)
    with expect_refusal(ModelError, told):
        load(path, arch)


def test_what_a_module_prints_and_raises_is_told_in_one_line(tmp_path: Path) -> None:
    path = saved(nn.Linear(2, 2), tmp_path)
    with expect_refusal(ModelError, f"{nets.__name__}:Cnn failed: TypeError"):
        load(path, f"{nets.__name__}:Cnn", "&no_such=3")
    with expect_refusal(ModelError, f"{nets.__name__}:Answer failed: TypeError"):
        load(path, f"{nets.__name__}:Answer")


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_an_upload_is_the_same_as_the_file(tmp_path: Path, ending: str) -> None:
    module = lively(lambda: timm.create_model("test_resnet", num_classes=3), LARGE)
    path = saved(module, tmp_path, f"mine.{ending}")
    arch = "timm:test_resnet?size=64&classes=a,b,c&layer=layer2&mean=0.5"
    filed = load(path, "timm:test_resnet", "&size=64&classes=a,b,c&layer=layer2&mean=0.5")
    sent = load_uploaded(path.read_bytes(), path.name, arch, device="cpu")
    assert sent.ref.startswith(f"upload:mine.{ending}@")
    assert sent.digest == filed.digest
    assert sent.target_layer == filed.target_layer
    for name in ("family", "classes", "spec", "activation", "card", "told_by"):
        assert getattr(sent, name) == getattr(filed, name), name
    x = zoo.noise(filed)
    assert torch.equal(sent.forward(x), filed.forward(x))


def test_an_upload_of_another_session_cannot_be_loaded_again(tmp_path: Path) -> None:
    path = saved(lively(nets.Cnn), tmp_path)
    sent = load_uploaded(path.read_bytes(), path.name, f"{nets.__name__}:Cnn", device="cpu")
    with expect_refusal(ModelError, "mine.safetensors was uploaded in another session"):
        load_model(sent.ref)
