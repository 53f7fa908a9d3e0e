"""Where the logits are in whatever a network returns, and how they become probabilities."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from engine.errors import ModelError
from engine.models.loading import load_model
from tests.engine import zoo
from tests.engine.own_models import nets
from tests.engine.own_models.in_hand import lively
from tests.engine.refusals import expect_refusal

Named = namedtuple("Named", ["features", "scores"])


class Ending(nets.Cnn):
    """Ends in whatever it is given."""

    def __init__(self, end: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.end = end

    def forward(self, x: torch.Tensor) -> Any:
        return self.end(super().forward(x))


SQUASHES: dict[str, tuple[Callable[[torch.Tensor], Any], str, str]] = {
    "nn.Softmax": (nn.Softmax(dim=1), "softmax", "softmax"),
    "torch.softmax": (lambda z: torch.softmax(z, 1), "softmax", "softmax"),
    "Tensor.softmax": (lambda z: z.softmax(-1), "softmax", "softmax"),
    "F.log_softmax": (lambda z: F.log_softmax(z, dim=1), "log-softmax", "softmax"),
    "nn.LogSoftmax": (nn.LogSoftmax(dim=1), "log-softmax", "softmax"),
    "torch.sigmoid": (torch.sigmoid, "sigmoid", "sigmoid"),
    "nn.Sigmoid": (nn.Sigmoid(), "sigmoid", "sigmoid"),
    "in place": (lambda z: z.sigmoid_(), "sigmoid", "sigmoid"),
    "in a dict": (lambda z: {"probabilities": z.softmax(1)}, "softmax", "softmax"),
    "and an axis of one cell": (lambda z: z.softmax(1)[..., None, None], "softmax", "softmax"),
    "and an axis dropped": (lambda z: z[:, :1].sigmoid().squeeze(1), "sigmoid", "sigmoid"),
    "as an output of its own": (lambda z: (z.softmax(1), z * 2), "softmax", "softmax"),
}


@pytest.mark.parametrize("name", SQUASHES)
def test_logits_are_read_before_a_networks_own_end(name: str) -> None:
    end, squash, activation = SQUASHES[name]
    model = load_model(lively(lambda: Ending(end)))
    x = zoo.noise(model, 3)
    wanted = nets.Cnn.forward(model.module, x)[:, : len(model.classes)]
    assert torch.equal(model.forward(x), wanted)
    assert (model.seen.squash, model.activation) == (squash, activation)
    told = f"it ends in a {squash} of its own; the logits before it are read"
    assert told in model.card.notes


NOT_AT_THE_END: dict[str, Callable[[torch.Tensor], Any]] = {
    "before a layer": lambda z: z.sigmoid() * 3 + 1,
    "beside the logits": lambda z: {"logits": z, "probabilities": z.softmax(1)},
    "of a copy of the logits": lambda z: (z, z.softmax(1).max()),
    "of another output": lambda z: (z * 2, z.sigmoid()),
    "a gate": lambda z: z * z.sigmoid(),
}


@pytest.mark.parametrize("name", NOT_AT_THE_END)
def test_a_softmax_or_sigmoid_in_the_middle_is_not_the_end(name: str) -> None:
    end = NOT_AT_THE_END[name]
    model = load_model(lively(lambda: Ending(end)))
    x = zoo.noise(model, 2)
    returned = model.module(x)
    if isinstance(returned, dict):
        returned = returned["logits"]
    wanted = returned[0] if isinstance(returned, tuple) else returned
    assert torch.equal(model.forward(x), wanted)
    assert (model.seen.squash, model.activation) == ("", "softmax")


OUTPUTS: dict[str, tuple[Callable[[torch.Tensor], Any], tuple[str, str]]] = {
    "a tensor": (lambda z: z, ("tensor", "")),
    "a tuple": (lambda z: (z, 3), ("tuple", "0")),
    "a list": (lambda z: [z], ("list", "0")),
    "a named tuple": (lambda z: Named(z[:, None], z), ("Named", "scores")),
    "a dict": (lambda z: {"loss": None, "scores": z}, ("dict", "scores")),
    "a dict with logits last": (lambda z: {"other": z[:, :2], "logits": z}, ("dict", "logits")),
    "a dataclass": (lambda z: nets.Answer(None, z), ("Answer", "logits")),
    "axes of one cell": (lambda z: z[:, :, None, None], ("tensor", "")),
    "auxiliary logits behind": (lambda z: (z, z * 2), ("tuple", "0")),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_logits_are_found(name: str) -> None:
    end, place = OUTPUTS[name]
    model = load_model(lively(lambda: Ending(end)))
    x = zoo.noise(model, 2)
    assert torch.equal(model.forward(x), nets.Cnn.forward(model.module, x))
    assert (model.seen.container, model.seen.entry) == place
    assert len(model.classes) == 4


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (lambda z: z[..., None].expand(-1, -1, 5), "the model returned shape (1, 4, 5)"),
        (lambda z: z.sum(), "the model returned shape ()"),
        (lambda z: "cat", "the model returned str"),
        (lambda z: None, "the model returned NoneType"),
        (lambda z: {}, "the model returned dict"),
    ],
)
def test_what_are_no_logits_is_told_with_what_was_seen(
    end: Callable[[torch.Tensor], Any], told: str
) -> None:
    with expect_refusal(ModelError, told):
        load_model(Ending(end).eval())
