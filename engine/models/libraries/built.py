"""What a library hands over: a network, and what the library knows of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from engine.models.cards import Card
from engine.models.outputs import Activation
from engine.models.specs import InputSpec
from engine.models.weights import renamed


@dataclass(frozen=True)
class Built:
    """A network and what is told of it.

    Attributes:
        module: the network, in eval mode.
        spec: what it wants as input; None where nobody says.
        classes: class names by index, or None.
        card: what a person should know.
        activation: how logits become probabilities, or "" where nobody says.
        told_by: the library's name.
    """

    module: nn.Module
    spec: InputSpec | None
    classes: tuple[str, ...] | None
    card: Card
    activation: Activation | str = ""
    told_by: str = ""


Tensors = Mapping[str, torch.Tensor]


def class_count_of(module: nn.Module, classes: int, tensors: Tensors) -> int | None:
    """Return how many classes weights are for, where that is all in which they do not fit.

    Args:
        module: a network of the architecture with another number of classes.
        classes: that number.
        tensors: the weights.
    """
    own = module.state_dict()
    tensors = renamed(tensors, own)
    other = [name for name in own if name in tensors and own[name].shape != tensors[name].shape]
    lengths = {(own[name].shape[:1], tensors[name].shape[:1]) for name in other}
    same_else = all(own[name].shape[1:] == tensors[name].shape[1:] for name in other)
    if len(lengths) != 1 or not same_else or lengths.pop()[0] != (classes,):
        return None
    return int(tensors[other[0]].shape[0])


_drawing = threading.Lock()  # torch has one generator for all threads


def drawn(build: Callable[[], Any]) -> Any:
    """Build something with random weights that are the same each time."""
    with _drawing, torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build()
