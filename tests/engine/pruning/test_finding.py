"""Which units go together, against what can be read off the networks by hand; what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from torch import nn

from engine.errors import MethodError
from engine.models.loading import load_model
from engine.pruning.finding.groups import find_groups
from engine.pruning.units import Group
from tests.engine import zoo
from tests.engine.pruning.nets import Attending, Drawn, Grouped, Plain, loaded
from tests.engine.refusals import expect_refusal, is_one_line


def places(group: Group, side: str) -> list[tuple[str, str, int, int]]:
    return [
        (span.layer, span.tensor, span.dim, span.index.shape[1]) for span in getattr(group, side)
    ]


def norm(layer: str) -> list[tuple[str, str, int, int]]:
    return [(layer, name, 0, 1) for name in ("running_mean", "running_var", "weight", "bias")]


def test_a_residual_stream_is_one_group() -> None:
    groups = find_groups(load_model("scenes-resnet"))
    assert [(group.name, group.size) for group in groups.groups] == [
        ("stem.0", 24), ("layer1.conv1", 24), ("layer2.conv1", 48), ("layer2.conv2", 48),
        ("layer3.conv1", 96), ("layer3.conv2", 96),
    ]  # fmt: skip
    stream = groups["stem.0"]
    assert places(stream, "producers") == [
        ("stem.0", "weight", 0, 1), *norm("stem.1"),
        ("layer1.conv2", "weight", 0, 1), *norm("layer1.norm2"),
    ]  # fmt: skip
    assert places(stream, "consumers") == [
        ("layer1.conv1", "weight", 1, 1), ("layer2.conv1", "weight", 1, 1),
        ("layer2.around.0", "weight", 1, 1),
    ]  # fmt: skip
    assert all(np.array_equal(span.index[:, 0], np.arange(24)) for span in stream.producers), (
        "the same channel everywhere"
    )
    assert groups.refused == {"head": "it is the output: its units are the classes"}


def test_after_a_flatten_a_channel_has_a_block_of_columns() -> None:
    groups = find_groups(load_model("scenes-vgg"))
    (columns,) = groups["conv_2_2"].consumers
    assert columns.layer == "output"
    assert np.array_equal(columns.index, np.arange(1690).reshape(10, 169))


def test_heads_have_rows_of_queries_keys_and_values() -> None:
    groups = find_groups(load_model("digits-vit"))
    heads = groups["blocks.2"]
    assert (heads.kind, heads.size, heads.site, heads.attention) == (
        "heads", 4, 2, "blocks.2.attn",
    )  # fmt: skip
    rows = (np.arange(192).reshape(3, 4, 16)).transpose(1, 0, 2).reshape(4, 48)
    for span in heads.producers:
        assert span.layer == "blocks.2.attn.qkv"
        assert np.array_equal(span.index, rows)
    (columns,) = heads.consumers
    assert columns.layer == "blocks.2.attn.proj"
    assert np.array_equal(columns.index, np.arange(64).reshape(4, 16))
    assert groups["blocks.2.mlp.0"].kind == "hidden"
    assert "blocks.0.norm1 mixes all of them" in groups.refused["blocks.2.mlp.2"]


def test_a_depthwise_convolution_follows_its_input() -> None:
    groups = find_groups(load_model("imagenet-cnn"))
    expanded = groups["blocks.1.body.0"]
    depthwise = [span for span in expanded.producers if span.layer == "blocks.1.body.4"]
    assert [(span.tensor, span.dim) for span in depthwise] == [("weight", 0)]
    assert [span.layer for span in expanded.consumers] == ["blocks.1.body.7"]


def test_of_a_grouped_convolution_whole_groups_go() -> None:
    groups = find_groups(loaded(Drawn([Grouped])))
    grouped = groups["body.1.into"]
    assert grouped.size == 3
    where = {(span.layer, span.tensor): span.index for span in grouped.producers}
    assert where["body.1.into", "weight"].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert where["body.1.conv", "weight"].tolist() == np.arange(12).reshape(3, 4).tolist()


def test_groups_are_found_once() -> None:
    model = load_model("digits-cnn")
    assert find_groups(model) is find_groups(model)


class OnTheInput(nn.Module):
    """A residual that starts at the picture itself."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.then, self.head = nn.Conv2d(3, 3, 1), Plain(3), nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.then(x + self.conv(x)).mean(dim=(2, 3)))


