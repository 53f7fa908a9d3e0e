"""What units that went said on average, put into the biases of what read them (FLAP)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

from engine.pruning.repairing.flow import Flow
from engine.pruning.scoring.moments import Moments
from engine.pruning.scoring.tensors import columns_of, inputs_of
from engine.pruning.units import Groups, Kept, Span


@dataclass
class Compensated:
    """What came of it.

    Attributes:
        biases: layers whose bias was changed.
        means: batch norms whose running mean was changed for a layer that has no bias.
        without: layers that have neither.
    """

    biases: list[str] = field(default_factory=list)
    means: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)


def missing(
    dense: nn.Module, groups: Groups, kept: Kept, means: Mapping[str, Moments]
) -> dict[str, torch.Tensor]:
    """Return what each reader puts out less on average, float64 ``(outputs,)``, by its name.

    It is Σ W_c · E[X_c] over the units that went, a kernel's weights summed: at the border of a
    padded map, where part of a kernel reads the padding, that is too much.

    Args:
        dense: the network before the cut.
        groups, kept: what went.
        means: of what readers are given in the network before the cut.
    """
    found: dict[str, torch.Tensor] = {}
    for group in groups.groups:
        gone = torch.from_numpy(~kept[group.name]) if group.name in kept else None
        if gone is None or not gone.any():
            continue
        for span in group.consumers:
            part = _of_reader(dense, span, gone, means[span.layer].mean)
            found[span.layer] = found[span.layer] + part if span.layer in found else part
    return found


def compensate(
    module: nn.Module, lost: Mapping[str, torch.Tensor], readers: Sequence[str], flow: Flow
) -> Compensated:
    """Give readers back what they lost, in place.

    A layer without a bias in front of a batch norm has it taken from the running mean, which is
    the same.

    Args:
        module: the network after the cut.
        lost: from ``missing``.
        readers: those to compensate.
        flow: which batch norms follow.
    """
    told = Compensated()
    for name in readers:
        layer = module.get_submodule(name)
        bias, norm = getattr(layer, "bias", None), flow.followed.get(name)
        with torch.no_grad():
            if isinstance(bias, torch.Tensor):
                bias += lost[name].to(bias)
                told.biases.append(name)
            elif norm is not None:
                mean = module.get_submodule(norm).running_mean
                assert isinstance(mean, torch.Tensor)
                mean -= lost[name].to(mean)
                told.means.append(norm)
            else:
                told.without.append(name)
    return told


def _of_reader(
    dense: nn.Module, span: Span, gone: torch.Tensor, mean: torch.Tensor
) -> torch.Tensor:
    inputs = inputs_of(dense, span)[gone].flatten()
    return columns_of(dense, span)[:, inputs] @ mean[inputs]
