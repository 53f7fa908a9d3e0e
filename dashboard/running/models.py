"""Models in use, shared by all sessions."""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.manifest import digest_of
from engine.models.bundled import bundled_models

if TYPE_CHECKING:
    from engine.models.loaded import LoadedModel

EXTRA_MODELS = "HALOSCOPE_MODELS"
DEVICE = "HALOSCOPE_DEVICE"
_KEPT = 32

Kind = Literal["pictures", "tables"]

_lock = threading.Lock()
_loaded: OrderedDict[str, LoadedModel] = OrderedDict()


def references(kind: Kind | None = None) -> list[str]:
    """Return what can be chosen: the bundled models, then those named on the command line.

    Args:
        kind: only models for pictures, or for tables.
    """
    extra = [ref for ref in os.environ.get(EXTRA_MODELS, "").split("\n") if ref]
    every = [model.name for model in bundled_models()] + extra
    return [ref for ref in every if kind in (None, kind_of(ref))]


def kind_of(ref: str) -> Kind:
    """Return what a reference's model takes, without loading it."""
    from engine.models.references import parse_file_reference

    name = ref
    if ref.startswith("file:"):
        file = parse_file_reference(ref)
        if file.is_estimator or file.columns is not None:
            return "tables"
        name = file.arch
    known = {model.name: model.family for model in bundled_models()}
    return "tables" if known.get(name) == "tabular" else "pictures"


def title(ref: str) -> str:
    """Return what the chooser calls a reference."""
    for model in bundled_models():
        if model.name == ref:
            return model.card.title
    name = _file_name(ref)
    alike = [other for other in references() if _file_name(other) == name]
    return name if len(alike) < 2 else ref.removeprefix("file:")


def _file_name(ref: str) -> str:
    return Path(ref.removeprefix("file:").partition("?")[0]).name


def identity(model: LoadedModel) -> str:
    """Return a digest of all of a model that decides what it says of an input.

    The same weights may be loaded twice, with other columns, another normalisation or other
    names of the classes.
    """
    told = json.dumps(model.spec.describe(), sort_keys=True)
    return digest_of(model.digest.encode(), told.encode(), model.classes_digest.encode())


def model(ref: str) -> LoadedModel:
    """Return a model, loaded once; the last used are kept.

    Raises:
        HaloscopeError: it cannot be loaded.
    """
    from engine.models.loading import load_model

    with _lock:
        if ref not in _loaded:
            _loaded[ref] = load_model(ref, device=os.environ.get(DEVICE, "auto"))
        _loaded.move_to_end(ref)
        while len(_loaded) > _KEPT:
            _loaded.popitem(last=False)
        return _loaded[ref]
