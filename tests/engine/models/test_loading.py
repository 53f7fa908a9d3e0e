from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from engine.attribution.explain import explain
from engine.errors import DeviceError, HaloscopeError, MethodError, ModelError, WeightsError
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import ImageSpec, TensorSpec
from tests.engine import zoo
from tests.engine.counting import hooks_on
from tests.engine.refusals import expect_refusal

BUILDER = "tests.engine.zoo:Mlp"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "mlp.safetensors"
    save_file(zoo.build("mlp").state_dict(), path)
    return path


def test_file_with_a_builder(weights: Path) -> None:
    model = load_model(f"file:{weights}?arch={BUILDER}", device="cpu")
    x = zoo.noise(model)
    assert torch.equal(model.forward(x), zoo.build("mlp")(x))
    assert model.family == "tabular"
    assert model.spec == TensorSpec((5,))
    assert model.classes == ("class 0", "class 1", "class 2")
    assert model.card.title == "mlp.safetensors"
    assert BUILDER in model.card.summary
    assert model.card.notes == ("input size read off the first linear layer",)
    assert not any(p.requires_grad for p in model.module.parameters())
    assert not any(part.training for part in model.module.modules())


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_pth_of_a_training_run(tmp_path: Path, nested: bool, prefix: str) -> None:
    tensors: dict[str, Any] = {prefix + k: v for k, v in zoo.build("mlp").state_dict().items()}
    torch.save({"epoch": 1, "state_dict": tensors} if nested else tensors, tmp_path / "run.pth")
    model = load_model(f"file:{tmp_path / 'run.pth'}?arch={BUILDER}", device="cpu")
    x = zoo.noise(model)
    assert torch.equal(model.forward(x), zoo.build("mlp")(x))


def test_file_for_a_bundled_architecture(tmp_path: Path, imagenet_cnn: LoadedModel) -> None:
    tensors = {k: v.clone() for k, v in imagenet_cnn.module.state_dict().items()}
    tensors["classifier.2.bias"][7] += 100
    save_file(tensors, tmp_path / "mine.safetensors")
    model = load_model(f"file:{tmp_path / 'mine.safetensors'}?arch=imagenet-cnn", device="cpu")
    assert int(model.forward(zoo.noise(model)).argmax()) == 7
    assert (model.spec, model.classes) == (imagenet_cnn.spec, imagenet_cnn.classes)
    assert model.digest != imagenet_cnn.digest


def test_weights_that_do_not_fit(weights: Path) -> None:
    with expect_refusal(
        WeightsError, "mlp.safetensors does not fit TinyCnn", "lacks 'conv1.weight'"
    ):
        load_model(f"file:{weights}?arch=tests.engine.zoo:TinyCnn")
    with expect_refusal(WeightsError, "gone.pth: no such file"):
        load_model(f"file:gone.pth?arch={BUILDER}")


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        ("imagenet-cn", "did you mean imagenet-cnn"),
        ("", "no model ''"),
        ("zip:weights.zip", "references of kind 'zip' are unknown"),
        ("module:mynet:build", "write 'mynet:build'"),
        ("file:w.pth", "does not say which architecture"),
    ],
)
def test_references_that_lead_nowhere(ref: str, told: str) -> None:
    with expect_refusal(ModelError, told):
        load_model(ref)


@pytest.mark.parametrize(
    ("arch", "told"),
    [
        ("imagenet-cn", "did you mean imagenet-cnn"),
        ("no_such_module:build", "no module 'no_such_module'"),
    ],
)
def test_architectures_that_lead_nowhere(tmp_path: Path, arch: str, told: str) -> None:
    torch.save({"w": torch.zeros(1)}, tmp_path / "w.pth")
    with expect_refusal(ModelError, told):
        load_model(f"file:{tmp_path / 'w.pth'}?arch={arch}")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"input_spec": 5}, "input_spec is an ImageSpec, a dict of its fields or a shape, not 5"),
        ({"input_spec": {"height": -1}}, "must be at least 1"),
        ({"classes": 5}, "classes is a list of names, not int"),
        ({"classes": "cat"}, "classes is a list of names, not str"),
    ],
)
def test_options_of_the_wrong_kind(options: dict[str, Any], told: str) -> None:
    with expect_refusal(ModelError, told):
        load_model(zoo.TinyCnn(), **options)


