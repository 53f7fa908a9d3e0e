"""The card tells what was found out, how it is known, and what a user corrected."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from engine.inspection.inspecting import Inspection, inspect_model
from engine.models.corrections import Corrections
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.references import corrected
from engine.models.specs import ImageSpec
from tests.engine import zoo


def values(model: LoadedModel) -> dict[str, str]:
    return {entry.name: entry.value for entry in inspect_model(model).entries}


def known(model: LoadedModel) -> dict[str, str]:
    return {entry.name: entry.how for entry in inspect_model(model).entries}


def test_a_convolutional_network_in_hand() -> None:
    model = load_model(zoo.build("tiny-cnn"), input_spec=zoo.PICTURE, device="cpu")
    found = values(model)
    assert found["Kind"] == "convolutional network"
    assert found["Size"] == "16 × 16 pixels"
    assert found["Channels"] == "3 (red, green, blue)"
    assert found["Normalisation"] == "mean 0.5, 0.4, 0.3; std 0.2, 0.25, 0.3 (of values in [0, 1])"
    assert found["Classes"] == "3: class 0, class 1, class 2"
    assert found["Output"] == "tensor: 3 logits; softmax: one class is right"
    assert found["Convolutions"] == "2: conv1 … conv2"
    assert found["Layer for Grad-CAM"] == "relu2 (6 maps of 8 × 8)"
    assert found["Attention"] == "none"
    weights = sum(weight.numel() for weight in model.module.parameters())
    assert found["Weights"] == str(weights)
    assert found["Digest"] == model.digest[:16]


def test_a_transformer() -> None:
    found = values(zoo.load("tiny-vit"))
    assert found["Kind"] == "vision transformer"
    assert found["Attention"] == "1 layer, 2 heads, from every token to every token"
    assert found["Patches"] == "4 × 4"
    assert found["Other tokens"] == "class token"
    assert found["The head reads"] == "the class token"
    assert found["Layer for Grad-CAM"] == "none"


def test_each_assumption_is_marked_and_a_correction_takes_its_place() -> None:
    module = zoo.build("tiny-cnn")
    assumed = load_model(module, device="cpu")
    assert known(assumed)["Size"] == known(assumed)["Normalisation"] == "assumed"
    assert known(assumed)["Channels"] == "read off the first layer"
    half = load_model("tests.engine.zoo:TinyCnn?size=16&mean=0.5&std=0.2", device="cpu")
    assert known(half)["Size"] == known(half)["Normalisation"] == "corrected"
    assert known(half)["Fitting"] == "assumed"
    mended = load_model(
        module, input_spec=ImageSpec(16, 16), classes=["a", "b", "c"], target_layer="conv1",
        activation="sigmoid", device="cpu",
    )  # fmt: skip
    told = known(mended)
    assert told["Size"] == "told by the caller"
    assert told["Classes"] == told["Layer for Grad-CAM"] == told["Output"] == "corrected"
    assert values(mended)["Layer for Grad-CAM"].startswith("conv1 ")
    assert "each class has a probability of its own" in values(mended)["Output"]


def test_options_of_a_reference_are_corrections() -> None:
    own = Corrections({"mean": (0.1,) * 3, "std": (0.2,) * 3}, layer="conv1")
    model = load_model(corrected("tests.engine.zoo:TinyCnn?size=16", own), device="cpu")
    told = known(model)
    assert told["Size"] == told["Normalisation"] == told["Layer for Grad-CAM"] == "corrected"
    assert values(model)["Normalisation"] == "mean 0.1; std 0.2 (of values in [0, 1])"


class Ends(nn.Module):
    """Returns its probabilities in a dictionary, through a sigmoid of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.body = zoo.TinyCnn(classes=4)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"labels": self.body(x).sigmoid()}


def test_several_labels_in_a_dictionary_behind_a_sigmoid() -> None:
    module = zoo.seeded(Ends)
    model = load_model(module, input_spec=zoo.PICTURE, device="cpu")
    told = values(model)["Output"]
    assert told.startswith("dict, entry “labels”: 4 logits, before its own sigmoid; sigmoid")
    x = zoo.noise(model)
    assert torch.equal(model.forward(x), module.body(x))


@pytest.mark.parametrize("name", ["mlp", "table", "forest"])
def test_models_for_tables_have_no_layers_to_tell(name: str) -> None:
    found = values(zoo.load(name))
    assert found["Kind"] == "model for tables"
    assert not {"Layer for Grad-CAM", "Attention", "Convolutions"} & set(found)


@pytest.mark.parametrize("name", zoo.ZOO)
def test_every_method_works_or_says_in_one_line_why_not(name: str) -> None:
    model = zoo.load(name)
    found = inspect_model(model)
    works = {method.name for method in found.methods if not method.reason}
    assert works
    assert all(len(method.reason.splitlines()) <= 1 for method in found.methods)
    assert ("grad-cam" in works) == (name.endswith("cnn"))


def test_it_is_plain_data() -> None:
    found: Inspection = inspect_model(zoo.load("tiny-cnn"))
    told = json.loads(json.dumps(found.as_dict()))
    assert told["entries"][0] == {
        "name": "Kind", "value": "convolutional network", "how": "seen in one pass", "option": ""
    }  # fmt: skip


def test_a_network_without_convolutions_is_not_called_a_convolutional_one() -> None:
    found = values(zoo.load("image-linear"))
    assert found["Kind"] == "network for pictures, without convolutions"
    assert {e.name: e.how for e in inspect_model(zoo.load("image-linear")).entries}[
        "Layer for Grad-CAM"
    ] == "it makes no maps"
