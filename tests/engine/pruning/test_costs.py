"""Costs by formula against torch's own counter, hand counts, and networks built smaller."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from engine.errors import Cancelled, InputError, ModelError
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import ImageSpec, TensorSpec
from engine.pruning.cutting.slicing import sliced_copy
from engine.pruning.finding.groups import find_groups
from engine.pruning.measuring.costs import Costs, costs_of
from engine.pruning.units import Group, Groups, Span
from tests.engine import zoo
from tests.engine.attention import library
from tests.engine.counting import counted, hooks_on


def counter(model: LoadedModel) -> int:
    """What torch's counter says, with attention taken apart so that it sees it."""
    x = torch.randn(1, *model.spec.shape)
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with (
            model.ready() as module,
            torch.no_grad(),
            sdpa_kernel(SDPBackend.MATH),
            FlopCounterMode(display=False) as found,
        ):
            module(x)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return found.get_total_flops() // 2


def taken(module: nn.Module, *shape: int) -> LoadedModel:
    given = (
        ImageSpec(*shape[1:], mean=(0.5,) * 3, std=(0.2,) * 3)
        if len(shape) == 3
        else TensorSpec(shape)
    )
    return load_model(module.eval(), input_spec=given, device="cpu")


REFERENCES = [
    "scenes-resnet",
    "scenes-vit",
    "scenes-vgg",
    "digits-cnn",
    "digits-vit",
    "imagenet-cnn",
    "torchvision:resnet18?weights=none",
    "torchvision:mobilenet_v2?weights=none",
]


@pytest.mark.parametrize("reference", REFERENCES)
def test_same_as_the_counter_of_torch(reference: str) -> None:
    model = load_model(reference, device="cpu")
    found = costs_of(model)
    assert found.macs == counter(model)
    assert found.flops == 2 * found.macs
    assert found.parameters == model.parameter_count
    assert not found.notes


@pytest.mark.parametrize("name", list(library.MAKES))
def test_attention_of_every_library(name: str) -> None:
    model = library.load(name)
    assert costs_of(model).macs == counter(model)


@pytest.mark.parametrize("name", ["tiny-cnn", "inplace-cnn", "tiny-vit", "image-linear", "mlp"])
def test_layers_add_up(name: str) -> None:
    model = zoo.load(name)
    found = costs_of(model)
    assert found.macs == sum(layer.macs for layer in found.layers) == counter(model)
    assert found.parameters == sum(layer.parameters for layer in found.layers)
    assert found.parameters == sum(p.numel() for p in model.module.parameters())
    modules = dict(model.module.named_modules())
    for layer in found.layers:
        own = modules[layer.name].parameters(recurse=False)
        assert layer.parameters == sum(part.numel() for part in own)
        assert layer.kind == type(modules[layer.name]).__name__


def test_one_attention_by_hand() -> None:
    """N = 197 tokens, D = 64: counters miss the fused part and say 3.23M."""

    class One(nn.Module):
        def __init__(self, packed: bool) -> None:
            super().__init__()
            self.qkv = nn.Linear(64, 192)
            self.proj = nn.Linear(64, 64)
            self.packed = nn.MultiheadAttention(64, 4, batch_first=True) if packed else None

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.packed is not None:
                return self.packed(x, x, x)[0][:, 0]
            q, k, v = self.qkv(x).unflatten(-1, (3, 4, 16)).permute(2, 0, 3, 1, 4)
            out = F.scaled_dot_product_attention(q, k, v)
            return self.proj(out.transpose(1, 2).flatten(2))[:, 0]

    tokens, width = 197, 64
    by_hand = 3 * tokens * width**2 + tokens * width**2 + 2 * tokens**2 * width
    assert round(by_hand / 1e6, 2) == 8.20
    for packed in (False, True):
        model = taken(One(packed), tokens, width)
        assert costs_of(model).macs == by_hand == counter(model)