def test_a_device_in_hand() -> None:
    assert load_model(zoo.TinyCnn(), device=torch.device("cpu")).device.type == "cpu"


@pytest.mark.parametrize("ref", [None, 5, b"imagenet-cnn", nn.Linear])
def test_what_is_no_reference_at_all(ref: Any) -> None:
    with expect_refusal(ModelError):
        load_model(ref)


def test_a_loaded_model_stays_as_it_is() -> None:
    model = zoo.load("mlp")
    assert load_model(model) is model


def modes(module: nn.Module) -> list[bool]:
    return [part.training for part in module.modules()]


def test_a_network_in_hand_stays_as_it_is() -> None:
    module = zoo.build("tiny-cnn")
    module.bn1.train()
    module.drop.train()
    before = modes(module), {k: v.clone() for k, v in module.state_dict().items()}
    model = load_model(module, input_spec=zoo.PICTURE)
    assert model.module is module
    assert modes(module) == before[0]
    assert all(torch.equal(v, before[1][k]) for k, v in module.state_dict().items())
    assert all(p.requires_grad for p in module.parameters())
    assert hooks_on(module) == 0
    assert model.device == torch.device("cpu")
    assert model.card.notes == ()
    assert model.ref == f"module:TinyCnn@{model.digest[:12]}"


def test_its_mode_is_put_back_even_if_it_cannot_be_loaded() -> None:
    module = zoo.build("tiny-cnn").train()
    with expect_refusal(ModelError, "one forward pass of shape (1, 5) failed"):
        load_model(module, input_spec=(5,))
    assert all(modes(module))
    assert hooks_on(module) == 0


def test_its_input_is_guessed_and_the_guess_is_told() -> None:
    model = load_model(zoo.build("tiny-cnn"))
    assert model.spec == ImageSpec(224, 224)
    assert model.card.notes == ("assumed: 224 × 224 pictures, mean and std as ImageNet's",)


def test_sides_are_tried_until_one_fits() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 5), nn.Flatten(), nn.Linear(2 * 24 * 24, 10))
    model = load_model(module)
    assert model.spec.shape == (1, 28, 28)
    assert "28 × 28 pictures, grey" in model.card.notes[0]


@pytest.mark.parametrize(
    ("module", "told"),
    [
        (nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(1234, 2)), "failed"),
        (nn.Sequential(nn.Flatten(), nn.ReLU()), "no layer that tells its channels"),
    ],
)
def test_an_input_that_cannot_be_guessed(module: nn.Module, told: str) -> None:
    with expect_refusal(ModelError, told):
        load_model(module)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (zoo.PICTURE, zoo.PICTURE),
        ({"height": 20, "width": 12}, ImageSpec(20, 12)),
        ((3, 16, 16), TensorSpec((3, 16, 16))),
    ],
)
def test_spec_of_every_kind(spec: Any, expected: Any) -> None:
    model = load_model(zoo.build("tiny-cnn"), input_spec=spec)
    assert model.spec == expected
    assert model.family == "cnn"


def test_class_names() -> None:
    model = load_model(zoo.build("mlp"), classes=["a", "b", "c"])
    assert model.classes == ("a", "b", "c")
    with expect_refusal(ModelError, "2 class names given, but the model has 3 outputs"):
        load_model(zoo.build("mlp"), classes=["a", "b"])
    with expect_refusal(ModelError, "0 class names given, but the model has 3 outputs"):
        load_model(zoo.build("mlp"), classes=[])


def test_activation() -> None:
    assert zoo.load("one-logit-cnn").activation == "sigmoid"
    assert zoo.load("tiny-cnn").activation == "softmax"


def test_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with expect_refusal(DeviceError, "has no cuda"):
        load_model(zoo.build("mlp"), device="cuda")
    with expect_refusal(DeviceError, "no device 'gpu'"):
        load_model(zoo.build("mlp"), device="gpu")


