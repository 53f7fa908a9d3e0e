"""What of a pass can be used again, found out by trying: once for each loaded model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
import torch

from engine.attention.site import ALONE, PAIR, AttentionSites
from engine.attention.sites import attention_sites
from engine.errors import Cancelled, one_line
from engine.execution.passes import Passes
from engine.heads.ablation import Ablation, Place, Reuse
from engine.heads.blocks import NoBlocks, find_blocks
from engine.heads.packed import can_pack
from engine.models.loaded import LoadedModel

_found: WeakKeyDictionary[LoadedModel, Reuse] = WeakKeyDictionary()
_guard = Lock()

# Of the largest logarithm of a probability. In float32 rounding moves it by a tenth of that.
_TOLERANCE = 1e-5
_UNITS = 16  # of the last place, where a network computes in less than float32


def find_reuse(model: LoadedModel) -> Reuse:
    """Find how much of a pass can be used again for a model.

    Heads of a few layers are switched off for two samples of noise by whole passes and, for
    both and for one, by each shorter way. A way is used where the logarithms of all
    probabilities are those of the whole passes to within 1e-5 of the largest. Takes about as
    long as forty passes.
    """
    with _guard:
        known = _found.get(model)
    if known is None:
        known = _tried(model, attention_sites(model))
        with _guard:
            _found[model] = known
    return known


def _tried(model: LoadedModel, found: AttentionSites) -> Reuse:
    x, sets = _noise(model), _some_heads(found)
    wanted = _logits(model, found, x, Reuse(), sets)

    def fault(reuse: Reuse) -> str:
        return _fault(model, found, x, reuse, sets, wanted)

    reuse = _shortest(model, found, x, fault)
    packed = replace(reuse, packed=True)
    return packed if can_pack(model.module) and not fault(packed) else reuse


def _shortest(
    model: LoadedModel, found: AttentionSites, x: torch.Tensor, fault: Callable[[Reuse], str]
) -> Reuse:
    """Find which blocks, and which tokens of the last, need not be run for every head."""
    try:
        with model.ready() as module:
            blocks = find_blocks(module, x)
    except NoBlocks as error:
        return Reuse(reason=str(error))
    prefix = Reuse(blocks)
    reason = fault(prefix)
    if reason:
        return Reuse(reason=reason)
    rows = _rows_read(found, blocks[-1].axis)
    if not rows:
        return prefix
    reason = fault(replace(prefix, rows=rows))
    return replace(prefix, reason=reason) if reason else replace(prefix, rows=rows)


def _fault(
    model: LoadedModel,
    found: AttentionSites,
    x: torch.Tensor,
    reuse: Reuse,
    sets: list[list[Place]],
    wanted: torch.Tensor,
) -> str:
    """Say why a way does not do, or nothing if it does."""
    try:
        logits = torch.cat([_logits(model, found, one, reuse, sets) for one in (x, x[:1])], dim=1)
    except Cancelled:
        raise
    except Exception as error:  # the network is the user's own code
        return f"{reuse.name}: the model cannot be run so ({one_line(error)})"
    known = torch.cat([wanted, wanted[:, :1]], dim=1)
    apart = float((logits - known).abs().max() / known.abs().max().clamp_min(1e-30))
    if apart <= _tolerance(model):
        return ""
    return f"{reuse.name}: outputs would be off by {apart:.1g} of the largest"


def _logits(
    model: LoadedModel,
    found: AttentionSites,
    x: torch.Tensor,
    reuse: Reuse,
    sets: list[list[Place]],
) -> torch.Tensor:
    """Return the logarithms of the probabilities without each set, ``(sets, 2, classes)``."""
    ablation = Ablation(Passes(model), found.sites, reuse)
    _, others = ablation.outputs(x, sets, size=4)
    parts = {index: said.log_p[i] for chosen, said in others for i, index in enumerate(chosen)}
    return torch.stack([parts[index] for index in range(len(sets))])


def _some_heads(found: AttentionSites) -> list[list[Place]]:
    """First and last head of the second layer, one in the middle, and the last."""
    depth = len(found.sites)
    layers = sorted({min(1, depth - 1), depth // 2, depth - 1})
    return [[(layer, head)] for layer in layers for head in (0, found.sites[layer].heads - 1)]


def _rows_read(found: AttentionSites, axis: int) -> tuple[int, ...]:
    last = found.sites[-1]
    if found.reads not in (ALONE, PAIR) or found.weights is None or axis > 1 or last.windows > 1:
        return ()
    return tuple(int(row) for row in np.flatnonzero(found.weights))


def _tolerance(model: LoadedModel) -> float:
    dtype = getattr(torch, model.dtype)
    return max(_TOLERANCE, _UNITS * torch.finfo(dtype).eps if dtype.itemsize < 4 else 0.0)


def _noise(model: LoadedModel) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    drawn = torch.randn((2, *model.spec.shape), generator=generator)
    return drawn.to(model.device, getattr(torch, model.dtype))
