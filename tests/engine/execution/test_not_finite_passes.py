from __future__ import annotations

import torch
from torch import nn

from engine.attribution.explain import explain
from engine.errors import ModelError
from engine.models.loading import load_model
from engine.models.specs import TensorSpec
from tests.engine.refusals import expect_refusal


class Fragile(nn.Module):
    """Infinite where the first feature is large."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x.sum(dim=1), 1 / (x[:, 0] < 5).float()], dim=1)


def test_a_background_that_makes_it_infinite_is_told() -> None:
    model = load_model(Fragile(), input_spec=TensorSpec((3,)))
    rows = torch.tensor([[0.0, 1.0, 2.0], [9.0, 1.0, 0.0]])
    for method in ("kernel-shap", "shapley-sampling", "feature-ablation", "gradient-shap"):
        with expect_refusal(ModelError, "not finite"):
            explain(model, torch.ones(1, 3), method, 0, background=rows)
