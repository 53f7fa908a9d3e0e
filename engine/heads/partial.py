"""``prune_blocks``: what becomes of the prediction when a block of one head's attention is zero."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import torch

from engine.attention.gates import gated
from engine.attention.site import AttentionSite
from engine.execution.chunks import Chunks, default_chunk, telling_out_of_memory
from engine.execution.passes import Cancel, Passes, Progress
from engine.head_results import BLOCKS, PartialPruning
from engine.heads.cutting import Blocks, Cut
from engine.heads.looking import Head, check_heads, gates_without
from engine.heads.study import plan_study
from engine.models.classes import resolve_class
from engine.models.loaded import LoadedModel, ModelInput
from engine.models.outputs import probabilities_of

_WAYS = (False, True)  # rows as they are left, rows made to sum to 1 again
_PLAIN, _WHOLE = -2, -1  # the last samples of the batch


def prune_blocks(
    model: LoadedModel,
    given: ModelInput,
    layer: int,
    head: int,
    target: int | str | None = None,
    *,
    off: Collection[Head] = (),
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> PartialPruning:
    """Put each of the four blocks of one head's attention to zero, one at a time, in two ways.

    The head then puts out A′V. All four blocks together are the head switched off. What goes to
    padding of a window counts as going to patches.

    Args:
        model: a loaded model.
        given: an image, anything ``load_image`` takes, or a prepared tensor.
        layer, head: counted from 0.
        target: the class that is followed; by default the predicted one.
        off: layer and head of others, switched off throughout.
        progress: called with passes done and passes promised.
        cancel: an object with ``is_set()``, looked at before every pass.

    Raises:
        MethodError: the model's tokens have no known places.
        ParameterError: no such head.
        TargetError: no such class.
        Cancelled: the caller asked to stop.
    """
    chosen = None if target is None else resolve_class(target, model.classes)
    study = plan_study(
        model, [given], PartialPruning.kind, off=off, layer=layer, head=head, target=chosen
    )
    check_heads(study.found, [(layer, head)])
    cut = _cuts(study.found.sites[layer], head)
    passes = study.passes(progress, cancel, len(cut.whole) - 1)
    outputs = _outputs(passes, model.prepare(given), cut, gates_without(study.found, off))
    index = int(outputs[0][_PLAIN].argmax()) if chosen is None else chosen
    study.request["target"] = {"index": index, "name": model.classes[index]}
    followed = np.stack([one[:, index] for one in outputs], axis=-1)  # (samples, 2)
    change = followed - followed[_PLAIN]
    site = study.found.sites[layer]
    blocks = change[:_PLAIN].reshape(len(BLOCKS), len(_WAYS), 2)
    if not site.prefix + site.suffix:
        blocks[:3] = np.nan
    return PartialPruning(
        study.manifest(passes, {}),
        blocks.astype(np.float32),
        change[_WHOLE].astype(np.float32),
        followed[_PLAIN].astype(np.float32),
    )


def _outputs(
    passes: Passes, x: torch.Tensor, cut: Cut, gates: Mapping[int, torch.Tensor]
) -> tuple[np.ndarray, np.ndarray]:
    """Return logits and probabilities of all samples, float64 ``(samples, classes)`` each."""

    def some(start: int, stop: int) -> torch.Tensor:
        with torch.no_grad(), gated(gates), Blocks(cut.of(start, stop)):
            return passes.forward(x.repeat(stop - start, *[1] * (x.ndim - 1)))

    with telling_out_of_memory():
        parts = Chunks(default_chunk(passes.model)).over(len(cut.whole), passes, some)
    logits = torch.cat(parts).cpu().double()
    return logits.numpy(), probabilities_of(logits, passes.model.activation).numpy()


def _cuts(site: AttentionSite, head: int) -> Cut:
    """Return the samples: each block in both ways, then nothing cut, then all."""
    keep = ~block_masks(site)  # (4, windows, slots, slots)
    ends = torch.stack([torch.ones_like(keep[0]), torch.zeros_like(keep[0])])
    count = len(keep) * len(_WAYS)
    whole = torch.zeros(count + 2, dtype=torch.bool)
    whole[_PLAIN] = True
    even = torch.tensor([*_WAYS * len(keep), False, False])
    kept = torch.cat([keep.repeat_interleave(len(_WAYS), dim=0), ends])
    return Cut(site.index, head, kept, even, whole)


def block_masks(site: AttentionSite) -> torch.Tensor:
    """Return which weights are in each block, in the order of ``BLOCKS``.

    Returns:
        bool ``(4, windows, slots, slots)``; each weight is in one of them.
    """
    assert site.layout is not None
    end = site.tokens - site.suffix
    layout = site.layout
    own = torch.from_numpy(((layout >= 0) & (layout < site.prefix)) | (layout >= end))
    sides = (own, ~own)
    return torch.stack([q[:, :, None] & k[:, None, :] for q in sides for k in sides])
