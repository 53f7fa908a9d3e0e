"""From what a caller asks for to the request: all that decides the numbers."""

from __future__ import annotations

from typing import Any

import torch

from engine.attribution.method import Method
from engine.errors import TargetError
from engine.execution.chunks import default_chunk
from engine.execution.predict import predict
from engine.inputs.images import ImageInput
from engine.inputs.tables import Row
from engine.manifest import SCHEMA, digest_of, versions
from engine.models.classes import resolve_class
from engine.models.loaded import Given, LoadedModel
from engine.models.outputs import Output, Readout
from engine.parameters import Value
from engine.results import Attribution


def readout_of(
    model: LoadedModel,
    given: Given,
    target: int | str | None,
    versus: int | str | None,
    output: Output,
) -> Readout:
    """Return which number is explained; without a target, one pass finds the predicted class.

    Raises:
        TargetError: an unknown class, or target and versus are the same.
    """
    index = predict(model, given).best if target is None else resolve_class(target, model.classes)
    against = None if versus is None else resolve_class(versus, model.classes)
    if against == index:
        raise TargetError(f"target and versus are both class {index}; name two different classes")
    return Readout(index, against, output, model.activation)


def request_of(
    model: LoadedModel,
    given: Given,
    method: Method,
    parameters: dict[str, Value],
    readout: Readout,
    seed: int,
) -> dict[str, Any]:
    """Return all that decides the numbers but the background, ready for ``key_of``."""
    fit, digest = identity_of(given)
    return {
        "schema": SCHEMA,
        "kind": Attribution.kind,
        "model": model.describe(),
        "preprocessing": {**model.spec.describe(), "fit": fit},
        "classes": model.classes_digest,
        "input": digest,
        "background": None,
        "data": None,
        "method": {"name": method.name, "parameters": parameters},
        "target": {"index": readout.target, "name": model.classes[readout.target]},
        "versus": None
        if readout.versus is None
        else {"index": readout.versus, "name": model.classes[readout.versus]},
        "output": readout.output,
        "seed": int(seed),
        "device": model.device.type,
        "dtype": model.dtype,
        "chunk": default_chunk(model),
        "versions": {**versions(), **model.packages},
    }


def identity_of(given: Given) -> tuple[str, str]:
    """Return how an input is brought to the network's shape, and the digest of its content."""
    if isinstance(given, ImageInput):
        return given.fit, given.digest
    if isinstance(given, torch.Tensor):
        return "prepared", _tensor_digest(given)
    return "row" if isinstance(given, Row) else "prepared", given.digest


def _tensor_digest(tensor: torch.Tensor) -> str:
    flat = tensor.detach().cpu().contiguous()
    content = flat.reshape(-1).view(torch.uint8).numpy().data
    return digest_of(f"{flat.dtype} {tuple(flat.shape)}".encode(), content)
