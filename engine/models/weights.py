"""Reading weights without ever running code from the file."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.errors import WeightsError, one_line

_COUNTER = "num_batches_tracked"
_NESTED = ("state_dict", "model_state_dict", "model", "module", "net", "ema")


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict from safetensors, or from ``.pth`` / ``.pt`` / ``.bin``.

    Raises:
        WeightsError: no such file, damaged, no tensors in it, or it needs code to load.
    """
    check_there(path)
    return _tensors(path, path.name)


def parse_weights(content: bytes, name: str) -> dict[str, torch.Tensor]:
    """Read a state dict from a file's content.

    Args:
        content: the file's bytes.
        name: of the file; its ending says which kind it is.

    Raises:
        WeightsError: as ``read_weights``.
    """
    return _tensors(content, name)


def _tensors(source: Path | bytes, name: str) -> dict[str, torch.Tensor]:
    is_safe = name.lower().endswith(".safetensors")
    tensors = _state_dict(_safetensors(source, name) if is_safe else _pickled(source, name))
    if not tensors:
        raise WeightsError(f"{name} holds no tensors")
    return tensors


def check_there(path: Path) -> None:
    """Refuse what is no file.

    Raises:
        WeightsError: a folder, or nothing at all.
    """
    if path.is_dir():
        raise WeightsError(f"{path} is a folder; name the weights file in it")
    if not path.is_file():
        raise WeightsError(f"{path}: no such file")


def _safetensors(source: Path | bytes, name: str) -> Mapping[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load, load_file

    try:
        return load(source) if isinstance(source, bytes) else load_file(source)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{name} is not a safetensors file, or damaged ({error})") from None


def _pickled(source: Path | bytes, name: str) -> Mapping[str, Any]:
    file = BytesIO(source) if isinstance(source, bytes) else source
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters is told in one line
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "GLOBAL" in str(error) or "Unsupported class" in str(error):
            raise WeightsError(
                f"{name} needs code to load, so it is refused; save its state_dict() instead"
            ) from None
        raise WeightsError(f"{name} is damaged or not a weights file") from None
    except Exception as error:  # the unpickler trips over damaged files in many ways
        if "TorchScript" in str(error):
            raise WeightsError(
                f"{name} is a TorchScript archive; save the network's state_dict() instead"
            ) from None
        raise WeightsError(f"{name} is damaged or not a weights file ({one_line(error)})") from None


def _state_dict(loaded: Any) -> dict[str, torch.Tensor]:
    """Find the tensors, also one level down ("state_dict": …), without "module." in front."""
    if isinstance(loaded, Mapping):
        for name in _NESTED:
            if isinstance(loaded.get(name), Mapping):
                loaded = loaded[name]
                break
    else:
        return {}
    tensors = {k: v for k, v in loaded.items() if isinstance(v, torch.Tensor)}
    if tensors and all(name.startswith("module.") for name in tensors):
        return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    return tensors


def renamed(
    tensors: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Return weights by the network's own names.

    Trainers put something in front of every name ("model.", "_orig_mod.") and lay other things
    beside them; where all of the network's names are there behind one such word, these are taken.

    Args:
        tensors: of the file, by their names there.
        own: of the network.
    """
    needed = [name for name in own if not name.endswith(_COUNTER)]
    if not needed or all(name in tensors for name in needed):
        return dict(tensors)
    for name in tensors:
        front = name.removesuffix(needed[0])
        if front.endswith(".") and all(front + one in tensors for one in needed):
            return {one: tensors[front + one] for one in own if front + one in tensors}
    return dict(tensors)


def put_weights(module: nn.Module, tensors: Mapping[str, torch.Tensor], name: str) -> None:
    """Load tensors into a module, all of them or none.

    Raises:
        WeightsError: the first tensor that is missing, unknown, or of another shape.
    """
    own = module.state_dict()
    counters = {key for key in own if key.endswith(_COUNTER)}
    tensors = renamed(tensors, own)
    for problem, keys in (
        ("lacks", [k for k in own if k not in tensors and k not in counters]),
        ("has an unknown tensor", [k for k in tensors if k not in own]),
    ):
        if keys:
            others = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
            raise WeightsError(
                f"{name} does not fit {type(module).__name__}: it {problem} {keys[0]!r}{others}"
            )
    for key, tensor in tensors.items():
        if own[key].shape != tensor.shape:
            raise WeightsError(
                f"{name} does not fit {type(module).__name__}: {key!r} has shape "
                f"{tuple(tensor.shape)}, expected {tuple(own[key].shape)}"
            )
    module.load_state_dict({**own, **tensors})
