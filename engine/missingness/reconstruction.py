"""What is still known of hidden parts: a masked auto-encoder paints them (he2022masked)."""

from __future__ import annotations

import numpy as np
import torch

from engine.errors import InputError, MethodError
from engine.execution.draws import generator
from engine.models.loaded import LoadedModel, ModelInput
from engine.models.zoo.autoencoders import scenes_autoencoder
from engine.models.zoo.masked_autoencoder import MaskedAutoencoder
from engine.models.zoo.shipped import SCENE_CLASSES, SCENES_SPEC

# How difficulty is found: each patch is hidden in three of every four masks; ours.
MASKS, SEED = 32, 0
_CHUNK = 16


def refusal(model: LoadedModel) -> str:
    """Say in one line why what is hidden from a model cannot be painted; nothing if it can."""
    if model.spec == SCENES_SPEC and set(model.classes) == set(SCENE_CLASSES):
        return ""
    return (
        f"there is no auto-encoder of the data of {model.card.title}; the one at hand knows scenes "
        "(scenes-resnet, scenes-vit …)"
    )


def reconstruct(model: LoadedModel, given: ModelInput, keep: np.ndarray) -> np.ndarray:
    """Paint what is hidden, from what stays.

    Args:
        model: a model of scenes.
        given: a picture, or a prepared tensor.
        keep: bool ``(height, width)`` or ``(n, height, width)`` of the model's input; True =
            stays.

    Returns:
        float32 ``(channels, height, width)``, or ``(n, …)``: colours in [0, 1]. What stays is as
        the model sees it.

    Raises:
        MethodError: no auto-encoder of the model's data is there.
        InputError: a mask of another shape, or not boolean.
    """
    module = _module(model)
    masks = np.asarray(keep)
    size = model.spec.shape[-2:]
    if masks.dtype != bool or masks.ndim not in (2, 3) or masks.shape[-2:] != size:
        raise InputError(
            f"expected masks bool (n, {size[0]}, {size[1]}), got {masks.dtype} {masks.shape}"
        )
    x = model.prepare(given).cpu()
    stays = torch.from_numpy(masks.reshape(-1, 1, *size).copy())
    painted = _painted(module, x, stays)
    colours = SCENES_SPEC.denormalise(painted).clamp(0, 1).numpy()
    return np.asarray(colours if masks.ndim == 3 else colours[0])


def difficulty_by_loss(model: LoadedModel, x: torch.Tensor) -> np.ndarray:
    """Return how badly each pixel is painted while its patch is hidden (wang2023hard; our masks).

    Args:
        model: a model of scenes.
        x: ``(1, channels, height, width)``, prepared.

    Returns:
        float64 ``(height, width)``: mean squared error over channels, and over those of 32 masks
        that hide the pixel, three quarters of the patches each; colours in [0, 1].

    Raises:
        MethodError: no auto-encoder of the model's data is there.
    """
    module = _module(model)
    keep = torch.from_numpy(_patches_hidden(module.size.grid))
    keep = keep.repeat_interleave(module.size.patch, 2).repeat_interleave(module.size.patch, 3)
    seen = x.cpu().float()
    painted, true = (SCENES_SPEC.denormalise(one) for one in (_painted(module, seen, keep), seen))
    errors = (painted.clamp(0, 1) - true).double().square().mean(dim=1)  # (masks, height, width)
    hidden = (~keep[:, 0]).double()
    return np.asarray(((errors * hidden).sum(0) / hidden.sum(0)).numpy())


def _patches_hidden(grid: int) -> np.ndarray:
    """Return masks bool ``(32, 1, grid, grid)``; every four hide each patch three times."""
    masks = np.ones((MASKS, grid * grid), dtype=bool)
    for turn in range(MASKS // 4):
        order = generator(SEED, turn).permutation(grid * grid)
        for quarter, kept in enumerate(np.array_split(order, 4)):
            masks[4 * turn + quarter] = np.isin(np.arange(grid * grid), kept)
    return masks.reshape(MASKS, 1, grid, grid)


def _module(model: LoadedModel) -> MaskedAutoencoder:
    why = refusal(model)
    if why:
        raise MethodError(why)
    return scenes_autoencoder()


def _painted(module: MaskedAutoencoder, x: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        chunks = [module(x.expand(len(some), *x.shape[1:]), some) for some in keep.split(_CHUNK)]
    return torch.cat(chunks)
