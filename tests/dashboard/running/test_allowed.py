"""A page imports no module but those that were named when the dashboard was started."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.own_model.asked import Asked
from dashboard.running import allowed
from engine.errors import ModelError
from engine.models.corrections import Corrections
from tests.engine.refusals import expect_refusal

OWN = """
from pathlib import Path
from torch import nn
from torch import load

Path(__file__).with_suffix(".ran").write_text("")

def build(outputs=3):
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(4, outputs))
"""
NAMES = ("page_allowed", "page_other")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Two modules on the path, of which one is allowed, and a file of weights."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(OWN)
    (tmp_path / "w.pth").write_bytes(b"no weights")
    monkeypatch.setenv(allowed.MODULES, " page_allowed ,")
    monkeypatch.delenv(allowed.EXTRA_MODELS, raising=False)
    yield tmp_path
    for name in NAMES:
        sys.modules.pop(name, None)


def load(ref: str) -> None:
    Asked(ref).load()


def test_what_is_allowed_is_loaded(place: Path) -> None:
    found = Asked("page_allowed:build?outputs=5&layer=0").load()
    assert len(found.model.classes) == 5
    assert found.model.corrections.layer == "0"


EVIL = [
    "page_other:build",
    "page_other:build?arch=page_allowed:build",
    "page_other.sub:build",
    "file:w.pth?arch=page_other:build",
    "file:w.pth?arch=page_other:build%3Farch=page_allowed:build",
    "file:w.pth?arch=page_allowed:build&arch=page_other:build",
    "file:w.pth?ARCH=page_allowed:build&arch=page_other:build",
    "file:w.pth?arch=page%5Fother:build",
    "file:page_allowed:build?arch=page_other:build",
    "os:system?command=true",
    "builtins:exec",
    "subprocess:run?args=true",
    "timm.models:create_model?model_name=resnet18",
    "torch.hub:load?repo_or_dir=a/b",
    "bundled:build",
]


@pytest.mark.parametrize("ref", EVIL)
def test_no_other_module_is_imported(place: Path, ref: str) -> None:
    with expect_refusal(ModelError, "not on the list", "--allow-module"):
        load(ref)
    assert not (place / "page_other.ran").exists()


@pytest.mark.parametrize(
    "ref",
    [
        "file:w.pth?arch=file:w.pth?arch=page_other:build",
        "file:w.pth?arch=module:page_other:build",
        "module:page_other:build",
        "digits-cnn?arch=page_other:build",
        "file:w.pth?arch=digits-cnn?arch=page_other:build",
        "hf:page_other:build?trust_remote_code=true",
        "timm:page_other:build?weights=none",
        "torchvision:page_other:build?weights=none",
        "upload:w.pth@abc?arch=page_other:build",
        "page_other:build:build",
        " page_other:build",
        "page_other :build",
    ],
)
def test_other_ways_round_lead_nowhere(place: Path, ref: str) -> None:
    with pytest.raises(ModelError) as caught:
        load(ref)
    assert len(str(caught.value).splitlines()) == 1
    assert not (place / "page_other.ran").exists()
    assert "page_other" not in sys.modules


def test_what_an_allowed_module_has_imported_is_not_its_own(place: Path) -> None:
    with expect_refusal(ModelError, "not defined in that module but in torch"):
        load("page_allowed:load?f=w.pth&weights_only=False")


@pytest.mark.parametrize("arch", ["page_other:build", "os:system", "page_other:build?x=1"])
def test_nor_for_an_upload(place: Path, arch: str) -> None:
    with expect_refusal(ModelError, "not on the list"):
        Asked(arch, "w.pth", b"x").load()
    with expect_refusal(ModelError, "not on the list"):
        Asked(f"file:w.pth?arch={arch}", "w.pth", b"x").load()
    assert not (place / "page_other.ran").exists()


def test_corrections_name_no_module(place: Path) -> None:
    with pytest.raises(ModelError):
        Asked("digits-cnn", corrections=Corrections(layer="page_other:build")).load()
    assert not (place / "page_other.ran").exists()


def test_a_model_of_the_command_line_allows_its_module(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(allowed.MODULES, "")
    monkeypatch.setenv(
        allowed.EXTRA_MODELS, "digits-cnn\nfile:w.pth?arch=page_other:build\nfile:w.pth?arch=x y"
    )
    assert allowed.allowed() == {"page_other", "page_other:build"}
    assert allowed.builders() == ["page_other:build"]
    load("page_other:build")
    with expect_refusal(ModelError, "not on the list"):
        load("page_allowed:build")
