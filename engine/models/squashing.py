"""Networks that end in a softmax or a sigmoid of their own: the logits before it.

Explaining what comes after would explain how sure the network is, not what speaks for a
class, and a saturated probability has no gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from engine.models.outputs import logits_of

Squash = Literal["", "softmax", "log-softmax", "sigmoid"]

# All spellings of a softmax.
SOFTMAX = (F.softmax, torch.softmax, torch.Tensor.softmax, torch.special.softmax)

_SQUASHES: dict[Any, Squash] = {
    **dict.fromkeys(SOFTMAX, "softmax"),
    **dict.fromkeys(
        (
            torch.log_softmax,
            F.log_softmax,
            torch.Tensor.log_softmax,
            torch.special.log_softmax,
        ),
        "log-softmax",
    ),
    **dict.fromkeys(
        (
            torch.sigmoid,
            F.sigmoid,
            torch.Tensor.sigmoid,
            torch.special.expit,
            torch.sigmoid_,
            torch.Tensor.sigmoid_,
        ),
        "sigmoid",
    ),
}
_IN_PLACE = (torch.sigmoid_, torch.Tensor.sigmoid_)


@dataclass
class Squashing:
    """The last softmax or sigmoid seen: what it is, what went in and what came out."""

    kind: Squash = ""
    before: torch.Tensor | None = None
    after: torch.Tensor | None = None


class _Watch(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.last = Squashing()

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kind = _SQUASHES.get(func, "")
        before = args[0] if args else (kwargs or {}).get("input")
        if func in _IN_PLACE and before is not None:
            before = before.clone()
        out = func(*args, **(kwargs or {}))
        if kind:
            self.last = Squashing(kind, before, out)
        return out


@contextmanager
def watching() -> Iterator[_Watch]:
    """Note the last softmax or sigmoid of what runs inside, in this thread alone."""
    with _Watch() as watch:
        yield watch


def squash_at_end(last: Squashing, logits: torch.Tensor) -> Squash:
    """Return what a network ends in: whether ``logits`` are what came out of it."""
    after = last.after
    if after is None or after.numel() != logits.numel():
        return ""
    same = after.untyped_storage().data_ptr() == logits.untyped_storage().data_ptr()
    return last.kind if same else ""


def is_undone(last: Squashing, logits: torch.Tensor) -> bool:
    """Whether what went into a squash, row by row, gives the logits back.

    A softmax over groups of classes, or over samples that lie across, does not; nor does a
    sigmoid that is changed in place afterwards.
    """
    if last.before is None or last.before.numel() != logits.numel():
        return False
    before = last.before.reshape(logits.shape)
    if last.kind == "sigmoid":
        again = before.sigmoid()
    else:
        again = before.softmax(-1) if last.kind == "softmax" else before.log_softmax(-1)
    return bool(torch.allclose(again, logits, rtol=1e-3, atol=1e-6))


def unsquashed(module: torch.nn.Module, batch: torch.Tensor, entry: str = "") -> torch.Tensor:
    """Run a network and return the logits before its own softmax or sigmoid, ``(n, classes)``.

    Args:
        module: a network of which ``is_undone`` was seen.
        batch: samples.
        entry: as of ``logits_of``.
    """
    with watching() as watch:
        out = logits_of(module(batch), entry)
    last = watch.last
    if last.before is None or not squash_at_end(last, out):
        return out
    return last.before.reshape(out.shape)
