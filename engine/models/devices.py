"""Where a model runs."""

from __future__ import annotations

import platform

import torch

from engine.errors import DeviceError
from engine.models.device_names import check_device_name


def resolve_device(name: str | torch.device) -> torch.device:
    """Return the device of a name; "auto" takes cuda, then mps, then cpu.

    A device in hand is checked as its name is. TF32 is switched off on CUDA: it changes the
    third digit of an attribution.

    Raises:
        DeviceError: an unknown name, or a device that is not there.
    """
    name = str(name)
    check_device_name(name)
    kind = name.split(":", maxsplit=1)[0]
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _mps()}
    if kind == "auto":
        kind = name = next(option for option in ("cuda", "mps", "cpu") if there[option])
    if not there[kind]:
        raise DeviceError(f"this machine or this torch has no {kind}; use --device auto or cpu")
    if kind == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    return torch.device(name)


def _mps() -> bool:
    return torch.backends.mps.is_available()


def device_title(device: torch.device) -> str:
    """Return what a person would call a device: "CPU, 2 threads", "NVIDIA H200"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return f"Apple GPU ({platform.machine()})"
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"
