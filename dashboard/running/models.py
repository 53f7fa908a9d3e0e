"""Models in use: those at hand and of the command line for all, a user's own for their session."""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dashboard.running import own_models
from dashboard.running.allowed import EXTRA_MODELS, named_at_start
from engine.manifest import digest_of
from engine.models.bundled import bundled_models

if TYPE_CHECKING:
    from engine.models.loaded import LoadedModel

__all__ = ["DEVICE", "EXTRA_MODELS", "Kind", "identity", "kind_of", "model", "references", "title"]

DEVICE = "HALOSCOPE_DEVICE"
_KEPT = 32

Kind = Literal["pictures", "tables"]

_lock = threading.Lock()
_loaded: OrderedDict[str, LoadedModel] = OrderedDict()
_loading: dict[str, threading.Lock] = {}


def references(kind: Kind | None = None) -> list[str]:
    """Return what can be chosen: bundled models, those of the command line, the session's own.

    Args:
        kind: only models for pictures, or for tables.
    """
    own = [added.ref for added in own_models.every()]
    every = list(dict.fromkeys([*at_hand(), *own]))
    return [ref for ref in every if kind is None or kind_of(ref) == kind]


def at_hand() -> list[str]:
    """Return what every session can choose."""
    return list(dict.fromkeys([*(model.name for model in bundled_models()), *named_at_start()]))


def kind_of(ref: str) -> str:
    """Return what a reference's model takes, without loading it; a session's own is loaded."""
    own = own_models.find(ref)
    if own is not None:
        return own.kind
    if ":" not in ref and "?" not in ref:
        known = {model.name: model.family for model in bundled_models()}
        return "tables" if known.get(ref) == "tabular" else "pictures"
    from engine.models.references import bundled_of, parse_file_reference

    if ref.startswith("file:"):
        file = parse_file_reference(ref)
        if file.is_estimator or file.columns is not None:
            return "tables"
    bundled = bundled_of(ref)
    return "tables" if bundled is not None and bundled.family == "tabular" else "pictures"


def title(ref: str) -> str:
    """Return what the choosers call a reference; no two of them are called the same."""
    own = own_models.find(ref)
    if own is not None:
        return own.title
    for model in bundled_models():
        if model.name == ref:
            return model.card.title
    name = short_name(ref)
    alike = [other for other in named_at_start() if short_name(other) == name]
    return name if len(alike) < 2 else ref.removeprefix("file:")


def short_name(ref: str) -> str:
    """Return the part of a reference that a person would call it by.

    >>> short_name("file:nets/mine.pth?arch=timm:resnet18"), short_name("hf:owner/name")
    ('mine.pth', 'name (hf)')
    """
    head = ref.partition("?")[0]
    kind, colon, name = head.partition(":")
    if kind == "file":
        return Path(name).name
    if colon and kind in ("hf", "timm", "torchvision"):
        return f"{Path(name).name or name} ({kind})"
    return head


def identity(model: LoadedModel) -> str:
    """Return a digest of all of a model that decides what it says of an input.

    The same weights may be loaded twice, with other columns, another normalisation or other
    names of the classes.
    """
    told = json.dumps(model.spec.describe(), sort_keys=True)
    return digest_of(
        model.digest.encode(),
        told.encode(),
        model.classes_digest.encode(),
        model.activation.encode(),
    )


def model(ref: str) -> LoadedModel:
    """Return a model, loaded once; the last used are kept.

    Raises:
        HaloscopeError: it cannot be loaded.
    """
    own = own_models.find(ref)
    if own is not None:
        return own.model
    with _lock:
        alone = _loading.setdefault(ref, threading.Lock())
    try:
        with alone:  # a slow one holds up only those who want the same
            return _kept(ref)
    finally:
        with _lock:
            _loading.pop(ref, None)


def loaded(ref: str) -> LoadedModel | None:
    """Return a model if it is here already, or None."""
    own = own_models.find(ref)
    if own is not None:
        return own.model
    with _lock:
        return _loaded.get(ref)


def _kept(ref: str) -> LoadedModel:
    """Return a model, loaded if it is not here; nobody else loads it meanwhile."""
    found = _loaded.get(ref)
    if found is None:
        from engine.models.loading import load_model

        found = load_model(ref, device=os.environ.get(DEVICE, "auto"))
    with _lock:
        _loaded[ref] = found
        _loaded.move_to_end(ref)
        while len(_loaded) > _KEPT:
            _loaded.popitem(last=False)
    return found
