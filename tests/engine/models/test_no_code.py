"""What names a model never runs code that nobody allowed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from torch import nn

from engine.errors import ModelError
from engine.models.loading import load_model
from engine.models.modules import build_named, only_from
from tests.engine.refusals import expect_refusal

OWN = """
from pathlib import Path
from torch import nn
from torch import load

Path(__file__).with_suffix(".ran").write_text("")

def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path with a module "ownnet_allowed", and one that is not to be imported."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("ownnet_allowed", "ownnet_other"):
        (tmp_path / f"{name}.py").write_text(OWN)
    yield tmp_path
    for name in ("ownnet_allowed", "ownnet_other"):
        sys.modules.pop(name, None)


def test_only_an_allowed_module_is_imported(place: Path) -> None:
    with only_from(["ownnet_allowed"]):
        assert isinstance(build_named("ownnet_allowed:build"), nn.Module)
        with expect_refusal(ModelError, "start Haloscope with --allow-module ownnet_other"):
            build_named("ownnet_other:build")
    assert not (place / "ownnet_other.ran").exists()
    assert isinstance(build_named("ownnet_other:build"), nn.Module), "outside it is free again"


def test_what_a_module_has_only_imported_is_not_its_builder(place: Path) -> None:
    with only_from(["ownnet_allowed"]):
        with expect_refusal(ModelError, "not defined in that module but in torch"):
            build_named("ownnet_allowed:load", f="evil.pth", weights_only=False)
        with expect_refusal(ModelError, "not defined in that module but in pathlib"):
            build_named("ownnet_allowed:Path", args="x")


def test_one_builder_named_exactly(place: Path) -> None:
    with only_from(["ownnet_allowed:load"]), expect_refusal(ModelError, "FileNotFoundError"):
        build_named("ownnet_allowed:load", f="gone.pth")


@pytest.mark.parametrize(
    "option",
    ["trust_remote_code=true", "auto_map=1", "_attn_implementation=a/b", "code_revision=1"],
)
def test_a_hub_model_with_code_of_its_own_stays_unread(tmp_path: Path, option: str) -> None:
    pytest.importorskip("transformers")
    told = {"model_type": "own", "auto_map": {"AutoConfig": "own_config.OwnConfig"}}
    (tmp_path / "config.json").write_text(json.dumps(told))
    ran = tmp_path / "ran"
    (tmp_path / "own_config.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    with expect_refusal(ModelError, "code"):
        load_model(f"hf:{tmp_path}?{option}")
    with expect_refusal(ModelError, "code of its own to load, which is never run"):
        load_model(f"hf:{tmp_path}")
    assert not ran.exists()
