"""``haloscope models --inspect``: the card of a model, and whether it works."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dashboard.command.main import main
from engine.models.libraries import network
from tests.dashboard.command.test_command import failed

NETWORK = """
from torch import nn

def build(classes=3):
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Linear(4, classes))

def broken():
    raise RuntimeError("on purpose")

def vector():
    return nn.Sequential(nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 2))
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "inspectednet.py").write_text(NETWORK)
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "inspectednet", raising=False)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main(["models", "--inspect", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_card_in_words(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--inspect", "digits-cnn"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    for words in ("28 × 28 pixels  (told by its card)", "grad-cam", "needs a vision transformer"):
        assert words in out
    assert out.splitlines()[-1].startswith("Test: passed on a handwritten 0: 0 99")


def test_the_card_as_json(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = told(capsys, "digits-cnn")
    assert card["family"] == "cnn"
    assert {"name": "Channels", "value": "1 (grey)"}.items() <= card["entries"][2].items()
    assert card["test"]["passed"] is True
    assert card["test"]["top"][0]["name"] == "0"
    refused = {method["name"]: method["reason"] for method in card["methods"]}
    assert refused["grad-cam"] == ""
    assert "vision transformer" in refused["attention-rollout"]


def test_options_correct_and_a_picture_of_ones_own(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ref = "inspectednet:build?classes=names.txt&mean=0.5&std=0.25&size=32&activation=sigmoid"
    assert failed(capsys, ["models", "--inspect", ref]).endswith("but the model has 3 outputs")
    (place / "names.txt").write_text("cat\ndog\nbird\n")
    card = told(capsys, ref, "--image", "noise.png")
    corrected = {e["name"] for e in card["entries"] if e["how"] == "corrected"}
    assert corrected == {"Size", "Normalisation", "Classes", "Output"}
    assert card["test"]["sample"] == "noise.png"
    assert card["test"]["top"][0]["name"] in ("cat", "dog", "bird")


def test_networks_for_tables_and_for_tensors(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test = told(capsys, "adult-mlp")["test"]
    assert test["sample"] == "a made-up row"
    assert test["warnings"] == [], "it differs from what it is compared with"
    card = told(capsys, "inspectednet:vector")
    assert card["test"]["sample"] == "noise"
    np.save(place / "one.npy", np.ones(5, np.float32))
    assert told(capsys, "inspectednet:vector", "--image", "one.npy")["test"]["sample"] == "one.npy"


def test_a_model_that_fails_its_test_is_an_error(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(place / "wrong.npy", np.ones(7, np.float32))
    assert main(["models", "--inspect", "inspectednet:vector", "--image", "wrong.npy"]) == 1
    assert "Test: failed: expected a tensor of shape (1, 5)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("nosuch", "no model 'nosuch'"),
        ("ftp:my-net", "references of kind 'ftp' are unknown"),
        ("nowhere:build", "no module 'nowhere' on the Python path"),
        ("file:gone.pth?arch=digits-cnn", "gone.pth: no such file"),
        ("inspectednet:broken", "failed: RuntimeError: on purpose"),
        ("inspectednet:build?mean=grey", "expected a number for each channel"),
        ("inspectednet:build?layer=7", "layer '7' has no maps to read"),
        ("inspectednet:build?classes=gone.txt", "gone.txt: no such file"),
        ("upload:w.pth@abc?arch=digits-cnn", "w.pth was uploaded in another session"),
    ],
)
def test_bad_references_get_one_line(
    place: Path, capsys: pytest.CaptureFixture[str], ref: str, said: str
) -> None:
    assert said in failed(capsys, ["models", "--inspect", ref])


def test_a_picture_needs_a_model(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--inspect REF" in failed(capsys, ["models", "--image", "noise.png"])


@pytest.mark.parametrize("package", ["timm", "torchvision", "transformers"])
def test_a_missing_package_gets_its_install_command(
    place: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    package: str,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    kind = "hf" if package == "transformers" else package
    for arguments in (["models", "--inspect", f"{kind}:resnet18"], ["--model", f"{kind}:resnet18"]):
        line = failed(capsys, arguments)
        assert f"needs {package}" in line
        assert "-m pip install" in line


def test_no_network_is_told_at_once(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers")
    asked: list[str] = []
    monkeypatch.setattr(network, "is_reachable", lambda address: bool(asked.append(address)))
    monkeypatch.setenv("HF_HOME", str(place))
    line = failed(capsys, ["models", "--inspect", "hf:nobody/nothing-at-all"])
    assert "cannot be reached" in line
    assert asked


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "timm:resnet18?mean=x"], "expected a number for each channel"),
        (["--model", "nowhere:build"], "no module 'nowhere'"),
        (["--model", "file:names.txt?arch=nowhere:build"], "no module 'nowhere'"),
        (["--model", "digits-cnn?classes=gone.txt"], "gone.txt: no such file"),
        (["--model", "digits-cnn?width=3"], "takes no option 'width'"),
        (["--allow-module", "nowhere"], "no module 'nowhere'"),
        (["--allow-module", "no-name"], "no name of a module"),
        (["--allow-module", "inspectednet:build"], "no name of a module"),
    ],
)
def test_the_dashboard_does_not_open_with_a_mistake(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert said in failed(capsys, arguments)


def test_modules_of_the_command_line_may_be_imported(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashboard import server
    from dashboard.running import allowed

    for name in (allowed.MODULES, allowed.EXTRA_MODELS, "HALOSCOPE_DEVICE"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv(allowed.MODULES, "json")
    monkeypatch.setattr(server, "serve", lambda *_args, **_options: None)
    call = ["--allow-module", "inspectednet", "--model", "mymodule:build", "--no-browser"]
    (place / "mymodule.py").write_text(NETWORK)
    assert main(call) == 0
    assert allowed.allowed() == {"json", "inspectednet", "mymodule:build"}
