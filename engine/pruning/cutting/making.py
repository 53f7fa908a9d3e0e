"""From a network that was changed to a model in use, and how it was made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from threading import RLock
from typing import Any

import numpy as np
from torch import nn

from engine.errors import MethodError
from engine.models.corrections import Corrections
from engine.models.digest import digest_model
from engine.models.loaded import LoadedModel
from engine.models.loading import load_source
from engine.models.narrowing.heads import Heads
from engine.models.narrowing.made import Pruned, made_of, remember
from engine.models.references import pruned_ref
from engine.models.sources import Source
from engine.pruning.cutting.cut import heads_of
from engine.pruning.units import Groups, Kept


def pruned_of(model: LoadedModel) -> Pruned | None:
    """Return how a model was made smaller, or None where it was not."""
    return made_of(model.module)


def described(model: LoadedModel, **made: Any) -> LoadedModel:
    """Note what a pruned model was asked to be: criterion, ratio, scope, repair …

    Args:
        model: of ``gated_copy`` or ``sliced_copy``; returned as it is.
        **made: plain values, saved with it.

    Raises:
        MethodError: it is no such copy.
    """
    known = made_of(model.module)
    if known is None:
        raise MethodError(f"{model.card.title} was not made by pruning")
    remember(model.module, replace(known, made={**known.made, **made}))
    return model


def as_model(
    model: LoadedModel, module: nn.Module, groups: Groups, kept: Kept, *, sliced: bool
) -> LoadedModel:
    """Return a changed copy of a network as a model in use; all is found out anew.

    Args:
        model: the whole one.
        module: the copy.
        groups, kept: what went.
        sliced: whether it is gone, or only gated.
    """
    before = pruned_of(model)
    heads = _heads_since((), heads_of(groups.groups, kept) if sliced else ())
    if before is None:
        whole = _shapes(model.module)
        made = Pruned(model.ref, model.card.title, model.digest, dict(kept), sliced, whole, heads)
    else:
        made = replace(
            before,
            kept=_both(before, kept),
            sliced=sliced or before.sliced,
            heads=_heads_since(before.heads, heads),
        )
    remember(module, made)
    return _loaded(model, module, made)


def with_numbers(model: LoadedModel, module: nn.Module) -> LoadedModel:
    """Return a copy of a model whose numbers were changed, its shapes being as they were.

    Args:
        model: as it was; of a pruned one the copy tells the same of how it was made.
        module: a copy of its network.
    """
    made = pruned_of(model)
    if made is None:
        ref = pruned_ref(model.ref, digest_model(module))
        return replace(model, ref=ref, module=module, in_hand=False, lock=RLock(), _digest=None)
    remember(module, made)
    return _loaded(model, module, made)


def _loaded(model: LoadedModel, module: nn.Module, made: Pruned) -> LoadedModel:
    ref = pruned_ref(made.ref, digest_model(module))
    notes = tuple(note for note in model.card.notes if not note.startswith("it "))
    card = replace(model.card, title=made.told, summary=made.summary, notes=notes)
    source = Source(
        ref,
        module,
        card,
        model.spec,
        model.classes,
        activation=model.activation,
        told_by=model.told_by,
        corrections=Corrections(layer=model.corrections.layer),
    )
    found = load_source(source, None, Corrections(), model.device)
    return replace(found, spec_by=model.spec_by)


def _both(before: Pruned, kept: Kept) -> dict[str, np.ndarray]:
    """Return which units of the whole network stay after a second cut."""
    found = {name: np.array(stays, dtype=bool) for name, stays in before.kept.items()}
    for name, stays in kept.items():
        if name in found:
            there = found[name] if before.sliced else np.ones(len(found[name]), dtype=bool)
            found[name][np.flatnonzero(there)[~np.asarray(stays)]] = False
    return found


def _heads_since(before: Iterable[Heads], now: Iterable[Heads]) -> tuple[Heads, ...]:
    """Return how many heads went in two cuts."""
    found = {heads.layer: heads for heads in before}
    for heads in now:
        first = found.get(heads.layer, heads)
        found[heads.layer] = replace(heads, before=first.before)
    return tuple(sorted(found.values(), key=lambda heads: heads.layer))


def _shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
