"""``replay``: compute a saved result again, and say whether it came out the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from engine.attribution.explain import Plan, plan
from engine.errors import DeviceError, ReplayError
from engine.execution.passes import Cancel, Progress
from engine.inputs.images import ImageInput, load_image
from engine.inputs.sample_tables import load_named_row
from engine.inputs.samples import load_named
from engine.inputs.tables import Row, as_row
from engine.manifest import SCHEMA, key_of
from engine.models.devices import resolve_device
from engine.models.loaded import Given, LoadedModel, ModelInput
from engine.models.loading import load_model
from engine.results import Attribution, Manifest, Result

Verdict = Literal["equal to the bit", "within tolerance", "different"]

# Root of the summed squared differences over that of the saved values; our definition. Other
# kernels (one thread instead of two, oneDNN off, another device) round differently, which
# flips the sign of a few rectified units: single values of a gradient move by 1 % of the
# peak, the whole map by up to 0.3 % in what we measured. A changed weight, input or seed
# changes it by far more.
TOLERANCE = 0.01

# What of a request must agree; the rest is where it is computed, and may differ.
_DECISIVE = {
    "model": "model",
    "input": "input",
    "preprocessing": "preprocessing",
    "classes": "list of classes",
    "method": "method or its parameters",
    "background": "background",
    "data": "data",
    "target": "target",
    "versus": "versus",
    "output": "output",
    "seed": "seed",
    "dtype": "number format",
}


@dataclass(frozen=True, eq=False)
class Replayed:
    """What came of computing a saved result again.

    Attributes:
        verdict: "equal to the bit", "within tolerance" or "different".
        difference: relative: root of the summed squared differences over that of the saved
            values; 0 where all are equal, infinite where shapes differ.
        largest: largest absolute difference of a single value, in the result's unit.
        environment: what differs in where it was computed: ``name: (then, now)``.
        attribution: the result of now.
    """

    verdict: Verdict
    difference: float
    largest: float
    environment: dict[str, tuple[str, str]]
    attribution: Attribution


def replay(
    saved: Result,
    model: Any = None,
    given: ModelInput | None = None,
    *,
    background: Any = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Replayed:
    """Compute a saved result again and compare.

    Args:
        saved: an attribution, as ``load_result`` returns it.
        model: by default what the result's source names; a network in hand must be given.
        given: the input; by default the file or the sample that the source names. A tensor
            or a picture that was only in memory must be given.
        background: what the result compares with, if it does; it is in no file.
        progress, cancel: as in ``explain``.

    Raises:
        ReplayError: the model or the input cannot be found, or is not the one of then.
        HaloscopeError: as in ``explain``.
    """
    attribution = _checked(saved)
    planned = plan_again(attribution, model, given, background)
    computed = planned.run(progress, cancel)
    difference, largest = _differences(attribution, computed)
    verdict = _verdict(attribution, computed, difference)
    told = _environment(attribution.manifest, computed.manifest)
    return Replayed(verdict, difference, largest, told, computed)


def plan_again(
    saved: Attribution,
    model: Any = None,
    given: ModelInput | None = None,
    background: Any = None,
) -> Plan:
    """Return the plan that a saved result was computed from.

    Arguments and errors as in ``replay``.
    """
    request = saved.manifest["request"]
    compares = request["background"] is not None and not _is_row(saved.manifest)
    if compares and background is None:
        raise ReplayError("the result compares with a background; pass it in Python: background=…")
    loaded = _model(saved.manifest, model)
    _check_same("model", request["model"]["digest"], loaded.digest)
    planned = plan(
        loaded,
        _input(saved.manifest, given),
        request["method"]["name"],
        request["target"]["index"],
        versus=(request["versus"] or {}).get("index"),
        output=request["output"],
        background=background,
        seed=request["seed"],
        **request["method"]["parameters"],
    )
    for name, title in _DECISIVE.items():
        _check_same(title, request[name], planned.request[name])
    return planned


def _checked(saved: Result) -> Attribution:
    if not isinstance(saved, Attribution):
        raise ReplayError(f"a result of kind {saved.kind} cannot be replayed, only an attribution")
    request = saved.manifest.get("request")
    schema = request.get("schema") if isinstance(request, dict) else None
    if request is None or schema != SCHEMA or not set(_DECISIVE) < set(request):
        raise ReplayError(
            f"the manifest has schema {schema}; what can be replayed is a complete manifest of "
            f"schema {SCHEMA}"
        )
    if key_of(request) != saved.manifest.get("key"):
        raise ReplayError("the manifest was changed by hand: its key is not that of its request")
    return saved


def _model(manifest: Manifest, model: Any) -> LoadedModel:
    if model is not None and not isinstance(model, str):
        return load_model(model)
    ref = model or manifest.get("source", {}).get("model", "")
    if not ref or ref.startswith(("module:", "estimator:")):
        raise ReplayError(
            "the result was made with a network or an estimator in hand; pass it (in Python "
            "model=…, on the command line --model REF)"
        )
    device = manifest["request"]["device"]
    try:
        resolve_device(device)
    except DeviceError:  # told afterwards, among what differs
        device = "auto"
    return load_model(ref, device=device)


def _input(manifest: Manifest, given: ModelInput | None) -> Given:
    fit = manifest["request"]["preprocessing"]["fit"]
    if isinstance(given, torch.Tensor | Row):
        return given
    if fit == "row":
        return _row(manifest, given)
    if fit == "prepared":
        raise ReplayError(
            "the result was made from a prepared tensor; pass it in Python as given=…"
        )
    if given is None:
        given = _origin(manifest)
    if isinstance(given, ImageInput):
        return given.with_fit(fit)
    if isinstance(given, str):
        return load_named(given, fit=fit)
    return load_image(given, fit=fit)  # type: ignore[arg-type]


def _row(manifest: Manifest, given: Any) -> Row:
    if isinstance(given, Mapping):
        return as_row(given)
    if given is not None:
        return load_named_row(str(given))
    row = load_named_row(_origin(manifest))
    changes = manifest["source"].get("input_changes", {})
    return row.changed(**changes) if changes else row


def _origin(manifest: Manifest) -> str:
    source = manifest.get("source", {})
    origin = source.get("input_origin", "")
    if not origin:
        raise ReplayError(
            f"the result does not say where its input {source.get('input', '')!r} lies; pass it "
            "with --input FILE (in Python given=…)"
        )
    file = Path(origin.rpartition("#")[0] or origin) if _is_row(manifest) else Path(origin)
    if not origin.startswith("sample:") and not file.is_file():
        raise ReplayError(
            f"the input {origin} is not there any more; pass it with --input FILE "
            "(in Python given=…)"
        )
    return origin


def _is_row(manifest: Manifest) -> bool:
    return bool(manifest["request"]["preprocessing"]["fit"] == "row")


def _check_same(title: str, then: Any, now: Any) -> None:
    if then != now:
        raise ReplayError(
            f"the {title} is not the one of the result: {_short(now)} now, {_short(then)} then"
        )


def _short(value: Any) -> str:
    """Say a digest by its beginning, anything else as it is; one line."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return f"{text[:12]}…" if len(text) == 64 else text[:200]


