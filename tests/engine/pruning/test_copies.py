"""Gated and sliced copies: of the networks at hand and of the libraries', and what is told."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torchvision
import transformers
from torch import nn

from engine.attention.sites import attention_sites
from engine.errors import MethodError, ParameterError
from engine.models.digest import digest_model
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.pruning.cutting.gating import gated_copy
from engine.pruning.cutting.making import described, pruned_of
from engine.pruning.cutting.slicing import rounded, sliced_copy
from engine.pruning.finding.groups import find_groups
from tests.engine.pruning.nets import Drawn, Plain, loaded, stirred
from tests.engine.pruning.oracles import apart, hooked, samples, some
from tests.engine.refusals import expect_refusal

BUNDLED = (
    "scenes-resnet", "scenes-vgg", "scenes-vit", "digits-cnn", "digits-vit", "imagenet-cnn",
    "cancer-mlp",
)  # fmt: skip


def hub_vit() -> nn.Module:
    return transformers.ViTForImageClassification(
        transformers.ViTConfig(
            hidden_size=24, num_hidden_layers=2, num_attention_heads=4, intermediate_size=40,
            image_size=32, patch_size=8, num_labels=5,
        )
    )  # fmt: skip


def hub_resnet() -> nn.Module:
    return transformers.ResNetForImageClassification(
        transformers.ResNetConfig(
            embedding_size=8, hidden_sizes=[16, 32], depths=[2, 1], num_labels=5
        )
    )


def hub_swin() -> nn.Module:
    return transformers.SwinForImageClassification(
        transformers.SwinConfig(
            image_size=32, patch_size=2, embed_dim=16, depths=[2, 2], num_heads=[2, 4],
            window_size=4, num_labels=5,
        )
    )  # fmt: skip


def small_vit() -> nn.Module:
    return torchvision.models.VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=4, hidden_dim=24, mlp_dim=40,
        num_classes=5,
    )  # fmt: skip


LIBRARIES: dict[str, Callable[[], nn.Module]] = {
    "hub vit": hub_vit,
    "hub resnet": hub_resnet,
    "hub swin": hub_swin,
    "torchvision vit": small_vit,
    "resnet18": torchvision.models.resnet18,
    "mobilenet_v2": torchvision.models.mobilenet_v2,
    "squeezenet1_1": torchvision.models.squeezenet1_1,
    "convnext": lambda: torchvision.models.convnext.ConvNeXt(
        [torchvision.models.convnext.CNBlockConfig(16, 24, 1),
         torchvision.models.convnext.CNBlockConfig(24, None, 1)], num_classes=5,
    ),
    "densenet": lambda: torchvision.models.DenseNet(8, (2, 2), 16, num_classes=5),
}  # fmt: skip


def of_library(name: str) -> LoadedModel:
    module = stirred(LIBRARIES[name]())
    return load_model(module, input_spec=(3, 32, 32), device="cpu")


@pytest.mark.parametrize("name", BUNDLED)
def test_networks_at_hand(name: str) -> None:
    model = load_model(name, device="cpu")
    digest = digest_model(model.module)
    groups = find_groups(model)
    kept = some(groups, seed=1)
    x = samples(model)
    gated, small = gated_copy(model, kept), sliced_copy(model, kept, round_to=1)
    with torch.no_grad():
        expected = hooked(model, groups, kept)
        assert apart(gated.forward(x), expected) < 1e-5
        assert apart(small.forward(x), expected) < 1e-5
        assert apart(model.forward(x), expected) > 1e-3, "something was removed"
    assert gated.parameter_count == model.parameter_count > small.parameter_count
    assert digest_model(model.module) == digest, "the network itself is left as it is"


@pytest.mark.parametrize("name", LIBRARIES)
def test_networks_of_libraries(name: str) -> None:
    model = of_library(name)
    groups = find_groups(model)
    kinds = {group.kind for group in groups.groups}
    assert kinds == {
        "hub vit": {"heads", "hidden"}, "hub swin": {"heads", "hidden"},
        "torchvision vit": {"heads", "hidden"}, "convnext": {"hidden"},
    }.get(name, {"channels"})  # fmt: skip
    for seed in (0, 1):
        kept = some(groups, seed)
        small = sliced_copy(model, kept, round_to=1)
        with torch.no_grad():
            difference = apart(
                gated_copy(model, kept).forward(samples(model)), small.forward(samples(model))
            )
        assert difference < 1e-5
        assert small.parameter_count < model.parameter_count


@pytest.mark.parametrize("name", ["hub vit", "hub swin", "torchvision vit"])
def test_all_heads_but_one_of_one_layer(name: str) -> None:
    model = of_library(name)
    groups = find_groups(model)
    first, second = [group for group in groups.groups if group.kind == "heads"][:2]
    only = np.arange(first.size) == first.size - 1
    small = sliced_copy(model, {first.name: only})
    found = [site.heads for site in attention_sites(small).sites]
    before = [site.heads for site in attention_sites(model).sites]
    assert found == [1, *before[1:]], "settings of other layers are left alone"
    again = find_groups(small)
    assert again[second.name].size == second.size
    assert "single head" in again.refused[first.producers[0].layer]
    if name != "torchvision vit":
        assert small.module.config.to_dict() == model.module.config.to_dict()


def test_a_copy_computed_by_hand() -> None:
    """Two hidden units: y = relu(2x₁) · 3 + relu(−x₁) · 5; without the second 6 relu(x₁)."""
    hidden, head = nn.Linear(1, 2, bias=False), nn.Linear(2, 1, bias=False)
    hidden.weight.data = torch.tensor([[2.0], [-1.0]])
    head.weight.data = torch.tensor([[3.0, 5.0]])
    model = load_model(nn.Sequential(hidden, nn.ReLU(), head), input_spec=(1,))
    small = sliced_copy(model, {"0": np.array([True, False])})
    assert small.module[0].weight.tolist() == [[2.0]]
    assert small.module[2].weight.tolist() == [[3.0]]
    assert (small.module[0].out_features, small.module[2].in_features) == (1, 1)
    assert gated_copy(model, {"0": np.array([True, False])}).module[2].weight.tolist() == [[3, 0]]


def test_a_sliced_copy_is_a_model_in_use() -> None:
    model = load_model("scenes-resnet", device="cpu")
    groups = find_groups(model)
    small = sliced_copy(model, some(groups), round_to=1)
    share = 1 - sum(stays.sum() for stays in pruned_of(small).kept.values()) / groups.units
    assert small.card.title == f"Scenes ResNet, pruned ({100 * share:.0f} %)"
    assert small.digest != model.digest
    assert small.ref.startswith("pruned:scenes-resnet@")
    assert (small.classes, small.spec, small.activation) == (
        model.classes, model.spec, model.activation,
    )  # fmt: skip
    assert [layer.name for layer in small.layers] == [layer.name for layer in model.layers]
    assert small.target_layer.name == model.target_layer.name
    assert small.target_layer.shape[0] < model.target_layer.shape[0]
    described(small, criterion="random", ratio=0.5)
    assert pruned_of(small).made == {"criterion": "random", "ratio": 0.5}
    assert pruned_of(model) is None


def test_a_pruned_network_is_pruned_further() -> None:
    model = load_model("digits-vit", device="cpu")
    first = some(find_groups(model), 0, share=0.3)
    once = sliced_copy(model, first, round_to=1)
    second = some(find_groups(once), 1, share=0.3)
    twice = sliced_copy(once, second, round_to=1)
    at_once = sliced_copy(model, pruned_of(twice).kept, round_to=1)
    assert twice.digest == at_once.digest
    assert pruned_of(twice).heads == pruned_of(at_once).heads


def test_the_lock_of_a_model_is_waited_for() -> None:
    model = load_model("digits-cnn", device="cpu")
    kept = some(find_groups(model))
    done = threading.Event()

    def work() -> None:
        sliced_copy(model, kept)
        done.set()

    thread = threading.Thread(target=work)
    with model.lock:
        thread.start()
        assert not done.wait(0.3)
    assert done.wait(20)
    thread.join()


def test_rounding_keeps_the_best_of_what_went() -> None:
    groups = find_groups(load_model("digits-cnn"))
    kept = {group.name: np.arange(group.size) < 5 for group in groups.groups}
    scores = {group.name: np.arange(group.size, dtype=float) for group in groups.groups}
    found = rounded(groups, kept, scores, 16)
    assert {name: int(stays.sum()) for name, stays in found.items()} == {
        "conv1": 5, "conv2": 16, "conv3": 16,
    }  # fmt: skip
    assert np.flatnonzero(found["conv3"]).tolist() == [*range(5), *range(37, 48)]
    eight = rounded(groups, kept, None, 8)
    assert all(np.flatnonzero(stays).tolist() == list(range(8)) for stays in eight.values())
    assert all(
        np.array_equal(stays, kept[name]) for name, stays in rounded(groups, kept, None, 1).items()
    )
    heads = find_groups(load_model("scenes-vit"))
    one = {group.name: np.arange(group.size) < 1 for group in heads.groups}
    assert rounded(heads, one, None, 16)["blocks.0"].sum() == 1, "heads are left alone"
    with expect_refusal(ParameterError, "round_to=0"):
        rounded(groups, kept, None, 0)


def test_what_cannot_be_asked_for_is_told() -> None:
    model = load_model("digits-cnn")
    with expect_refusal(MethodError, "A ratio that would empty a layer", "conv2"):
        gated_copy(model, {"conv2": np.zeros(32, dtype=bool)})
    with expect_refusal(MethodError, "conv2 has 32 units, 31 are told"):
        gated_copy(model, {"conv2": np.ones(31, dtype=bool)})
    with expect_refusal(MethodError, "nothing can be removed from head", "output"):
        sliced_copy(model, {"head": np.ones(10, dtype=bool)})
    with expect_refusal(MethodError, "conv9", "conv1"):
        sliced_copy(model, {"conv9": np.ones(10, dtype=bool)})


class Counting(nn.Module):
    """Looks sound until more than a few units are gone: then it takes other channels."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.last, self.head = Plain(3, 10), Plain(10), nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.body(x)
        x = x if x.shape[1] > 6 else x.flip(1)
        return self.head(self.last(x).mean(dim=(2, 3)))


def test_copies_that_do_not_agree_are_refused_with_the_layer() -> None:
    model = loaded(Counting())
    kept = {"body.conv": np.arange(10) < 4}
    assert sliced_copy(model, {"body.conv": np.arange(10) < 8}, round_to=1)
    with expect_refusal(MethodError, "body.conv cannot be cut", "otherwise"):
        sliced_copy(model, kept, round_to=1)
    assert sliced_copy(model, kept, round_to=1, check=False), "unless nobody asks"


def test_nothing_removed_is_the_same_network() -> None:
    model = loaded(Drawn([]))
    x = samples(model)
    with torch.no_grad():
        assert torch.equal(sliced_copy(model, {}).forward(x), model.forward(x))
