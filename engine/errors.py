"""Everything that Haloscope raises on purpose.

Each message is one line: what was wrong, and what would be right.

::

    HaloscopeError
    ├── InputError            an image or a tensor that cannot be used
    ├── ModelError            a model that cannot be loaded or run
    │   └── WeightsError      a weights file that is broken, foreign or needs code to load
    ├── TargetError           a class that the model does not have, or a name for two of them
    ├── MethodError           a method that does not exist or does not fit the model
    │   └── ParameterError    a parameter that does not exist or is out of range
    ├── ResultError           a file that is not a result of ours
    ├── StoreError            results that cannot be kept on this disk
    ├── ReplayError           a saved result that cannot be computed again from what was given
    ├── DeviceError           a device that this machine does not have
    ├── OutOfMemory           even one sample at a time does not fit
    └── Cancelled             the caller asked to stop
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class HaloscopeError(Exception):
    """Base of all errors that name a mistake or a limit, never a bug."""


class InputError(HaloscopeError):
    """An image or a tensor that cannot be used."""


class ModelError(HaloscopeError):
    """A model that cannot be loaded or run."""


class WeightsError(ModelError):
    """A weights file that is broken, does not fit, or would need code to load."""


class TargetError(HaloscopeError):
    """A class that the model does not have, or a name that stands for two."""


class MethodError(HaloscopeError):
    """A method that does not exist, or does not fit the model."""


class ParameterError(MethodError):
    """A parameter that does not exist, or a value outside its range."""


class ResultError(HaloscopeError):
    """A file that is not a result of Haloscope, or is damaged."""


class StoreError(HaloscopeError):
    """Results that cannot be kept on this disk; computing goes on without."""


class ReplayError(HaloscopeError):
    """A saved result that cannot be computed again from the model and the input given."""


class DeviceError(HaloscopeError):
    """A device that this machine or this torch does not have."""


class OutOfMemory(HaloscopeError):
    """Memory ran out even with one sample at a time."""


class Cancelled(HaloscopeError):
    """The caller asked to stop; nothing was left behind."""


def one_line(error: BaseException) -> str:
    """Return the first line of an error's message (200 characters), or its kind if it is empty."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def nearest(name: str, options: Iterable[str], count: int = 3) -> str:
    """Return the known names nearest to a mistyped one, as the end of a sentence.

    >>> nearest("grad-cm", ["grad-cam", "occlusion"])
    'did you mean grad-cam?'
    >>> nearest("zzz", ["grad-cam", "occlusion"])
    'there are grad-cam, occlusion'
    """
    known = list(options)
    by_lower = {option.lower(): option for option in known}
    close = get_close_matches(name.lower(), by_lower, n=count, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(by_lower[match] for match in close)}?"
    shown = ", ".join(known[:12])
    more = f" and {len(known) - 12} more" if len(known) > 12 else ""
    return f"there are {shown}{more}"
