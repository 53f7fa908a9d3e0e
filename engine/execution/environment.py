"""Where something was computed: what may change the last bits of a result, beside versions."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_ENGINE = Path(__file__).parents[1]
_SHOWN = 12


def environment(device: torch.device) -> dict[str, Any]:
    """Return the device's name, torch's threads, the processor's instructions, the code."""
    import torch

    from engine.models.devices import device_title

    return {
        "device": device_title(device),
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "code": code_digest(),
    }


@cache
def code_digest() -> str:
    """Return the first 12 digits of the sha256 of the engine's source.

    A version says too little while the engine is being worked on: between two releases it
    stays, and the numbers may not.
    """
    hasher = hashlib.sha256()
    for path in sorted(_ENGINE.rglob("*.py")):
        content = path.read_bytes()
        hasher.update(f"{path.relative_to(_ENGINE).as_posix()} {len(content)} ".encode())
        hasher.update(content)
    return hasher.hexdigest()[:_SHOWN]
