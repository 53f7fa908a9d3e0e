"""Models in use, shared by all sessions."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from engine.models.bundled import bundled_models

if TYPE_CHECKING:
    from engine.models.loaded import LoadedModel

EXTRA_MODELS = "HALOSCOPE_MODELS"
DEVICE = "HALOSCOPE_DEVICE"
_KEPT = 12

_lock = threading.Lock()
_loaded: OrderedDict[str, LoadedModel] = OrderedDict()


def references() -> list[str]:
    """Return what can be chosen: the bundled models, then those named on the command line."""
    extra = [ref for ref in os.environ.get(EXTRA_MODELS, "").split("\n") if ref]
    return [model.name for model in bundled_models()] + extra


def title(ref: str) -> str:
    """Return what the chooser calls a reference."""
    for model in bundled_models():
        if model.name == ref:
            return model.card.title
    return Path(ref.removeprefix("file:").partition("?")[0]).name


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
