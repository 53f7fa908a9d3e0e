from __future__ import annotations

import pytest
from torch import nn

from engine.models.guessing import guess_specs
from engine.models.specs import ImageSpec, TensorSpec


def test_linear_first() -> None:
    spec, note = next(guess_specs(nn.Sequential(nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 2))))
    assert spec == TensorSpec((5,))
    assert "first linear layer" in note


@pytest.mark.parametrize(
    ("channels", "kind", "note"),
    [(3, ImageSpec, "ImageNet's mean and std"), (1, ImageSpec, "grey"), (6, TensorSpec, "tensors")],
)
def test_convolution_first(channels: int, kind: type, note: str) -> None:
    found = list(guess_specs(nn.Sequential(nn.Conv2d(channels, 2, 3), nn.Linear(5, 3))))
    assert len(found) > 3
    assert all(isinstance(spec, kind) and note in told for spec, told in found)
    assert found[0][0].shape == (channels, 224, 224)
    assert "224 × 224" in found[0][1]


def test_nothing_to_go_by() -> None:
    assert list(guess_specs(nn.Sequential(nn.Flatten(), nn.ReLU()))) == []
