"""What input a network in hand wants, where nobody says: read off its first layer."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from engine.models.corrections import Corrections
from engine.models.specs import ImageSpec, InputSpec, TensorSpec

_SIDES = (224, 32, 28, 64, 96, 128, 256, 299, 384, 16, 8, 48, 112, 160, 192, 512)


def guess_specs(
    module: nn.Module, changes: Corrections | None = None
) -> Iterator[tuple[InputSpec, str]]:
    """Yield specs worth a try, likeliest first, each with a note on what was assumed, or "".

    A network that begins with a convolution takes pictures: common sides are tried. One
    that begins with a linear layer takes that many features.

    Args:
        module: the network.
        changes: what the user knows: a side, a normalisation …
    """
    known = changes or Corrections()
    first = next((m for m in module.modules() if isinstance(m, nn.Conv2d | nn.Linear)), None)
    if isinstance(first, nn.Linear) and not known.spec:
        yield TensorSpec((first.in_features,)), "input size read off the first linear layer"
    if first is None:
        return
    channels = first.in_channels if isinstance(first, nn.Conv2d) else _channels_of(first)
    for side in _SIDES if "height" not in known.spec else (int(known.spec["height"]),):
        for count in channels if isinstance(channels, tuple) else (channels,):
            yield _picture(count, side, known)


def _channels_of(first: nn.Linear) -> tuple[int, ...]:
    """Channels that a network which begins with a linear layer may take: patches or pixels."""
    return tuple(count for count in (3, 1) if first.in_features % count == 0)


def _picture(channels: int, side: int, known: Corrections) -> tuple[InputSpec, str]:
    told = known.spec
    open_ = [name for name in ("mean", "std") if name not in told]
    if channels == 3:
        spec: InputSpec = ImageSpec(height=side, width=side)
        how = f"{' and '.join(open_)} as ImageNet's" if open_ else ""
    elif channels == 1:
        spec = ImageSpec(height=side, width=side, channels=1, mean=(0.0,), std=(1.0,))
        how = "grey, with values in [0, 1]" if len(open_) == 2 else ""
    else:
        spec, how = TensorSpec((channels, side, side)), f"tensors of {channels} channels"
    size = "" if "height" in told else f"{side} × {side} pictures"
    assumed = ", ".join(part for part in (size, how) if part)
    return known.of_spec(spec), f"assumed: {assumed}" if assumed else ""
