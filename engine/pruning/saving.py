"""``save_pruned``: a smaller network in one file that ``load_model`` reads again."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.errors import HaloscopeError, MethodError, ModelError
from engine.models.digest import digest_model
from engine.models.loaded import LoadedModel
from engine.models.narrowing.files import Saved, checksum_of, saved_in
from engine.models.narrowing.made import Pruned, made_of
from engine.models.references import Reference, architecture_of, parse_file_reference
from engine.models.sources import smaller
from engine.models.weights import parse_weights
from engine.results import write_whole

_ENDING = ".safetensors"


def save_pruned(small: LoadedModel, path: str | os.PathLike[str]) -> Path:
    """Write a smaller network, and all that ``load_model("file:…")`` needs, into one file.

    The file is read back before it is written: where its architecture cannot be built without
    the caller's help, it does not claim to.

    Args:
        small: of ``sliced_copy`` or ``gated_copy``, repaired and tuned or not.
        path: the file; ".safetensors" is added where it is missing.

    Returns:
        The file.

    Raises:
        MethodError: a model that was not pruned.
        ResultError: the file cannot be written.
    """
    file = Path(path).expanduser()
    file = file if file.suffix == _ENDING else file.with_name(f"{file.name}{_ENDING}")
    return write_whole(file, pruned_bytes(small, file.name))


def pruned_bytes(small: LoadedModel, name: str = "small.safetensors") -> bytes:
    """Return the content of the file that ``save_pruned`` writes.

    Raises:
        MethodError: a model that was not pruned.
    """
    made = made_of(small.module)
    if made is None:
        raise MethodError(f"{small.card.title} was not made by pruning: there is nothing to save")
    with small.ready() as module:
        tensors = {
            key: tensor.detach().cpu().contiguous() for key, tensor in module.state_dict().items()
        }
        saved = _saved(small, module, made, tensors)
    content = _written(saved, tensors)
    if saved.arch and not _comes_back(content, name, saved):
        content = _written(replace(saved, arch="", config={}), tensors)
    return content


def _saved(
    small: LoadedModel, module: nn.Module, made: Pruned, tensors: dict[str, torch.Tensor]
) -> Saved:
    arch, config = _architecture(made.ref, module)
    return Saved(
        arch=arch,
        config=config,
        pruned=made,
        digest=digest_model(module),
        classes=small.classes,
        spec=small.spec,
        activation=small.activation,
        layer=small.corrections.layer,
        licence=small.card.licence,
        origin=small.card.origin,
        paper=small.card.paper,
        checksum=checksum_of(tensors),
    )


def _architecture(ref: str, module: nn.Module) -> tuple[str, dict[str, Any]]:
    """Return what builds the whole network, and its configuration where that is transformers'."""
    config: Any = getattr(module, "config", None)
    if type(module).__module__.startswith("transformers.") and config is not None:
        return "hf", config.to_dict()
    try:
        found = architecture_of(ref)
        if found is not None and ref.startswith("file:"):
            more = parse_file_reference(ref).arguments
            found = replace(found, arguments={**found.arguments, **more})
    except ModelError:  # a network in hand
        return "", {}
    if found is None or "@" in found.name or (found.kind == "timm" and _is_elsewhere(found.name)):
        return "", {}
    return _told(found), {}


def _is_elsewhere(name: str) -> bool:
    return ":" in name or "/" in name


def _told(found: Reference) -> str:
    """Return a reference without its weights and without what corrects its input."""
    head = found.name if found.kind in ("bundled", "module") else f"{found.kind}:{found.name}"
    options = {name: value for name, value in found.arguments.items() if name != "weights"}
    query = "&".join(f"{name}={value!r}" for name, value in options.items())
    return f"{head}?{query}" if query else head


def _written(saved: Saved, tensors: dict[str, torch.Tensor]) -> bytes:
    from safetensors.torch import save

    return save(tensors, metadata=saved.metadata())


def _comes_back(content: bytes, name: str, saved: Saved) -> bool:
    """Whether the very network comes back from a file's content."""
    try:
        again = saved_in(content, name)
        assert again is not None
        named = saved.arch if saved.arch != "hf" else ""  # the caller has named it himself
        found = smaller(f"file:{name}", name, again, parse_weights(content, name), named)
        return digest_model(found.module) == saved.digest
    except HaloscopeError:
        return False
