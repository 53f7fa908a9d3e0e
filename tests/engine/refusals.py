"""How a mistake must be told: the right kind of error, in one line, saying what was wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from engine.errors import HaloscopeError


def is_one_line(text: str) -> bool:
    return bool(text.strip()) and len(text.splitlines()) == 1


@contextmanager
def expect_refusal(kind: type[HaloscopeError], *words: str) -> Iterator[None]:
    with pytest.raises(kind) as caught:
        yield
    told = str(caught.value)
    assert caught.type is kind
    assert is_one_line(told), told
    for word in words:
        assert word in told, told