def test_loading_without_gradients() -> None:
    expected = zoo.load("tiny-cnn").layers
    with torch.no_grad():
        assert zoo.load("tiny-cnn").layers == expected


@pytest.mark.parametrize("how", ["traced", "scripted"])
def test_a_network_in_torchscript_is_used_without_its_layers(how: str) -> None:
    module = zoo.build("tiny-cnn")
    x = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is on its way out, and says so
        other = torch.jit.trace(module, x) if how == "traced" else torch.jit.script(module)
        model = load_model(other, input_spec=zoo.PICTURE, device="cpu")
        assert (model.family, model.target_layer) == ("cnn", None)
        found = explain(model, x, "gradient", 1).values
        with expect_refusal(MethodError, "Grad-CAM needs a layer with maps"):
            explain(model, x, "grad-cam", 1)
    plain = load_model(module, input_spec=zoo.PICTURE, device="cpu")
    assert np.allclose(found, explain(plain, x, "gradient", 1).values, rtol=0, atol=1e-6)


def test_a_compiled_network_is_used_as_it_was_before() -> None:
    module = zoo.build("tiny-cnn")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what torch.compile imports warns of itself
        compiled = torch.compile(module)
    model = load_model(compiled, input_spec=zoo.PICTURE, device="cpu")
    assert model.module is module
    assert "before torch.compile" in model.card.notes[0]


@pytest.mark.parametrize(
    ("module", "told"),
    [
        (nn.Sequential(nn.LazyLinear(3)), "'0.weight' has no shape yet: ask the network once"),
        (nn.Linear(3, 2, device="meta"), "'weight' is on the meta device and has no values"),
    ],
)
def test_weights_that_are_not_there_yet(module: nn.Module, told: str) -> None:
    with expect_refusal(ModelError, told):
        load_model(module)


def test_corrections_by_keyword_stand_in_the_reference() -> None:
    model = load_model("digits-cnn", activation="sigmoid", target_layer="conv2", device="cpu")
    again = load_model(model.ref, device="cpu")
    assert "activation=sigmoid" in model.ref
    assert (again.activation, again.target_layer) == ("sigmoid", model.target_layer)


class FrozenTrunk(nn.Module):
    """A trunk in no_grad, a head that learns: no gradient reaches the input."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Conv2d(3, 4, 3)
        self.last = nn.Conv2d(4, 4, 3)
        self.head = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            found = self.trunk(x)
        return self.head(self.last(found).mean(dim=(2, 3)))


@pytest.mark.parametrize("method", ["gradient", "integrated-gradients", "smoothgrad", "lrp"])
def test_a_trunk_in_no_grad_is_told_where_gradients_are_asked_for(method: str) -> None:
    model = load_model(zoo.seeded(FrozenTrunk), input_spec=zoo.PICTURE, device="cpu")
    with pytest.raises(HaloscopeError) as caught:
        explain(model, zoo.noise(model), method, 1)
    assert len(str(caught.value).splitlines()) == 1
    assert all(weight.requires_grad for weight in model.module.parameters())


def test_a_layer_behind_a_trunk_in_no_grad_has_its_map() -> None:
    model = load_model(zoo.seeded(FrozenTrunk), input_spec=zoo.PICTURE, device="cpu")
    x = zoo.noise(model)
    found = explain(model, x, "grad-cam", 1).values
    maps = model.module.last(model.module.trunk(x)).detach()  # (1, 4, rows, columns)
    weights = model.module.head.weight[1] / maps[0, 0].numel()
    expected = torch.einsum("c,chw->hw", weights, maps[0]).detach().numpy()
    assert np.allclose(found, expected, rtol=0, atol=1e-6)


class SpoilsItsGraph(nn.Module):
    """Changes in place what the way back would need."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = torch.sigmoid(self.conv(x))
        return found.add_(1).mean(dim=(2, 3))


def test_a_way_back_that_torch_cannot_go_is_told() -> None:
    model = load_model(zoo.seeded(SpoilsItsGraph), input_spec=zoo.PICTURE, device="cpu")
    with expect_refusal(MethodError, "Gradient fails on SpoilsItsGraph", "inplace operation"):
        explain(model, zoo.noise(model), "gradient", 1)
