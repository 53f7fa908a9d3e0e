from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import engine

MODULES = ["engine", *(m.name for m in pkgutil.walk_packages(engine.__path__, "engine."))]


@pytest.mark.parametrize("name", engine.__all__)
def test_every_public_name_is_there(name: str) -> None:
    found = getattr(engine, name)
    assert found is not None
    if name in engine._HOMES:
        assert found.__name__ == name
        assert found.__module__ == engine._HOMES[name]


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'engine' has no attribute 'explian'"):
        engine.explian


def test_all_are_listed() -> None:
    assert set(engine.__all__) <= set(dir(engine))


def examples_in(name: str) -> int:
    found = doctest.DocTestFinder().find(importlib.import_module(name))
    return sum(len(test.examples) for test in found)


WITH_EXAMPLES = [name for name in MODULES if examples_in(name)]


def test_there_are_examples() -> None:
    assert {"engine", "engine.errors", "engine.manifest", "engine.execution.cost"} <= set(
        WITH_EXAMPLES
    )


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_run(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