class Odd(nn.Module):
    """Convolutions of every kind, einsum, a weight used bare, weights made in the pass, norms."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(3, 8, 3, stride=2)
        self.grouped = nn.Conv2d(8, 8, 3, padding=1, groups=4)
        self.deep = nn.Conv2d(8, 16, 3, padding=1, groups=8)
        self.up = nn.ConvTranspose2d(16, 6, 2, stride=2)
        self.group = nn.GroupNorm(2, 6)
        self.bare = nn.Parameter(torch.randn(6, 5))
        self.made = nn.utils.parametrizations.weight_norm(nn.Conv2d(6, 4, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.group(self.up(self.deep(self.grouped(self.one(x)))))
        x = x + torch.einsum("nchw,cd->ndhw", x, self.bare @ self.bare.T)
        return self.made(x).mean((2, 3)) @ self.bare[:4]


def test_every_kind_of_product() -> None:
    model = taken(Odd(), 3, 17, 17)
    found = costs_of(model)
    assert found.macs == counter(model)
    macs = {layer.name: layer.macs for layer in found.layers}
    assert macs["one"] == 8 * 8 * 8 * 3 * 9
    assert macs["grouped"] == 8 * 8 * 8 * 2 * 9
    assert macs["deep"] == 8 * 8 * 16 * 9
    assert macs["up"] == 8 * 8 * 16 * 6 * 4
    assert macs["made"] == 16 * 16 * 6 * 4
    assert macs[""] == 6 * 6 * 5 + 16 * 16 * 6 * 6 + 4 * 5
    (norm,) = (layer for layer in found.layers if layer.name == "group")
    assert (norm.macs, norm.normalised) == (0, 6 * 16 * 16)


def span(layer: str, tensor: str, dim: int, *starts: int, size: int) -> Span:
    return Span(layer, tensor, dim, np.arange(size)[:, None] + np.array(starts or (0,))[None])


def two_layers() -> Groups:
    """``zoo.TinyCnn``, written down by hand."""
    norm = ("weight", "bias", "running_mean", "running_var")
    groups = []
    for number, size, reader in ((1, 4, "conv2"), (2, 6, "linear")):
        made = [span(f"conv{number}", tensor, 0, size=size) for tensor in ("weight", "bias")]
        made += [span(f"bn{number}", tensor, 0, size=size) for tensor in norm]
        read = (span(reader, "weight", 1, size=size),)
        name = f"conv{number}"
        groups.append(Group(name, name, "channels", size, tuple(made), read))
    return Groups(tuple(groups))


class Narrow(zoo.TinyCnn):
    def __init__(self, first: int, second: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, first, 3, padding=1), nn.BatchNorm2d(first)
        self.conv2 = nn.Conv2d(first, second, 3, stride=2, padding=1)
        self.bn2, self.linear = nn.BatchNorm2d(second), nn.Linear(second, 3)


def test_removed_channels_cost_what_the_smaller_network_costs() -> None:
    groups = two_layers()
    whole = taken(zoo.seeded(zoo.TinyCnn), 3, 16, 16)
    kept = {"conv1": np.array([0, 1, 0, 1], bool), "conv2": np.array([1, 0, 0, 1, 1, 1], bool)}
    assert costs_of(whole, groups, groups.everything()) == costs_of(whole)
    small = taken(zoo.seeded(lambda: Narrow(2, 4)), 3, 16, 16)
    found = costs_of(whole, groups, kept)
    assert found == costs_of(small)
    state = {name: part.contiguous() for name, part in small.module.state_dict().items()}
    file = save(state)
    assert found.size == len(file) - 8 - int.from_bytes(file[:8], "little")
    assert costs_of(whole, groups, {"conv2": kept["conv2"]}) == costs_of(
        taken(zoo.seeded(lambda: Narrow(4, 4)), 3, 16, 16)
    )


class Heads(nn.Module):
    """Four heads of width 3; attention fused, by hand, or as einsum."""

    def __init__(self, heads: int = 4, hidden: int = 10, how: str = "fused") -> None:
        super().__init__()
        self.heads, self.how = heads, how
        self.norm = nn.LayerNorm(12)
        self.qkv = nn.Linear(12, 9 * heads)
        self.out = nn.Linear(3 * heads, 12)
        self.first, self.second = nn.Linear(12, hidden), nn.Linear(hidden, 12)
        self.head = nn.Linear(12, 3)

    def mixed(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        if self.how == "fused":
            return F.scaled_dot_product_attention(q, k, v)
        if self.how == "einsum":
            weights = torch.einsum("nhqd,nhkd->nhqk", q, k).softmax(-1)
            return torch.einsum("nhqk,nhkd->nhqd", weights, v)
        return (q @ k.transpose(-2, -1)).softmax(dim=-1) @ v

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = self.qkv(self.norm(x)).unflatten(-1, (3, self.heads, 3))
        mixed = self.mixed(*parts.permute(2, 0, 3, 1, 4))
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        x = x + self.second(self.first(x).relu())
        return self.head(x.mean(1))


@pytest.mark.parametrize("how", ["fused", "by hand", "einsum"])
def test_removed_heads_and_hidden_units(how: str) -> None:
    whole = taken(zoo.seeded(lambda: Heads(how=how)), 7, 12)
    rows = np.arange(4)[:, None] * 3 + np.arange(3)  # (heads, width)
    packed = np.concatenate([rows, rows + 12, rows + 24], axis=1)
    groups = Groups(
        (
            Group(
                "attention",
                "attention",
                "heads",
                4,
                (Span("qkv", "weight", 0, packed), Span("qkv", "bias", 0, packed)),
                (Span("out", "weight", 1, rows),),
                site=0,
            ),
            Group(
                "first",
                "first",
                "hidden",
                10,
                (span("first", "weight", 0, size=10), span("first", "bias", 0, size=10)),
                (span("second", "weight", 1, size=10),),
            ),
        )
    )
    kept = {"attention": np.array([1, 0, 1, 1], bool), "first": np.arange(10) < 6}
    found = costs_of(whole, groups, kept)
    assert found == costs_of(taken(zoo.seeded(lambda: Heads(3, 6, how)), 7, 12))
    tokens, width, kept_width, hidden = 7, 12, 9, 6
    block = 3 * tokens * width * kept_width + tokens * kept_width * width
    block += 2 * tokens**2 * kept_width + 2 * tokens * width * hidden
    assert found.macs == block + 12 * 3


SLICED = [*REFERENCES, "transformers-vit", "transformers-resnet"]


def loaded(reference: str) -> LoadedModel:
    if not reference.startswith("transformers-"):
        return load_model(reference, device="cpu")
    if reference == "transformers-vit":
        return library.load("transformers-vit")
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[16, 24], depths=[2, 1], num_labels=3
    )
    spec = ImageSpec(32, 32, mean=(0.5,) * 3, std=(0.25,) * 3)
    module = zoo.seeded(lambda: transformers.ResNetForImageClassification(config))
    return load_model(module, input_spec=spec, device="cpu")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("reference", SLICED)
def test_costs_by_formula_are_those_of_the_sliced_network(reference: str) -> None:
    """Parameters, products, normalised numbers and bytes, of each layer and in all."""
    model = loaded(reference)
    groups, rng, kept = find_groups(model), np.random.default_rng(0), {}
    for group in groups.groups:
        stays = rng.permutation(group.size // group.multiple) < max(
            1, group.size // group.multiple // 2
        )
        kept[group.name] = np.repeat(stays, group.multiple)
    ours = costs_of(model, groups, kept)
    theirs = costs_of(sliced_copy(model, kept, round_to=1))
    assert len(kept) > 0
    assert _without_kinds(ours) == _without_kinds(theirs)  # classes of layers may change
    assert ours.macs < costs_of(model).macs


def _without_kinds(costs: Costs) -> Costs:
    return replace(costs, layers=tuple(replace(layer, kind="") for layer in costs.layers))


def test_bad_groups_are_told() -> None:
    model, groups = taken(zoo.seeded(zoo.TinyCnn), 3, 16, 16), two_layers()
    with pytest.raises(InputError, match="no group 'conv3'; did you mean conv"):
        costs_of(model, groups, {"conv3": np.ones(4, bool)})
    with pytest.raises(InputError, match=r"conv1 has 4 units; .* bool \(4,\), not bool \(5,\)"):
        costs_of(model, groups, {"conv1": np.ones(5, bool)})
    with pytest.raises(InputError, match="nothing is left of conv1"):
        costs_of(model, groups, {"conv1": np.zeros(4, bool)})
    with pytest.raises(ModelError, match="is no network"):
        costs_of(zoo.load("forest"))


def test_one_pass_and_nothing_left_behind() -> None:
    model = zoo.load("tiny-vit")
    with counted(model.module) as passes:
        first = costs_of(model)
        assert costs_of(model) == first
    assert passes.forward == 1
    assert hooks_on(model.module) == 0


def test_cancelled() -> None:
    class Now:
        def is_set(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        costs_of(zoo.load("tiny-cnn"), cancel=Now())


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.head = nn.GRU(4, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.cell(x)[0][:, -1])


class Twofold(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pair = nn.Bilinear(6, 6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.pair(x, x)


def test_what_is_made_of_products_is_counted_and_what_is_not_is_told() -> None:
    assert costs_of(taken(Recurrent(), 6, 4)).macs == 6 * (4 + 5) * 15 + 15
    (note,) = costs_of(taken(Twofold(), 6)).notes
    assert note == "its layer pair calls _trilinear, which is not counted"


def test_tied_weights_count_once() -> None:
    class Tied(zoo.Mlp):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.middle = nn.Linear(5, 7), nn.Linear(7, 7)
            self.again = nn.Linear(7, 7)
            self.again.weight = self.middle.weight

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.second(self.again(self.middle(self.first(x))))

    found = costs_of(taken(Tied(), 5))
    assert found.parameters == 5 * 7 + 7 + 49 + 7 + 7 + 7 * 3 + 3
    assert found.macs == 35 + 49 + 49 + 21
    assert found.size == 4 * found.parameters
