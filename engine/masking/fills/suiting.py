"""What fills ask of a model and of a mask."""

from __future__ import annotations

import torch

from engine.errors import MethodError
from engine.models.loaded import LoadedModel


def takes_maps(model: LoadedModel) -> bool:
    """Whether a model's input has rows and columns: pictures, and tensors like them."""
    return len(model.spec.shape) == 3


def needs_pictures(name: str) -> str:
    """Say in one line that a fill is for pictures."""
    return f"the fill {name!r} needs pictures; use 'mean'"


def refusal_unless_cnn(title: str, model: LoadedModel, instead: str) -> str:
    """Say in one line that a fill is for convolutional networks; nothing for one."""
    if model.family == "cnn" and takes_maps(model):
        return ""
    kind = "a vision transformer" if model.family == "vit" else "a model for tables"
    if model.family == "vit" and takes_maps(model):
        return f"{title} is for convolutional networks; {model.card.title} is {kind}: use {instead}"
    return f"{title} is for convolutional networks; {model.card.title} is {kind}: use mean"


def whole_pixels(name: str, keep: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return masks as bool ``(n, 1, rows, columns)``.

    Args:
        name: of the fill, which hides all channels of a pixel or none.
        keep: bool ``(n, …)``, broadcastable to x.
        x: ``(1, channels, rows, columns)``.

    Raises:
        MethodError: masks that differ from channel to channel.
    """
    if keep.shape[1] > 1:
        if bool((keep != keep[:, :1]).any()):
            raise MethodError(f"the fill {name!r} hides whole pixels, not some of their channels")
        keep = keep[:, :1]
    return keep.expand(len(keep), 1, *x.shape[-2:])
