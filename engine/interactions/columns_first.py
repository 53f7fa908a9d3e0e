"""Small networks for tables with their axes turned: features first, samples along the memory.

A hidden layer of sixteen units leaves most of a processor idle when samples stand in rows; with
samples along the memory every operation runs over thousands of neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import nn

from engine.models.loaded import LoadedModel
from engine.models.zoo.table_nets import TableLogistic, TableMLP

_PASSING = (nn.ReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.ELU, nn.SiLU, nn.LeakyReLU, nn.Softplus)
_IDLE = (nn.Identity, nn.Dropout)


class ColumnsFirst(nn.Module):
    """A chain of linear layers and what acts on each unit alone: (n, features) → (n, outputs).

    Args:
        layers: shared with the network they are of, weights and all; those that do nothing once
            trained are left out.
    """

    def __init__(self, layers: Iterable[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(one for one in layers if not isinstance(one, _IDLE))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, features) → (n, outputs); x is best the transpose of a contiguous tensor."""
        hidden = x.t()  # (features, n)
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                hidden = _linear(layer, hidden)
            elif isinstance(layer, nn.ReLU):
                hidden = hidden.relu_()
            else:
                hidden = layer(hidden)
        return hidden.t()


def _linear(layer: nn.Linear, hidden: torch.Tensor) -> torch.Tensor:
    if layer.bias is None:
        return layer.weight @ hidden
    return torch.addmm(layer.bias[:, None], layer.weight, hidden)


def columns_first(model: LoadedModel) -> LoadedModel:
    """Return the same model with its axes turned, where its network is such a chain; else itself.

    Weights, lock and digest stay shared; outputs agree up to rounding.
    """
    if not is_chain(model.module) or model.seen.squash:
        return model
    return replace(model, module=ColumnsFirst(_chain(model.module)))


def widest(model: LoadedModel) -> int:
    """Return the most numbers that a sample becomes on the way through a chain, inputs first."""
    layers = _chain(model.module) if is_chain(model.module) else []
    sizes = [layer.out_features for layer in layers if isinstance(layer, nn.Linear)]
    return max(model.spec.shape[0], *sizes, 1)


def in_double(model: LoadedModel) -> LoadedModel:
    """Return a copy of such a model in double precision, where the device has it; others as is."""
    if not is_chain(model.module) or model.seen.squash or model.device.type == "mps":
        return model
    twin = ColumnsFirst(_copied(layer) for layer in _chain(model.module))
    return replace(model, module=twin, _digest=None)


def is_chain(module: nn.Module) -> bool:
    """Whether a network is nothing but linear layers and what acts on each unit alone.

    The first of them is linear: it makes new memory, so that nothing is written into what was
    given.
    """
    layers = _chain(module)
    return bool(layers) and isinstance(layers[0], nn.Linear)


def _copied(layer: nn.Module) -> nn.Module:
    if not isinstance(layer, nn.Linear):
        return layer
    has_bias = layer.bias is not None
    twin = nn.Linear(layer.in_features, layer.out_features, bias=has_bias).double()
    twin.load_state_dict(layer.state_dict())
    return twin.to(layer.weight.device)


def _chain(module: nn.Module) -> list[nn.Module]:
    """Return the layers of a network that is nothing but a chain of them, or nothing."""
    if isinstance(module, TableLogistic):
        return [module.linear]
    if isinstance(module, TableMLP):
        return _chain(module.layers)
    if isinstance(module, nn.Sequential) and type(module) is nn.Sequential:
        parts = [_chain(part) for part in module]
        return [layer for part in parts for layer in part] if all(parts) else []
    if type(module) in (nn.Linear, *_PASSING, *_IDLE, ColumnsFirst):
        return list(module.layers) if isinstance(module, ColumnsFirst) else [module]
    return []
