"""Dividing a picture into regions: a grid, or superpixels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec
from engine.parameters import Value

REGIONS = ("superpixels", "grid")


def find_regions(
    model: LoadedModel, x: torch.Tensor, parameters: Mapping[str, Value]
) -> torch.Tensor:
    """Return the region of each pixel or feature, numbered from 0 without gaps.

    Args:
        model: the model.
        x: ``(1, …)``, prepared.
        parameters: "regions" with "cells" or "segments"; without "regions", each feature is one.

    Returns:
        int64 ``(1, rows, columns)`` for pictures, else the shape of one sample.
    """
    if "regions" not in parameters:
        return torch.arange(x[0].numel()).reshape(x.shape[1:])
    rows, columns = x.shape[-2:]
    if parameters["regions"] == "grid":
        return grid(rows, columns, int(parameters["cells"]))[None]
    return superpixels(model, x, int(parameters["segments"]))[None]


def grid(rows: int, columns: int, cells: int) -> torch.Tensor:
    """Return the cell of each pixel, row by row; int64 ``(rows, columns)``.

    >>> grid(2, 4, 2).tolist()
    [[0, 0, 1, 1], [2, 2, 3, 3]]
    """
    down = torch.arange(rows) * cells // rows
    across = torch.arange(columns) * cells // columns
    return down[:, None] * cells + across


def superpixels(model: LoadedModel, x: torch.Tensor, segments: int) -> torch.Tensor:
    """Return SLIC superpixels (achanta2012slic) of what the network sees.

    Args:
        model: the model.
        x: ``(1, channels, rows, columns)``, prepared.
        segments: how many there may be at the most.

    Returns:
        int64 ``(rows, columns)``.
    """
    from skimage.segmentation import slic

    colours = colours_of(model, x)
    wanted = segments
    while True:
        # SLIC may find more than it was asked for; then it is asked for fewer.
        found = slic(colours, wanted, compactness=10, start_label=0, channel_axis=-1)
        labels = np.unique(found, return_inverse=True)[1].reshape(found.shape)
        count = int(labels.max()) + 1
        if count <= segments or wanted == 1:
            return torch.from_numpy(labels.astype(np.int64))
        wanted = max(1, wanted - (count - segments))


def colours_of(model: LoadedModel, x: torch.Tensor) -> np.ndarray:
    """Return the picture as RGB in [0, 1], ``(rows, columns, 3)``; the first channels if more."""
    picture = x[0].detach().cpu()
    if isinstance(model.spec, ImageSpec):
        picture = model.spec.denormalise(picture).clamp(0, 1)
    else:
        low, high = picture.min(), picture.max()
        picture = (picture - low) / (high - low).clamp(min=1e-12)
    if len(picture) < 3:
        picture = picture[:1].expand(3, -1, -1)
    return picture[:3].permute(1, 2, 0).double().numpy()
