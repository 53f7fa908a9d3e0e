"""A page imports no module but those that were named when the dashboard was started."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from safetensors.torch import save, save_file
from torch import nn

from dashboard.own_model.asked import Asked
from dashboard.running import allowed
from engine.errors import ModelError, WeightsError
from engine.models.corrections import Corrections
from engine.models.loading import load_model
from engine.models.modules import build_named
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
    assert allowed.allowed() == {"page_other:build"}
    assert allowed.modules() == []
    assert allowed.builders() == ["page_other:build"]
    load("page_other:build")
    with expect_refusal(ModelError, "not on the list"):
        load("page_allowed:build")


@pytest.mark.parametrize("named", ["page_other:build", "file:w.pth?arch=page_other:build?x=1"])
def test_a_model_of_the_command_line_allows_its_builder_alone(
    place: Path, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "page_other.py").write_text(f"{OWN}\ndef clean_up():\n    Path('cleaned').touch()\n")
    monkeypatch.setenv(allowed.MODULES, "")
    monkeypatch.setenv(allowed.EXTRA_MODELS, named)
    for ref in ("page_other:clean_up", "page_other:load?f=w.pth"):
        with expect_refusal(ModelError, "(but page_other:build is)", "--allow-module page_other"):
            load(ref)
    assert not (place / "cleaned").exists()
    monkeypatch.setenv(allowed.MODULES, "page_other")
    with expect_refusal(ModelError, "page_other:clean_up returned NoneType"):
        load("page_other:clean_up")


@pytest.mark.parametrize("ending", ["csv", "txt", "json", "names", "labels"])
def test_a_page_reads_no_file_as_class_names(place: Path, ending: str) -> None:
    (place / f"secret.{ending}").write_text("pass\nword\n")
    told = "a page reads no file of this machine; paste or upload the names"
    asked = f"page_allowed:build?outputs=2&classes={place}/secret.{ending}"
    with expect_refusal(ModelError, told):
        load(asked)
    weights = save(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(4, 1)).state_dict())
    with pytest.raises(ModelError) as caught:
        Asked(asked, "w.safetensors", weights).load()
    assert "word" not in str(caught.value)


def test_nor_where_it_stands_in_an_architecture(place: Path) -> None:
    (place / "secret.csv").write_text("pass\nword\n")
    asked = "page_allowed:build?outputs=2&classes=secret.csv"
    state = build_named("page_allowed:build", outputs=2).state_dict()
    save_file(state, place / "w.safetensors")
    told = "paste or upload the names"
    with expect_refusal(ModelError, told):
        load(f"file:w.safetensors?{urlencode({'arch': asked})}")
    with expect_refusal(ModelError, told):
        Asked(asked, "w.safetensors", save(state)).load()
    for names in ("pass,word", '["pass", "word"]'):
        ref = asked.replace("secret.csv", quote(names))
        assert Asked(ref).load().model.classes == ("pass", "word")


def test_a_page_reads_a_table_only_beside_its_weights(place: Path) -> None:
    (place / "below").mkdir()
    (place / "secret.csv").write_text("a,b\n1,2\n")
    (place / "below" / "w.pth").write_bytes(b"no weights")
    for columns in (f"{place}/secret.csv", "below/../secret.csv", "%00.csv"):
        with expect_refusal(ModelError, "on a page it names a file in the folder of w.pth"):
            load(f"file:below/w.pth?arch=page_allowed:build&columns={columns}")
    with expect_refusal(WeightsError, "w.pth"):
        load("file:w.pth?arch=page_allowed:build&columns=secret.csv")


def test_what_the_page_tells_a_shell_loads_the_same(place: Path) -> None:
    state = build_named("page_allowed:build", outputs=2).state_dict()
    save_file(state, place / "w.safetensors")
    asked = Asked(
        "page_allowed:build?outputs=2&layer=0&mean=0.25",
        "w.safetensors",
        save(state),
        Corrections(classes=("no", "yes")),
    )
    uploaded = asked.load().model
    model = load_model(asked.for_a_shell())
    assert (model.spec, model.classes) == (uploaded.spec, uploaded.classes)
    assert model.target_layer == uploaded.target_layer
    assert model.target_layer.name == "0"
