"""The digest of a model: its weights *and* its architecture."""

from __future__ import annotations

import inspect
import threading
import zlib
from functools import cache

import torch
from torch import nn

from engine.manifest import digest_of
from engine.models.reached import code_told, reached_from, told_of

# Of torch: its mode; of transformers: where a network came from.
_NO_SETTINGS = ("training", "name_or_path")
_PLAIN = (bool, int, float, str, type(None))


def digest_model(module: nn.Module) -> str:
    """Return the sha256 (hex) of a module's tensors, structure and source.

    Two models agree only if every tensor, every sub-module with its settings, and the
    source of every class that is not torch's own are the same.
    """
    hasher_parts: list[bytes | memoryview] = [_architecture(module).encode()]
    for name, tensor in module.state_dict(keep_vars=True).items():
        if isinstance(tensor, torch.Tensor):
            hasher_parts.append(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            hasher_parts.append(_bytes_of(tensor))
    return digest_of(*hasher_parts)


def _bytes_of(tensor: torch.Tensor) -> memoryview:
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().data


def _architecture(module: nn.Module) -> str:
    lines = [repr(module)]
    sources: dict[type, str] = {}
    for name, part in module.named_modules():
        kind = type(part)
        settings = {
            key: told
            for key, value in sorted(vars(part).items())
            if not key.startswith("_")
            and key not in _NO_SETTINGS
            and (told := _told(value)) is not None
        }
        lines.append(f"{name}: {kind.__module__}.{kind.__qualname__} {settings}")
        for base in kind.__mro__:
            if base not in sources and not base.__module__.startswith(("torch.", "builtins")):
                sources[base] = "\n".join([_source(base), *_reached(base)])
    return "\n".join([*lines, *sources.values()])


def _settings(part: nn.Module) -> dict[str, object]:
    own = {k: v for k, v in sorted(vars(part).items()) if not k.startswith("_")}
    told = {name: _told(value) for name, value in own.items() if name not in _NO_SETTINGS}
    return {name: value for name, value in told.items() if value is not None}


def _told(value: object) -> object:
    """Return a setting as it is told, or None for what is none: a number, a function, a list."""
    if value is None:
        return "None"
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, tuple | list):
        parts = [_told(part) for part in value]
        return None if any(part is None for part in parts) else parts
    if isinstance(value, dict):
        return {str(key): _told(part) for key, part in value.items()}
    return told_of(value)


@cache
def _reached(kind: type) -> tuple[str, ...]:
    """Return what else of the user's own code a class runs; of a library's classes, nothing."""
    home = kind.__module__.partition(".")[0]
    return () if home in _VERSIONED else tuple(reached_from(kind))


# Libraries whose versions stand in every manifest of their networks.
_VERSIONED = ("transformers", "torchvision", "timm")

_reading = threading.Lock()  # ast.parse, inside getsource, is not safe in many threads


@cache
def _source(kind: type) -> str:
    try:
        with _reading:
            return inspect.getsource(kind)
    except (OSError, TypeError):  # built in a notebook or by exec: take the code itself
        own = {n: getattr(f, "__code__", None) for n, f in sorted(vars(kind).items())}
        return f"{kind.__qualname__} " + " ".join(
            f"{n}={code_told(c)}" for n, c in own.items() if c
        )


def fingerprint(module: nn.Module, *, thorough: bool) -> int:
    """Return a cheap number that changes when the network was changed.

    Args:
        module: the network.
        thorough: read all tensors and settings; else only notice tensors that were replaced
            or changed in place by torch's own operations.
    """
    tensors = [*module.parameters(), *module.buffers()]
    refresh = getattr(module, "refresh", None)
    if thorough and callable(refresh):
        refresh()
    if not thorough:
        return hash(tuple((id(tensor), tensor._version, tensor.data_ptr()) for tensor in tensors))
    sums = [zlib.crc32(_bytes_of(tensor)) for tensor in tensors]
    return hash((_architecture(module), *sums))
