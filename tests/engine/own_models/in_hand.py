"""Networks written by hand and handed over in Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from tests.engine.own_models import nets, vits
from tests.engine.own_models.alive import revive
from tests.engine.own_models.own import IMAGENET, Facts, Own, as_it_is, global_rollout
from tests.engine.own_models.rollouts import of_hand_written

GREY = ((0.0,), (1.0,))


def lively(builder: Callable[[], nn.Module], shape: tuple[int, ...] = (3, 32, 32)) -> nn.Module:
    """Drawn from a seed; the generator of the tests stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return revive(builder().eval(), shape)


def _own(
    name: str,
    builder: Callable[[], nn.Module],
    *,
    read: Callable[[Any], torch.Tensor] = as_it_is,
    shape: tuple[int, int, int] = (3, 32, 32),
    normalisation: Any = IMAGENET,
    layer: str = "trunk",
    **facts: Any,
) -> Own:
    def load(_folder: Path) -> LoadedModel:
        return load_model(lively(builder, shape))

    found = Facts("cnn", shape, normalisation, layer=layer, **facts)
    return Own(f"in hand: {name}", load, found, read)


def _attending(name: str, attention: type[vits.Packed] | type[vits.Fused]) -> Own:
    def load(_folder: Path) -> LoadedModel:
        return load_model(lively(lambda: vits.Vit(attention)))

    facts = Facts("vit", (3, 32, 32), IMAGENET, attention=3)
    rollout = global_rollout(of_hand_written, "class")
    return Own(f"in hand: {name}", load, facts, rollout=rollout)


def _one_number(returned: torch.Tensor) -> torch.Tensor:
    return returned[:, None]


IN_HAND = (
    _own("nn.Sequential", nets.sequential, layer="5"),
    _attending("ViT, nn.MultiheadAttention", vits.Packed),
    _attending("ViT, scaled_dot_product_attention", vits.Fused),
    _attending("ViT, einsum and softmax", vits.ByHand),
    _own(
        "one logit",
        lambda: nets.Cnn(classes=1),
        classes=("class 0",),
        activation="sigmoid",
    ),
    _own(
        "one number for each sample",
        nets.OneNumber,
        read=_one_number,
        classes=("class 0",),
        activation="sigmoid",
    ),
    _own("multi-label", nets.MultiLabel, read=torch.logit, activation="sigmoid"),
    _own(
        "1 channel",
        lambda: nets.Cnn(1, side=28),
        shape=(1, 28, 28),
        normalisation=GREY,
    ),
    _own(
        "5 channels",
        lambda: nets.Cnn(5),
        shape=(5, 32, 32),
        normalisation=None,
    ),
    _own("trunk used twice", nets.Twice),
    _own("dict", nets.InDict, read=lambda out: out["scores"], output=("dict", "scores")),
    _own("tuple", nets.InTuple, read=lambda out: out[1], output=("tuple", "1")),
    _own("dataclass", nets.InDataclass, read=lambda out: out.logits, output=("Answer", "logits")),
    _own("logits with axes of one cell", nets.Cells, read=lambda out: out.flatten(1)),
)
