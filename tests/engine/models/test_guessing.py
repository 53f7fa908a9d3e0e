from __future__ import annotations

import pytest
from torch import nn

from engine.models.corrections import Corrections
from engine.models.guessing import guess_specs
from engine.models.specs import ImageSpec, TensorSpec


def test_linear_first() -> None:
    spec, note = next(guess_specs(nn.Sequential(nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 2))))
    assert spec == TensorSpec((5,))
    assert "first linear layer" in note


@pytest.mark.parametrize(
    ("channels", "kind", "note"),
    [
        (3, ImageSpec, "mean and std as ImageNet's"),
        (1, ImageSpec, "grey"),
        (6, TensorSpec, "tensors"),
    ],
)
def test_convolution_first(channels: int, kind: type, note: str) -> None:
    found = list(guess_specs(nn.Sequential(nn.Conv2d(channels, 2, 3), nn.Linear(5, 3))))
    assert len(found) > 3
    assert all(isinstance(spec, kind) and note in told for spec, told in found)
    assert found[0][0].shape == (channels, 224, 224)
    assert "224 × 224" in found[0][1]


def test_nothing_to_go_by() -> None:
    assert list(guess_specs(nn.Sequential(nn.Flatten(), nn.ReLU()))) == []


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ({"size": "64"}, "assumed: mean and std as ImageNet's"),
        ({"size": "64", "mean": "0.5"}, "assumed: std as ImageNet's"),
        ({"mean": "0.5", "std": "0.2"}, "assumed: 224 × 224 pictures"),
        ({"size": "64", "mean": "0.5", "std": "0.2"}, ""),
    ],
)
def test_the_note_tells_only_what_is_still_assumed(options: dict[str, str], note: str) -> None:
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten())
    _, told = next(guess_specs(module, Corrections.from_options(options)))
    assert told == note
