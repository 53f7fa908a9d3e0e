"""A network that returns NaN or infinity gets one line, not an answer."""

from __future__ import annotations

import pytest
import torch

import engine
from engine.errors import ModelError
from tests.engine import zoo
from tests.engine.refusals import expect_refusal


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_predict_and_explain_refuse(value: float) -> None:
    module = zoo.TinyCnn()
    with torch.no_grad():
        next(p for name, p in module.named_parameters() if name.endswith("bias")).fill_(value)
        for parameter in list(module.parameters())[-1:]:
            parameter.fill_(value)
    model = engine.load_model(module)
    given = torch.rand(1, *model.spec.shape)
    with expect_refusal(ModelError, "not finite", "look at its weights"):
        engine.predict(model, given)
    with expect_refusal(ModelError, "not finite"):
        engine.explain(model, given, "gradient", 0)
