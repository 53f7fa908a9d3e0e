"""The numbers of a network that belong to units, read by their spans, in float64."""

from __future__ import annotations

import torch
from torch import nn

from engine.pruning.units import Group, Span


def tensor_of(module: nn.Module, span: Span) -> torch.Tensor:
    """Return the tensor that a span lies in."""
    found: torch.Tensor = getattr(module.get_submodule(span.layer), span.tensor)
    return found.detach()


def numbers_of(module: nn.Module, span: Span) -> torch.Tensor:
    """Return each unit's numbers in one tensor, float64 ``(size, numbers)`` on the CPU."""
    whole = tensor_of(module, span).cpu().double().movedim(span.dim, 0)
    index = torch.from_numpy(span.index)
    return whole[index].reshape(len(index), -1)


def weights_of(group: Group) -> list[Span]:
    """Return the spans of a group's producers that are weights; biases and statistics are not."""
    return [span for span in group.producers if span.tensor.endswith("weight")]


def filters_of(module: nn.Module, group: Group) -> list[torch.Tensor]:
    """Return each unit's rows of the convolutions and linear layers that make it."""
    matrices = [span for span in weights_of(group) if tensor_of(module, span).ndim > 1]
    return [numbers_of(module, span) for span in matrices]


def inputs_of(module: nn.Module, span: Span) -> torch.Tensor:
    """Return which of a consumer's inputs are each unit's, int64 ``(size, inputs)``.

    A grouped convolution's weight has one column for an input of each of its groups.
    """
    index, fed = torch.from_numpy(span.index), tensor_of(module, span).shape[span.dim]
    starts = torch.arange(_conv_groups(module, span)) * fed
    return (starts[:, None, None] + index).movedim(0, 1).reshape(len(index), -1)


def column_squares(module: nn.Module, span: Span) -> torch.Tensor:
    """Return ‖W_:,c‖² of the columns that read each unit, as ``inputs_of`` orders them."""
    weight = tensor_of(module, span).cpu().double()
    groups = _conv_groups(module, span)
    parts = weight.unflatten(0, (groups, -1)).movedim(span.dim + 1, 1)  # (groups, columns, …)
    squares = parts.square().flatten(2).sum(2).flatten()
    return squares[inputs_of(module, span)]


def columns_of(module: nn.Module, span: Span) -> torch.Tensor:
    """Return how much each input moves each output, summed over a kernel, ``(outputs, inputs)``."""
    weight = tensor_of(module, span).cpu().double()
    groups = _conv_groups(module, span)
    if weight.ndim == 2:
        return weight if span.dim == 1 else weight.T
    if groups == 1:
        return weight.movedim(span.dim, 1).flatten(2).sum(2)
    summed = weight.flatten(2).sum(2)  # (outputs, inputs of one group)
    return torch.block_diag(*summed.chunk(groups))


def _conv_groups(module: nn.Module, span: Span) -> int:
    """Return the number of groups of a convolution, of a linear layer 1."""
    return int(getattr(module.get_submodule(span.layer), "groups", 1)) if span.dim == 1 else 1
