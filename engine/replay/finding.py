"""What a replay needs in any case: the model of then, and a manifest to be trusted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.errors import DeviceError, ReplayError
from engine.manifest import SCHEMA, key_of
from engine.models.devices import resolve_device
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.results import Manifest, Result


def check_complete(saved: Result, decisive: Iterable[str]) -> dict[str, Any]:
    """Return a result's request.

    Raises:
        ReplayError: it lacks what decides the numbers, or was changed by hand.
    """
    request = saved.manifest.get("request")
    schema = request.get("schema") if isinstance(request, dict) else None
    if not isinstance(request, dict) or schema != SCHEMA or not set(decisive) < set(request):
        raise ReplayError(
            f"the manifest has schema {schema}; what can be replayed is a complete manifest of "
            f"schema {SCHEMA}"
        )
    if key_of(request) != saved.manifest.get("key"):
        raise ReplayError("the manifest was changed by hand: its key is not that of its request")
    return request


def find_model(manifest: Manifest, model: Any) -> LoadedModel:
    """Return the model that a result was made with, or the one given instead.

    Raises:
        ReplayError: it was in hand and is not given, or is not the one of then.
    """
    loaded = _loaded(manifest, model)
    check_same("model", manifest["request"]["model"]["digest"], loaded.digest)
    return loaded


def _loaded(manifest: Manifest, model: Any) -> LoadedModel:
    if model is not None and not isinstance(model, str):
        return load_model(model)
    ref = model or manifest.get("source", {}).get("model", "")
    if not ref or ref.startswith(("module:", "estimator:", "upload:")):
        raise ReplayError(
            "the result was made with an upload, or with a network or an estimator in hand; pass "
            "it (in Python model=…, on the command line --model REF)"
        )
    device = manifest["request"]["device"]
    try:
        resolve_device(device)
    except DeviceError:  # told afterwards, among what differs
        device = "auto"
    return load_model(ref, device=device)


def find_file(origin: str, called: str, *, of_row: bool = False) -> str:
    """Return an origin that is still there: a sample, or a file or folder.

    Args:
        origin: what a result's source tells.
        called: the input's name.
        of_row: the number of a row comes after the file.

    Raises:
        ReplayError: there is none.
    """
    if not origin:
        raise ReplayError(
            f"the result does not say where its input {called!r} lies; pass it with --input FILE "
            "(in Python given=…)"
        )
    file = origin.rpartition("#")[0] or origin if of_row else origin
    if not origin.startswith("sample:") and not Path(file).exists():
        raise ReplayError(
            f"the input {origin} is not there any more; pass it with --input FILE "
            "(in Python given=…)"
        )
    return origin


def check_same(title: str, then: Any, now: Any) -> None:
    """Raise ``ReplayError`` if something is not what it was."""
    if then != now:
        raise ReplayError(
            f"the {title} is not the one of the result: {_short(now)} now, {_short(then)} then"
        )


def _short(value: Any) -> str:
    """Say a digest by its beginning, anything else as it is; one line."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return f"{text[:12]}…" if len(text) == 64 else text[:200]
