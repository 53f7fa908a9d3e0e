from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from engine.errors import ModelError
from engine.models.outputs import Readout, logits_of, probabilities_of
from tests.engine import reference
from tests.engine.refusals import expect_refusal

LOGITS = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]])


@dataclass
class Output:
    loss: float
    logits: torch.Tensor


@pytest.mark.parametrize(
    "returned",
    [
        LOGITS,
        {"logits": LOGITS},
        {"features": torch.zeros(2, 9), "logits": LOGITS},
        {"out": LOGITS, "aux": torch.zeros(2, 9)},
        Output(0.5, LOGITS),
        SimpleNamespace(logits=LOGITS),
        (LOGITS, torch.zeros(4)),
        [LOGITS],
    ],
)
def test_logits_are_found(returned: Any) -> None:
    assert logits_of(returned) is LOGITS


def test_one_number_per_sample_is_one_class() -> None:
    assert torch.equal(logits_of(torch.tensor([1.0, 2.0])), torch.tensor([[1.0], [2.0]]))


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (torch.zeros(2, 3, 4), "shape (2, 3, 4)"),
        (torch.tensor(1.0), "shape ()"),
        (None, "NoneType"),
        ("text", "str"),
        ((), "tuple"),
        ({}, "dict"),
        ({"logits": None}, "dict"),
        (SimpleNamespace(logits=[1, 2]), "SimpleNamespace"),
        (np.zeros((2, 3)), "ndarray"),
    ],
)
def test_what_are_no_logits(returned: Any, told: str) -> None:
    with expect_refusal(ModelError, "the model returned", told, "expected logits"):
        logits_of(returned)


def test_probabilities() -> None:
    expected = [reference.softmax(row) for row in LOGITS.double().numpy()]
    assert np.allclose(probabilities_of(LOGITS, "softmax"), expected, atol=1e-7)
    one = torch.tensor([[0.3], [-2.0]])
    expected = reference.sigmoid(one.double().numpy())
    assert np.allclose(probabilities_of(one, "sigmoid"), expected, atol=1e-7)


def test_readout() -> None:
    assert Readout(1, None, "logit", "softmax")(LOGITS).tolist() == [-2, 3]
    assert Readout(1, 2, "logit", "softmax")(LOGITS).tolist() == [-2.5, 4]
    shares = [reference.softmax(row) for row in LOGITS.double().numpy()]
    found = Readout(0, 2, "probability", "softmax")(LOGITS)
    assert np.allclose(found, [row[0] - row[2] for row in shares], atol=1e-7)


def test_unknown_output_tells_the_nearest() -> None:
    with expect_refusal(ModelError, "no output 'logits'", "did you mean logit"):
        Readout(0, None, "logits", "softmax")  # type: ignore[arg-type]
