"""People's own networks work without a line of code around them: models × methods.

``make own-models`` writes the table anew.
"""

from __future__ import annotations

import os

import pytest

from engine.attribution.registry import methods
from tests.engine.own_models.catalogue import CATALOGUE
from tests.engine.own_models.conftest import Try
from tests.engine.own_models.table import bounds_in, keep, kept, text_of, without_bounds

REQUIRED = [(name, method) for name, own in CATALOGUE.items() for method in own.required]


@pytest.mark.parametrize("name", CATALOGUE)
def test_all_is_found_out_without_asking(name: str, tried: Try) -> None:
    assert tried(name).facts == CATALOGUE[name].facts


@pytest.mark.parametrize(("name", "method"), REQUIRED)
def test_a_method_that_must_work_agrees_with_its_oracle(name: str, method: str, tried: Try) -> None:
    cell = tried(name).cells[method]
    assert cell.verdict == "works", cell.reason
    assert cell.deviation is not None


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_method_works_or_says_why_not_in_one_line(name: str, tried: Try) -> None:
    for method, cell in tried(name).cells.items():
        assert cell.verdict in ("works", "refused"), (method, cell.reason)
        assert len(cell.reason.splitlines()) == (cell.verdict == "refused"), method


def test_the_table_that_is_kept_is_the_one_computed(tried: Try) -> None:
    rows = {name: tried(name).cells for name in CATALOGUE}
    titles = {name: method.title for name, method in methods().items()}
    computed = text_of(rows, titles)
    if os.environ.get("HALOSCOPE_KEEP_TABLE"):
        keep(computed)
    assert without_bounds(kept()) == without_bounds(computed)
    bounds = bounds_in(kept())
    for name, cells in rows.items():
        for method, cell in cells.items():
            if cell.verdict == "works" and cell.deviation is not None and not cell.in_float64:
                assert cell.deviation <= bounds[name, titles[method]], (name, method)
