"""What added models are called."""

from __future__ import annotations

import doctest

from dashboard.running import naming

REF = "mynet:build?layer=conv1&classes=%5B%22cat%22%2C%22dog%22%5D"


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(naming).failed == 0


def test_twins_are_told_apart_by_what_differs() -> None:
    taken: set[str] = set()
    for ref in ("mynet:build", "mynet:build?layer=conv1", "mynet:build?layer=conv2"):
        taken.add(naming.title_for("mynet:build", ref, taken))
    assert taken == {"mynet:build", "mynet:build (layer=conv1)", "mynet:build (layer=conv2)"}
    assert naming.title_for("mynet:build", "mynet:build", taken) == "mynet:build (as it is)"
    again = naming.title_for("mynet:build", "mynet:build?layer=conv1", taken)
    assert again == "mynet:build (2)", "whatever else, no two are called the same"


def test_references_are_shown_decoded_and_short() -> None:
    assert naming.readable(REF) == 'mynet:build?layer=conv1&classes=["cat","dog"]'
    assert len(naming.readable(f"{REF}{'%20x' * 90}")) == 90
