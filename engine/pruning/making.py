"""From a network that was changed to a model in use, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from torch import nn

from engine.models.corrections import Corrections
from engine.models.digest import digest_model
from engine.models.loaded import LoadedModel
from engine.models.loading import load_source
from engine.models.narrowing.heads import Heads
from engine.models.references import pruned_ref
from engine.models.sources import Source
from engine.pruning.cutting import heads_of
from engine.pruning.units import Groups, Kept

_made: WeakKeyDictionary[nn.Module, Pruned] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Pruned:
    """How a smaller network was made.

    Attributes:
        ref, title, digest: of the whole network.
        kept: which units stay, for every group.
        sliced: whether units are gone; else their columns are zero.
        shapes: of all tensors of the whole network, by name.
        heads: of attentions that lost some.
        made: what was asked for (criterion, ratio …), free.
    """

    ref: str
    title: str
    digest: str
    kept: Kept
    sliced: bool
    shapes: Mapping[str, tuple[int, ...]]
    heads: tuple[Heads, ...] = ()
    made: Mapping[str, Any] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Share of all units that went."""
        every = np.concatenate([np.asarray(stays) for stays in self.kept.values()])
        return float(1 - every.mean())


def pruned_of(model: LoadedModel) -> Pruned | None:
    """Return how a model was made smaller, or None where it was not."""
    return _made.get(model.module)


def described(model: LoadedModel, **made: Any) -> LoadedModel:
    """Note what a pruned model was asked to be: criterion, ratio, scope, repair …

    Args:
        model: a copy of ``gated_copy`` or ``sliced_copy``; changed in place and returned.
        **made: plain values, saved with it.
    """
    known = _made[model.module]
    _made[model.module] = replace(known, made={**known.made, **made})
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
    parts = groups.groups
    made = Pruned(
        model.ref if before is None else before.ref,
        model.card.title if before is None else before.title,
        model.digest if before is None else before.digest,
        kept,
        sliced,
        _shapes(model.module) if before is None else before.shapes,
        tuple(heads_of(parts, kept)),
    )
    found = wrapped(model, module, made)
    _made[module] = made
    return found


def wrapped(model: LoadedModel, module: nn.Module, made: Pruned) -> LoadedModel:
    """Return a network as a model that takes and returns what another does."""
    ref = pruned_ref(made.ref, digest_model(module))
    how = "pruned" if made.sliced else "gated"
    card = replace(
        model.card,
        title=f"{made.title}, {how} ({100 * made.share:.0f} %)",
        summary=f"{made.title} with {made.share:.0%} of its units {_GONE[made.sliced]}.",
        notes=tuple(note for note in model.card.notes if not note.startswith("it ")),
    )
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


_GONE = {True: "removed", False: "switched off"}


def _shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
