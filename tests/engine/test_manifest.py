from __future__ import annotations

import hashlib
import importlib.metadata

import numpy as np
import pytest

import engine
from engine import manifest
from engine.manifest import digest_of, key_of, versions


def test_versions_are_those_installed() -> None:
    found = versions()
    assert found["engine"] == engine.__version__
    for package in ("torch", "captum", "numpy"):
        assert found[package] == importlib.metadata.version(package)


def test_what_is_not_installed_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> str:
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(manifest, "version", missing)
    assert versions.__wrapped__() == {
        "engine": engine.__version__,
        "torch": "absent",
        "captum": "absent",
        "numpy": "absent",
    }


def test_key_does_not_depend_on_order_but_on_all_else() -> None:
    request = {"a": 1, "b": {"c": [1, 2], "d": None}}
    assert key_of(request) == key_of({"b": {"d": None, "c": [1, 2]}, "a": 1})
    others = [
        {"a": 2, "b": {"c": [1, 2], "d": None}},
        {"a": 1, "b": {"c": [2, 1], "d": None}},
        {"a": 1, "b": {"c": [1, 2], "d": 0}},
        {"a": "1", "b": {"c": [1, 2], "d": None}},
        {"a": 1, "b": {"c": [1, 2]}, "d": None},
    ]
    assert len({key_of(other) for other in [request, *others]}) == 6


def test_key_is_that_of_the_canonical_json() -> None:
    assert (
        key_of({"b": [1, "é"], "a": 2}) == hashlib.sha256(b'{"a":2,"b":[1,"\\u00e9"]}').hexdigest()
    )


def test_what_is_not_finite_has_no_key() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        key_of({"a": float("nan")})


def test_digest_tells_parts_apart() -> None:
    found = [
        digest_of(b"ab", b"c"),
        digest_of(b"a", b"bc"),
        digest_of(b"abc"),
        digest_of(b"abc", b""),
    ]
    assert len(set(found)) == 4
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert digest_of(array.data) == digest_of(array.tobytes())
