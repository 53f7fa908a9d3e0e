"""What a device may be called; without importing torch."""

from __future__ import annotations

import re

from engine.errors import DeviceError, nearest

DEVICES = ("auto", "cpu", "cuda", "mps")
_FORM = re.compile(r"(auto|cpu|mps|cuda(:\d+)?)")


def check_device_name(name: str) -> None:
    """Refuse what is no name of a device.

    Raises:
        DeviceError: the nearest names are told.
    """
    if _FORM.fullmatch(name):
        return
    if name.split(":", maxsplit=1)[0] in DEVICES:
        raise DeviceError(f"no device {name!r}; a device is like cpu, cuda or cuda:1")
    raise DeviceError(f"no device {name!r}; {nearest(name, DEVICES)}")
