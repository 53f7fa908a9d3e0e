"""Putting smaller tensors into a network, in place: its layers' own sizes follow."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

Tensors = Mapping[tuple[str, str], torch.Tensor]


def narrow(module: nn.Module, tensors: Tensors) -> None:
    """Put tensors of other shapes into a network.

    Args:
        module: the network; its layers' numbers of channels, features and groups follow.
        tensors: by layer and name in the layer.
    """
    for layer in dict.fromkeys(layer for layer, _ in tensors):
        part = module.get_submodule(layer)
        before = {name: tuple(t.shape) for name, t in part.named_parameters(recurse=False)}
        for (home, name), tensor in tensors.items():
            if home == layer:
                _put(part, name, tensor)
        _fit(part, before)


def _put(part: nn.Module, name: str, tensor: torch.Tensor) -> None:
    own = tensor.detach().clone()
    if name not in part._parameters:
        part._buffers[name] = own
        return
    held = part._parameters[name]
    part._parameters[name] = nn.Parameter(own, held is not None and held.requires_grad)


def _fit(part: nn.Module, before: Mapping[str, tuple[int, ...]]) -> None:
    """Let a layer's settings follow the shapes of its tensors."""
    if isinstance(part, _ConvNd):
        _fit_convolution(part, before["weight"])
    elif isinstance(part, nn.Linear):
        part.out_features, part.in_features = part.weight.shape
    elif isinstance(part, _NormBase):
        vector = part.weight if part.weight is not None else part.running_mean
        if vector is not None:
            part.num_features = len(vector)
    elif isinstance(part, nn.GroupNorm):
        size = part.num_channels // part.num_groups
        part.num_channels = len(part.weight)
        part.num_groups = part.num_channels // size
    elif isinstance(part, nn.PReLU):
        part.num_parameters = len(part.weight)


def _fit_convolution(part: _ConvNd, before: tuple[int, ...]) -> None:
    """Channels and groups of a convolution; of grouped ones whole groups have gone."""
    rows, columns = part.weight.shape[:2]
    if part.transposed:
        part.in_channels, part.out_channels = rows, columns
        return
    if part.groups > 1:
        part.groups = rows // (before[0] // part.groups)
    part.out_channels, part.in_channels = rows, columns * part.groups
