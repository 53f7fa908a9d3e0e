from __future__ import annotations

import inspect
import re

import pytest

from engine import errors
from engine.errors import HaloscopeError, nearest

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, Exception) and kind.__module__ == errors.__name__
]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ([│├└─ ]*)([A-Z]\w+)", line)
        if found:
            depth = len(found[1]) // 4
            above[depth:] = [found[2]]
            drawn[found[2]] = above[depth - 1] if depth else "Exception"
    assert drawn == {kind.__name__: kind.__base__.__name__ for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_all_can_be_caught_at_once(kind: type[HaloscopeError]) -> None:
    with pytest.raises(HaloscopeError, match="what was wrong"):
        raise kind("what was wrong")


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("occlusoin", ["gradient", "occlusion"], "did you mean occlusion?"),
        ("OCCLUSION", ["gradient", "Occlusion"], "did you mean Occlusion?"),
        ("cats", ["cat", "cats", "bat"], "did you mean cats or cat or bat?"),
        ("zzz", ["a", "b"], "there are a, b"),
        (
            "zzz",
            [str(i) for i in range(14)],
            "there are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more",
        ),
    ],
)
def test_nearest(name: str, options: list[str], told: str) -> None:
    assert nearest(name, iter(options)) == told
