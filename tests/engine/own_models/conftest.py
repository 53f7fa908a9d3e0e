"""Each network of the catalogue is loaded and tried once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.engine.own_models.catalogue import CATALOGUE
from tests.engine.own_models.cells import Cell, cells_of
from tests.engine.own_models.own import Facts, facts_of


@dataclass(frozen=True)
class Tried:
    """What was found out about a network, and what became of each method on it."""

    facts: Facts
    cells: dict[str, Cell]


Try = Callable[[str], Tried]


@pytest.fixture(scope="session")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Try:
    found: dict[str, Tried] = {}

    def one(name: str) -> Tried:
        if name not in found:
            own = CATALOGUE[name]
            model = own.load(tmp_path_factory.mktemp("own"))
            found[name] = Tried(facts_of(model), cells_of(own, model))
        return found[name]

    return one
