"""Hiding the top of a map, against the same thing done by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.attribution.explain import explain
from engine.errors import Cancelled
from engine.evaluation import hiding
from engine.execution.predict import predict
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import ImageSpec

SIDE = 8


class TopLeft(nn.Module):
    """Class 1 is the brightness of the upper left quarter; nothing else counts."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(4.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        corner = x[:, :, : SIDE // 2, : SIDE // 2].mean(dim=(1, 2, 3))
        return torch.stack([torch.zeros_like(corner), self.scale * corner], dim=1)


@pytest.fixture
def model() -> LoadedModel:
    plain = ImageSpec(height=SIDE, width=SIDE, mean=(0, 0, 0), std=(1, 1, 1))
    return load_model(TopLeft(), input_spec=plain)


def picture(model: LoadedModel) -> torch.Tensor:
    return torch.ones(1, 3, SIDE, SIDE)


def test_hiding_what_counts_costs_more_than_hiding_elsewhere(model: LoadedModel) -> None:
    x = picture(model)
    found = explain(model, x, "occlusion", 1, window=2, stride=1)
    judged = hiding.hide_top(model, x, found, share=0.25, fill="mean")
    before = predict(model, x).probabilities[1]
    assert judged.before == pytest.approx(before, abs=1e-6)
    assert judged.after == pytest.approx(0.5, abs=0.05)
    assert judged.control > judged.after + 0.2
    assert judged.concentration > 0.8


def test_by_hand(model: LoadedModel) -> None:
    x = picture(model)
    found = explain(model, x, "occlusion", 1, window=4, stride=4)
    judged = hiding.hide_top(model, x, found, share=0.25, fill="mean", seed=3)
    top = np.zeros((SIDE, SIDE), dtype=bool)
    top[:4, :4] = True
    expected = []
    for index in range(hiding.CONTROLS):
        draw = np.random.default_rng([3, index])
        shift = [int(draw.integers(SIDE // 4, SIDE - SIDE // 4)) for _ in range(2)]
        hidden = np.roll(top, shift, (0, 1))
        corner = 1 - hidden[:4, :4].mean()
        expected.append(1 / (1 + np.exp(-4.0 * corner)))
    assert judged.after == pytest.approx(0.5, abs=1e-6)
    assert judged.control == pytest.approx(np.mean(expected), abs=1e-6)
    error = np.std(expected, ddof=1) / np.sqrt(len(expected))
    assert judged.control_error == pytest.approx(error, abs=1e-6)


def test_passes_are_as_promised(model: LoadedModel) -> None:
    counted = []
    hook = model.module.register_forward_hook(lambda _m, args, _o: counted.append(len(args[0])))
    x = picture(model)
    found = explain(model, x, "gradient", 1)
    counted.clear()
    hiding.hide_top(model, x, found)
    hook.remove()
    assert sum(counted) == hiding.hiding_cost().forward


def test_cancel(model: LoadedModel) -> None:
    class Asked:
        def is_set(self) -> bool:
            return True

    x = picture(model)
    found = explain(model, x, "gradient", 1)
    with pytest.raises(Cancelled):
        hiding.hide_top(model, x, found, cancel=Asked())


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        (np.ones((10, 10)), 0.1, 0.1),
        (np.eye(10), 0.1, 1.0),
        (np.zeros((4, 4)), 0.1, 0.0),
        (-np.ones((4, 4)), 0.5, 0.0),
        (np.arange(4.0).reshape(2, 2), 0.25, 0.5),
    ],
)
def test_concentration(values: np.ndarray, share: float, expected: float) -> None:
    assert hiding.concentration(values, share) == pytest.approx(expected)
