"""What input a network in hand wants, where nobody says: read off its first layer."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from engine.models.specs import ImageSpec, InputSpec, TensorSpec

_SIDES = (224, 32, 28, 64, 96, 128, 256, 299, 384, 16, 8)


def guess_specs(module: nn.Module) -> Iterator[tuple[InputSpec, str]]:
    """Yield specs worth a try, likeliest first, each with a note on what was assumed.

    A network that begins with a convolution takes pictures: common sides are tried. One
    that begins with a linear layer takes that many features.
    """
    first = next((m for m in module.modules() if isinstance(m, nn.Conv2d | nn.Linear)), None)
    if isinstance(first, nn.Linear):
        yield TensorSpec((first.in_features,)), "input size read off the first linear layer"
    if not isinstance(first, nn.Conv2d):
        return
    for side in _SIDES:
        yield _picture(first.in_channels, side)


def _picture(channels: int, side: int) -> tuple[InputSpec, str]:
    if channels == 3:
        note = f"assumed: {side} × {side} pictures, normalised with ImageNet's mean and std"
        return ImageSpec(height=side, width=side), note
    if channels == 1:
        note = f"assumed: {side} × {side} grey pictures with values in [0, 1]"
        return ImageSpec(height=side, width=side, channels=1, mean=(0.0,), std=(1.0,)), note
    return TensorSpec((channels, side, side)), f"assumed: tensors of {side} × {side}"
