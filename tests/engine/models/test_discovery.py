from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from engine.errors import ModelError
from engine.models.discovery import discover
from tests.engine import zoo
from tests.engine.counting import hooks_on
from tests.engine.refusals import expect_refusal

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("tiny-cnn", "relu2"),
        ("inplace-cnn", "bn2"),
        ("one-logit-cnn", "relu2"),
        ("tiny-vit", None),
        ("image-linear", None),
        ("mlp", None),
    ],
)
def test_target_layer(name: str, layer: str | None) -> None:
    found = zoo.load(name).target_layer
    assert (found and found.name) == layer


@pytest.mark.parametrize("name", zoo.ZOO)
def test_family(name: str) -> None:
    assert zoo.load(name).family == zoo.ZOO[name][2]


def test_layers_with_what_was_seen_of_each() -> None:
    found = {
        layer.name: layer for layer in discover(zoo.build("inplace-cnn"), (3, 16, 16), CPU).layers
    }
    assert [name for name, layer in found.items() if layer.overwritten] == ["bn1", "bn2"]
    assert found["relu1"].calls == 2
    assert found["conv1"].shape == (4, 16, 16)
    assert found["conv2"].shape == (6, 8, 8)
    assert not found["relu1"].even
    assert {name for name, layer in found.items() if layer.usable} == {
        "conv1", "bn1", "conv2", "bn2"
    }  # fmt: skip


def test_layers_stand_in_the_order_in_which_they_finish() -> None:
    module = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU()), nn.Flatten(), nn.Linear(72, 2)
    )
    found = discover(module.eval(), (3, 8, 8), CPU)
    assert [layer.name for layer in found.layers] == ["0.0", "0.1", "0"]
    assert found.classes == 2


class Overwriting(nn.Module):
    """Changes a layer's output in place, by way of a view of it."""

    def __init__(self, change: Callable[[torch.Tensor], object]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)
        self.linear = nn.Linear(72, 2)
        self.change = change

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        flat = self.conv(x).flatten(1)
        self.change(flat)
        return self.linear(flat)


@pytest.mark.parametrize(
    ("change", "overwritten"),
    [(torch.relu_, True), (lambda t: t.add_(1), True), (torch.relu, False), (torch.sum, False)],
)
def test_overwriting_through_a_view(
    change: Callable[[torch.Tensor], object], overwritten: bool
) -> None:
    (layer,) = discover(zoo.seeded(lambda: Overwriting(change)), (3, 8, 8), CPU).layers
    assert layer.overwritten == overwritten
    assert layer.usable


class Tokens(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(12, 2, 16, dropout=0.0, batch_first=True)
        self.head = nn.Linear(12, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layer(x.flatten(2).transpose(1, 2).reshape(len(x), -1, 12)).mean(1))


def test_attention_is_seen() -> None:
    assert discover(zoo.build("tiny-vit"), (3, 16, 16), CPU).attention_calls == 1
    assert discover(zoo.build("tiny-cnn"), (3, 16, 16), CPU).attention_calls == 0
    assert discover(zoo.seeded(Tokens), (3, 8, 8), CPU).attention_calls > 0


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 16), (5,)])
def test_a_pass_that_fails_is_told_and_leaves_no_hook(shape: tuple[int, ...]) -> None:
    module = zoo.build("tiny-cnn")
    with expect_refusal(ModelError, f"one forward pass of shape {(1, *shape)} failed"):
        discover(module, shape, CPU)
    assert hooks_on(module) == 0


class Says(nn.Module):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("first\nsecond"),
        RuntimeError(),
        KeyError("pixel_values"),
        AttributeError("no attribute"),
        AssertionError("img size"),
        NotImplementedError("not yet"),
        ZeroDivisionError("division by zero"),
    ],
    ids=repr,
)
def test_whatever_the_network_raises_is_told(error: Exception) -> None:
    with expect_refusal(ModelError, "one forward pass of shape (1, 5) failed"):
        discover(Says(error), (5,), CPU)


def test_nothing_is_left_behind() -> None:
    module = zoo.build("tiny-cnn")
    state = torch.random.get_rng_state()
    discover(module, (3, 16, 16), CPU)
    assert hooks_on(module) == 0
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(p.grad is None for p in module.parameters())


class Convolution(nn.Conv2d):
    """As libraries derive their own from torch's."""


def test_a_derived_convolution_puts_channels_first_whatever_its_maps_shape() -> None:
    module = nn.Sequential(
        Convolution(3, 8, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2)
    )
    found = discover(module.eval(), (3, 8, 16), CPU).layers[0]
    assert (found.shape, found.channels_last) == ((8, 8, 16), False)


class Restless(nn.Module):
    """Counts how often it is asked, and switches a part of itself to training."""

    def __init__(self, *, counts: bool) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.linear = nn.Linear(3, 2)
        self.register_buffer("asked", torch.zeros(()))
        self.counts = counts

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.counts:
            self.asked += 1
        else:
            self.norm.train()
        return self.linear(self.norm(x).mean(dim=(2, 3)))


@pytest.mark.parametrize(("counts", "told"), [(True, "its own buffers"), (False, "its own mode")])
def test_what_a_forward_changes_is_put_back_and_told(counts: bool, told: str) -> None:
    module = Restless(counts=counts).eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    found = discover(module, (3, 8, 8), CPU)
    assert any(told in warning for warning in found.warnings)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert not module.norm.training


class Several(nn.Module):
    """Returns features and then logits, none of them by a name that would tell."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x, self.linear(x)


def test_class_names_tell_logits_from_features() -> None:
    blind = discover(Several().eval(), (5,), CPU)
    assert (blind.entry, blind.classes) == ("0", 5)
    assert any("“0” (5), “1” (3); “0” is read" in warning for warning in blind.warnings)
    told = discover(Several().eval(), (5,), CPU, classes=3)
    assert (told.entry, told.classes) == ("1", 3)


class Leaves(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise SystemExit(3)


def test_a_forward_that_would_end_the_program() -> None:
    with expect_refusal(ModelError, "one forward pass of shape (1, 5) failed: 3"):
        discover(Leaves(), (5,), CPU)


class FailsLater(nn.Module):
    """Runs once, and never again."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(5, 3)
        self.runs = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.runs += 1
        if self.runs > 1:
            raise RuntimeError("once is enough")
        return self.linear(x)


def test_a_forward_that_fails_the_second_time() -> None:
    with expect_refusal(ModelError, "failed: once is enough"):
        discover(FailsLater(), (5,), CPU)


def test_softmax_from_torchs_special_functions_is_attention_as_well() -> None:
    class Special(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            weights = torch.special.softmax(x[:, None] @ x[:, None].transpose(-1, -2), -1)
            return weights.mean(dim=(1, 2))

    assert discover(Special(), (4, 5), CPU).attention_calls == 1
