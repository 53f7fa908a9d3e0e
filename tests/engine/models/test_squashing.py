"""Only a softmax or sigmoid that really stands at the end, class by class, is read before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from engine.models.loading import load_model
from tests.engine import zoo

End = Callable[[torch.Tensor], torch.Tensor]


class Ends(nn.Module):
    def __init__(self, end: End) -> None:
        super().__init__()
        self.body = zoo.TinyCnn(classes=4)
        self.end = end

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.end(self.body(x))


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (lambda z: z.softmax(-1), "softmax"),
        (lambda z: torch.log_softmax(z, 1), "log-softmax"),
        (torch.sigmoid, "sigmoid"),
        (lambda z: z.softmax(1)[:, :, None, None], "softmax"),
    ],
)
def test_what_is_undone(end: End, kind: str) -> None:
    model = load_model(zoo.seeded(lambda: Ends(end)), input_spec=zoo.PICTURE, device="cpu")
    x = zoo.noise(model, 3)
    assert model.seen.squash == kind
    assert torch.equal(model.forward(x), model.module.body(x))


@pytest.mark.parametrize(
    "end",
    [
        lambda z: z.view(-1, 2, 2).softmax(-1).view(-1, 4),  # two groups of two
        lambda z: torch.sigmoid(z).mul_(10).sub_(5),  # changed afterwards, in place
        lambda z: z.t().softmax(0).t(),  # samples lie across
        lambda z: z.softmax(0),  # over the samples
    ],
    ids=["groups", "changed", "across", "samples"],
)
def test_what_is_left_as_it_comes(end: End) -> None:
    model = load_model(zoo.seeded(lambda: Ends(end)), input_spec=zoo.PICTURE, device="cpu")
    x = zoo.noise(model)
    assert model.seen.squash == ""
    assert torch.equal(model.forward(x), model.module(x))
