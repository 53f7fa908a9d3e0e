"""``prune_blocks``: what becomes of the prediction when a block of one head's attention is zero."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import torch

from engine.attention.gates import gated
from engine.attention.site import AttentionSite
from engine.execution.chunks import Chunks, default_chunk, telling_out_of_memory
from engine.execution.passes import Cancel, Passes, Progress
from engine.head_results import BLOCKS, PartialPruning
from engine.heads.asking import named
from engine.heads.cutting import Blocks, Cut
from engine.heads.looking import Head, check_heads, gates_without
from engine.heads.study import Pictures, Study, over_pictures, plan_study
from engine.inputs.image_sets import ImageSet
from engine.models.classes import resolve_class
from engine.models.image_labels import NONE, match_labels
from engine.models.loaded import LoadedModel, ModelInput
from engine.models.outputs import probabilities_of
from engine.results import Manifest

_WAYS = (False, True)  # rows as they are left, rows made to sum to 1 again
_PLAIN, _WHOLE = -2, -1  # the last samples of the batch


def prune_blocks(
    model: LoadedModel,
    given: ModelInput | ImageSet,
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
    padding of a window counts as going to patches. Ten passes for each picture; those of a set
    that cannot be read are left out.

    Args:
        model: a loaded model.
        given: an image, anything ``load_image`` takes, a prepared tensor; or an image set, of
            which means and standard errors are returned.
        layer, head: counted from 0.
        target: the class that is followed; by default the predicted one, of a picture in a set
            its true one where that is known.
        off: layer and head of others, switched off throughout.
        progress: called with passes done and passes promised.
        cancel: an object with ``is_set()``, looked at before every pass.

    Raises:
        MethodError: the model's tokens have no known places.
        ParameterError: no such head.
        TargetError: no such class.
        InputError: not one picture can be read, or the model knows none of a set's labels.
        Cancelled: the caller asked to stop.
    """
    chosen = None if target is None else resolve_class(target, model.classes)
    pictures: Pictures = given if isinstance(given, ImageSet) else [given]
    single = pictures is not given
    study = plan_study(
        model,
        pictures,
        PartialPruning.kind,
        off=off,
        layer=layer,
        head=head,
        target=None if single else named(model, chosen),
    )
    check_heads(study.found, [(layer, head)])
    cut = _cuts(study.found.sites[layer], head)
    passes = study.passes(progress, cancel, each=len(cut.whole))
    wanted = _classes(study, chosen)
    gates = gates_without(study.found, off)
    followed = []
    for place, x in study.prepared(passes):
        outputs = _outputs(passes, x, cut, gates)
        if wanted[place] == NONE:
            wanted[place] = outputs[0][_PLAIN].argmax()
        followed.append(np.stack([one[:, wanted[place]] for one in outputs], axis=-1))
    if single:
        study.request["target"] = named(model, int(wanted[0]))
    return _pruned(study.manifest(passes, {}), followed, study.found.sites[layer])


def _classes(study: Study, chosen: int | None) -> np.ndarray:
    """Return the class that each picture is followed in, ``(pictures,)``; −1: the predicted."""
    if chosen is not None or not isinstance(study.inputs, ImageSet):
        return np.full(len(study.inputs), NONE if chosen is None else chosen)
    return match_labels(study.inputs.labels, study.model.classes)


def _pruned(
    manifest: Manifest, followed: Sequence[np.ndarray], site: AttentionSite
) -> PartialPruning:
    """Put together what became of the pictures, each float64 ``(samples, 2)``."""
    plain, plain_error = over_pictures([one[_PLAIN] for one in followed])
    changes = [one - one[_PLAIN] for one in followed]
    whole, whole_error = over_pictures([one[_WHOLE] for one in changes])
    shape = (len(BLOCKS), len(_WAYS), 2)
    blocks, blocks_error = over_pictures([one[:_PLAIN].reshape(shape) for one in changes])
    if not site.prefix + site.suffix:
        for found in (blocks, blocks_error):
            if found is not None:
                found[:3] = np.nan
    return PartialPruning(manifest, blocks, whole, plain, blocks_error, whole_error, plain_error)


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
