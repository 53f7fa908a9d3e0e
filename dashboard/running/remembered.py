"""References that were loaded in this process: whoever asks for one again need not load it.

Uploads are never kept here: they belong to their session. Neither are tests on a picture that
somebody has uploaded.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.running import allowed
from engine.errors import HaloscopeError

if TYPE_CHECKING:
    from dashboard.own_model.asked import Found
    from engine.inspection.self_test import SelfTest

_KEPT = 8

_lock = threading.Lock()
_known: OrderedDict[str, Remembered] = OrderedDict()


@dataclass(frozen=True, eq=False)
class Remembered:
    """A reference that was loaded.

    Attributes:
        found: the model and its card.
        tested: what it did on a sample at hand, if it was tried on one.
        added: whether it was put into the list.
    """

    found: Found
    tested: SelfTest | None = None
    added: bool = False


def keep(found: Found, tested: SelfTest | None = None, *, added: bool = False) -> None:
    """Remember a model; what was known of it stays unless it is told anew."""
    if found.asked.file:
        return
    if tested is not None and not _at_hand(tested):
        tested = None
    ref = found.model.ref
    with _lock:
        before = _known.get(ref)
        if before is not None and before.found is found:
            tested, added = tested or before.tested, added or before.added
        _known[ref] = Remembered(found, tested, added)
        _known.move_to_end(ref)
        while len(_known) > _KEPT:
            _known.popitem(last=False)


def find(ref: str) -> Remembered | None:
    """Return what is remembered of a reference that may still be used here, or None."""
    with _lock:
        known = _known.get(ref)
    if known is None:
        return None
    try:
        allowed.check(ref)
    except HaloscopeError:
        return None
    return known


def leave_out(ref: str) -> None:
    """Note that a model was taken out of the list: no link puts it back by itself."""
    with _lock:
        known = _known.get(ref)
        if known is not None:
            _known[ref] = Remembered(known.found, known.tested)


def clear() -> None:
    """Forget all."""
    with _lock:
        _known.clear()


def _at_hand(test: SelfTest) -> bool:
    """Whether a test was made on a sample that everybody has."""
    from engine.inputs.images import ImageInput
    from engine.inputs.samples import SAMPLE

    return not isinstance(test.given, ImageInput) or test.given.origin.startswith(SAMPLE)