def _differences(saved: Attribution, computed: Attribution) -> tuple[float, float]:
    """Return the relative and the largest absolute difference of the values."""
    if saved.values.shape != computed.values.shape:
        return inf, inf
    then, now = saved.values.astype(np.float64), computed.values.astype(np.float64)
    with np.errstate(invalid="ignore"):
        apart = np.where(then == now, 0.0, now - then)
    norm, size = float(np.linalg.norm(apart)), float(np.linalg.norm(then))
    if norm == 0:
        return 0.0, 0.0
    relative = norm / size if size > 0 else inf
    largest = float(np.abs(apart).max())
    return (relative, largest) if isfinite(norm) and isfinite(size) else (inf, largest)


def _verdict(saved: Attribution, computed: Attribution, difference: float) -> Verdict:
    if all(_bits(getattr(saved, name)) == _bits(getattr(computed, name)) for name in saved.arrays):
        return "equal to the bit"
    return "within tolerance" if difference <= TOLERANCE else "different"


def _bits(array: np.ndarray | None) -> tuple[Any, ...] | None:
    return None if array is None else (array.dtype, array.shape, array.tobytes())


def _environment(then: Manifest, now: Manifest) -> dict[str, tuple[str, str]]:
    before, after = _told(then), _told(now)
    return {
        name: (before.get(name, "not told"), after.get(name, "not told"))
        for name in {**after, **before}
        if before.get(name) != after.get(name)
    }


def _told(manifest: Manifest) -> dict[str, str]:
    """Return what of a manifest says where it was computed, by the names people use."""
    request, outcome = manifest["request"], manifest.get("outcome", {})
    told = {
        **request.get("versions", {}),
        "device": request.get("device"),
        "chunk": outcome.get("chunk", request.get("chunk")),
        **{
            "device name" if name == "device" else name: value
            for name, value in outcome.get("environment", {}).items()
        },
    }
    return {name: str(value) for name, value in told.items()}