class Changed(nn.Module):
    """A network whose one inner layer is made and called as a test wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.conv = Plain(3, 6), nn.Conv2d(6, 6, 1)
        self.last, self.head = Plain(6), nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.last(self.inner(self.first(x))).mean(dim=(2, 3)))

    def inner(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


class Twice(Changed):
    def inner(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(self.conv(x).relu())


class Tied(Changed):
    def __init__(self) -> None:
        super().__init__()
        self.other = nn.Conv2d(6, 6, 1)
        self.other.weight = self.conv.weight

    def inner(self, x: torch.Tensor) -> torch.Tensor:
        return self.other(self.conv(x).relu())


class Computed(Changed):
    def inner(self, x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, self.conv.weight / 2, self.conv.bias)


class Unknown(Changed):
    def inner(self, x: torch.Tensor) -> torch.Tensor:
        return torch.fft.fft2(self.conv(x)).real


class Halved(Changed):
    """Cut at a place that does not move with the channels."""

    def inner(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        return torch.cat([x[:, 2:], x[:, :2]], dim=1)


class Fixed(Changed):
    """A shape written down."""

    def inner(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x).view(len(x), 6, 64).view(len(x), 6, 8, 8)


class Constant(Changed):
    def inner(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x) * torch.arange(6.0).view(1, 6, 1, 1)


class Averaged(Changed):
    def inner(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        return x * x.mean(dim=1, keepdim=True).sigmoid()


class Unseen(Changed):
    """What goes on here torch is not told of."""

    def inner(self, x: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(np.flip(self.conv(x).numpy(), axis=1).copy())


@pytest.mark.parametrize(
    ("kind", "layers", "words"),
    [
        (OnTheInput, {"conv"}, "shares its channels with the network's input"),
        (Twice, {"first.conv", "conv"}, "conv is used more than once in a pass"),
        (Tied, {"first.conv", "conv", "other"}, "conv.weight and other.weight share their numbers"),
        (Computed, {"first.conv"}, "the weights of the network are computed"),
        (Unknown, {"conv"}, "it goes through fft_fft2 in the network, which is not followed"),
        (Halved, {"conv"}, "without it the network answers otherwise than with it at zero"),
        (Fixed, {"conv"}, "does not run"),
        (Constant, {"conv"}, "its units go together"),
        (Averaged, {"conv"}, "its units go together: the network mixes all of them"),
        (Unseen, {"conv"}, "nothing that can be followed reads it"),
    ],
)
def test_what_cannot_be_cut_is_refused_with_its_reason(
    kind: type[nn.Module], layers: set[str], words: str
) -> None:
    groups = find_groups(loaded(kind()))
    assert set(groups.refused) - {"head"} == layers
    for layer in layers:
        assert words in groups.refused[layer], groups.refused
        assert is_one_line(groups.refused[layer])
    assert not layers & {group.name for group in groups.groups}
    assert groups.groups, "the rest can be cut"


class Bare(nn.Module):
    """A network of parameters without layers, in which sizes could be mistaken for others."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Inner()
        self.head = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.inner(x.mean(dim=(2, 3))).relu())


class Inner(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Parameter(torch.ones(3, 3)), nn.Parameter(torch.ones(6, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.linear(F.linear(x, self.up).relu(), self.down)


def test_units_that_bare_parameters_read_are_refused() -> None:
    groups = find_groups(loaded(Bare()))
    assert "inner.down, which reads its units, is a parameter" in groups.refused["inner"]
    assert [group.consumers[0].layer for group in groups.groups] == ["head"]


class Shared(Attending):
    """Grouped-query attention: two heads of queries for each of keys."""

    def __init__(self, inputs: int) -> None:
        super().__init__(inputs, heads=4)
        self.keys = nn.Linear(inputs, 8)

    def mixed(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(q, k[:, :2], v[:, :2], enable_gqa=True)


def test_heads_that_share_keys_are_refused() -> None:
    groups = find_groups(loaded(Drawn([Shared])))
    assert "grouped-query" in groups.refused["body.1.qkv"]
    assert all(group.kind != "heads" for group in groups.groups)


@pytest.mark.filterwarnings("ignore")  # torch gives this kind up
def test_a_quantised_network_is_refused_as_a_whole() -> None:
    model = load_model("cancer-mlp")
    packed = torch.ao.quantization.quantize_dynamic(model.module, {nn.Linear})
    groups = find_groups(load_model(packed, input_spec=model.spec, classes=model.classes))
    assert not groups.groups
    assert groups.refused
    assert all("quantised" in why for why in groups.refused.values())


def test_an_estimator_has_no_units() -> None:
    rows = np.random.default_rng(0).normal(size=(40, 4))
    estimator = LogisticRegression().fit(rows, rows[:, 0] > 0)
    model = load_model(estimator, input_spec=zoo.NUMBERS)
    with expect_refusal(MethodError, "no network"):
        find_groups(model)


def test_what_cannot_be_tried_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.pruning.finding.groups._MOST_TRIALS", 2)
    groups = find_groups(loaded(Fixed()))
    assert "too many layers" in groups.refused["last.conv"], "it is sound, but nobody knows"
    assert "last.conv" not in {group.name for group in groups.groups}
