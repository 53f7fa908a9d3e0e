"""One prediction and one map: what a model does when it is tried."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from torch import nn

from engine.attribution.explain import explain
from engine.errors import Cancelled, ModelError
from engine.execution.predict import predict
from engine.inputs.samples import load_sample_set
from engine.inspection.self_test import self_test
from engine.models.loading import load_model
from tests.engine import zoo
from tests.engine.refusals import expect_refusal


@pytest.mark.parametrize(
    ("name", "method"),
    [("tiny-cnn", "grad-cam"), ("tiny-vit", "attention-rollout")],
)
def test_it_is_the_prediction_and_the_map_that_the_pages_show(name: str, method: str) -> None:
    model = zoo.load(name)
    x = zoo.noise(model, seed=3)
    found = self_test(model, x)
    assert np.array_equal(found.prediction.logits, predict(model, x).logits)
    theirs = explain(model, x, method, found.prediction.best)
    assert np.array_equal(found.attribution.values, theirs.values)
    assert (found.warnings, found.seconds > 0) == ((), True)


@pytest.mark.parametrize("name", zoo.ZOO)
def test_without_a_sample_it_takes_noise(name: str) -> None:
    found = self_test(zoo.load(name))
    assert np.isfinite(found.attribution.values).all()


class Deaf(nn.Module):
    """Says the same whatever it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)
        self.answer = nn.Parameter(torch.tensor([1.0, 2.0]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.answer + 0 * self.conv(x).mean(dim=(2, 3))


def test_a_map_of_zeros_is_told() -> None:
    (warning,) = self_test(load_model(Deaf(), input_spec=zoo.SMALL, device="cpu")).warnings
    assert "does not depend on the input" in warning


def test_cancelled() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        self_test(zoo.load("tiny-cnn"), cancel=stop)


class Broken(zoo.TinyCnn):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * float("nan")


def test_values_that_are_not_finite() -> None:
    model = load_model(Broken(), input_spec=zoo.PICTURE, device="cpu")
    with expect_refusal(ModelError, "not finite"):
        self_test(model)


def test_the_sample_is_named_as_a_person_would() -> None:
    assert self_test(load_model("digits-cnn"), load_sample_set("digits")[0]).sample_told == (
        "a handwritten 0"
    )
    assert self_test(zoo.load("mlp")).sample_told == "noise"


class Forgetful(zoo.TinyCnn):
    """Drops out all that it sees, whether it is trained or not."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        noise = torch.rand(len(images), 3)
        return super().forward(images) * 0 + noise


def test_zeros_of_a_network_with_dropout_are_told_as_such() -> None:
    model = load_model(Forgetful(), input_spec=zoo.PICTURE)
    assert any("dropout" in note for note in model.card.notes)
    (told,) = self_test(model).warnings
    assert "for this class, on this sample" in told
    assert "dropout" in told
