"""Smaller networks in one file: tensors, and in its metadata all that builds the rest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.errors import ModelError, WeightsError, one_line
from engine.models.narrowing.header import KIND, manifest_in
from engine.models.narrowing.made import Pruned
from engine.models.specs import ImageSpec, InputSpec, TensorSpec
from engine.models.table_specs import TableSpec

SCHEMA = 1
Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True, eq=False)
class Saved:
    """What a file says of the smaller network in it.

    Attributes:
        arch: a reference to the whole architecture; "hf" where ``config`` is that of
            transformers; "" where nothing can be said.
        config: of transformers, or empty.
        pruned: how it was made.
        digest: of the smaller network.
        classes, spec, activation, layer: as in ``LoadedModel``; layer is the user's, or "".
        licence, origin, paper: of the whole network's card.
        checksum: of the tensors.
    """

    arch: str
    config: Mapping[str, Any]
    pruned: Pruned
    digest: str
    classes: tuple[str, ...]
    spec: InputSpec
    activation: str
    layer: str
    licence: str = ""
    origin: str = ""
    paper: str = ""
    checksum: str = ""

    def metadata(self) -> dict[str, str]:
        """Return the metadata of a safetensors file."""
        told = {
            "schema": SCHEMA,
            **{name: getattr(self, name) for name in _TEXTS},
            "config": dict(self.config),
            "classes": list(self.classes),
            "spec": self.spec.describe(),
            "pruned": self.pruned.to_dict(),
        }
        return {"haloscope": KIND, "manifest": json.dumps(told, ensure_ascii=False)}


_TEXTS = (
    "arch", "digest", "activation", "layer", "licence", "origin", "paper", "checksum",
)  # fmt: skip


def saved_in(source: Path | bytes, name: str) -> Saved | None:
    """Return what a file says of the smaller network in it; None where it holds none.

    Args:
        source: the file, or its content.
        name: of the file.

    Raises:
        WeightsError: written by a later version, or damaged.
    """
    told = manifest_in(source)
    if told is None:
        return None
    if told.get("schema") != SCHEMA:
        raise WeightsError(
            f"{name} was written by a later Haloscope (schema {told.get('schema')!r}, this one "
            f"reads {SCHEMA}); update Haloscope to load it"
        )
    try:
        return Saved(
            **{one: str(told[one]) for one in _TEXTS},
            config=dict(told["config"]),
            classes=tuple(str(one) for one in told["classes"]),
            spec=_spec(told["spec"]),
            pruned=Pruned.from_dict(told["pruned"]),
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, ModelError) as error:
        raise WeightsError(
            f"{name} is damaged: what it says of itself ({one_line(error)})"
        ) from None


def _spec(told: Mapping[str, Any]) -> InputSpec:
    fields = {name: value for name, value in told.items() if name != "kind"}
    if told["kind"] == "image":
        return ImageSpec(**fields)
    if told["kind"] == "table":
        return TableSpec.from_dict(
            {name: value for name, value in fields.items() if name != "encoding"},
            told["encoding"],
        )
    return TensorSpec(tuple(int(length) for length in told["shape"]))


def checksum_of(tensors: Tensors) -> str:
    """Return the sha256 (hex) of tensors: names, kinds, shapes and numbers."""
    hasher = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        hasher.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        hasher.update(flat.view(torch.uint8).numpy().data)
    return hasher.hexdigest()
