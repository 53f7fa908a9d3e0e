"""What the tests of heads share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch
from torch import nn

from engine.attention.gates import gated
from engine.attention.sites import attention_sites
from engine.execution.passes import Passes
from engine.heads.ablation import Ablation, Place, Reuse, gates_of
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from tests.engine import zoo
from tests.engine.attention import library, nets

Sets = Sequence[Collection[Place]]
WHOLE = Reuse()
HAND_WRITTEN = {
    kind.__name__: kind
    for kind in (
        nets.Vit,
        nets.Encoder,
        nets.Multihead,
        nets.Weighing,
        nets.Einsum,
        nets.Unprojected,
        nets.SequenceFirst,
        nets.InPlace,
        nets.Maps,
        nets.Last,
        nets.Pooling,
        nets.Shuffled,
    )
}
ALL = [*library.MAKES, *HAND_WRITTEN]


class Skipping(nets.Vit):
    """What the first block returned is added to every later block's input, once per sample."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = x = self.blocks[0](self.embedded(x))
        for block in self.blocks[1:]:
            x = block(torch.stack([a + 0.5 * b for a, b in zip(x, first, strict=True)]))
        return self.head(x[:, 0])


class Remembering(nets.Vit):
    """The last block's output depends on the first block's, by a way of its own."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks[0](self.embedded(x))
        kept = x.mean(dim=(1, 2)).tolist()
        for block in self.blocks[1:]:
            x = block(x)
        return self.head(x[:, 0]) + torch.tensor(kept)[:, None]


def load(name: str) -> LoadedModel:
    """A small model of a library, or one written by hand."""
    return nets.load(HAND_WRITTEN[name]) if name in HAND_WRITTEN else library.load(name)


def outputs(model: LoadedModel, x: torch.Tensor, sets: Sets, reuse: Reuse, size: int) -> Any:
    """Logarithms of probabilities without each set, ``(sets, n, classes)``; the ablation."""
    found = attention_sites(model)
    ablation = Ablation(Passes(model), found.sites, reuse)
    said, others = ablation.outputs(x, sets, size)
    parts = {place: each.log_p[i] for chosen, each in others for i, place in enumerate(chosen)}
    assert sorted(parts) == list(range(len(sets)))
    return said, torch.stack([parts[place] for place in range(len(sets))]), ablation


def one_by_one(model: LoadedModel, x: torch.Tensor, sets: Sets) -> torch.Tensor:
    """The naive loop: logits of whole passes, ``(sets, n, classes)``."""
    sites = attention_sites(model).sites
    found = []
    for off in sets:
        rows = []
        for sample in x:
            with torch.no_grad(), gated(gates_of([off], sites)):
                rows.append(model.forward(sample[None]))
        found.append(torch.cat(rows))
    return torch.stack(found)


def hooked(module: nn.Module, told: Callable[[torch.Tensor], None]) -> Any:
    return module.register_forward_pre_hook(lambda _module, args: told(args[0]))


def of_two_layers(seed: int = 1) -> LoadedModel:
    """Two layers of two heads, as ``tests.engine.reference_heads`` computes it."""
    module = zoo.seeded(lambda: nets.Of(nets.Block), seed)
    with torch.no_grad():
        for block in module.blocks:
            block.out.weight *= 6
    return load_model(module, input_spec=zoo.PICTURE, device="cpu")
