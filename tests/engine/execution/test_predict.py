from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.execution.predict import predict
from tests.engine import reference, zoo


@pytest.mark.parametrize("name", zoo.ZOO)
def test_agrees_with_the_network_itself(name: str) -> None:
    model = zoo.load(name)
    x = zoo.noise(model)
    found = predict(model, x)
    with torch.no_grad():
        logits = zoo.build(name)(x)[0].numpy()
    assert np.array_equal(found.logits, logits.astype(np.float32))
    activation = reference.sigmoid if name == "one-logit-cnn" else reference.softmax
    assert np.allclose(found.probabilities, activation(logits.astype(np.float64)), atol=1e-6)
    assert found.classes == model.classes
    assert found.logits.dtype == found.probabilities.dtype == np.float32


def test_agrees_with_the_derivation_by_hand() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    expected = reference.cnn_logits(model.module, x[0].double().numpy())
    assert np.allclose(predict(model, x).logits, expected, atol=1e-5)


def test_works_where_gradients_are_off_or_on() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    expected = predict(model, x).logits
    for around in (torch.no_grad, torch.enable_grad, torch.inference_mode):
        with around():
            assert np.array_equal(predict(model, x).logits, expected)
