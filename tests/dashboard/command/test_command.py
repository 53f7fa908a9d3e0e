"""The command, run as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from dashboard.command.main import main
from engine.results import load_result

NETWORK = """
from torch import nn

def build():
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Linear(4, 3))
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network of one's own and a picture."""
    (tmp_path / "ownnet.py").write_text(NETWORK)
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
    )
    save_file(network.state_dict(), tmp_path / "own.safetensors")
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


OWN = "file:own.safetensors?arch=ownnet:build"


def explain(*more: str, method: str = "gradient") -> list[str]:
    return ["explain", "--model", OWN, "--image", "noise.png", "--method", method, *more]


def failed(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int = 1) -> str:
    """Run a call that must fail, and return its one line."""
    try:
        assert main(arguments) == code
    except SystemExit as stop:
        assert stop.code == code
    told = capsys.readouterr()
    assert told.out == ""
    lines = told.err.strip().splitlines()
    assert len(lines) == 1, told.err
    assert lines[0].startswith("haloscope: ")
    return lines[0]


def test_own_network_from_a_shell(place: Path) -> None:
    command = [sys.executable, "-m", "dashboard.command.main"]
    call = [*command, *explain("--out", "map.safetensors", "--png", "map.png", "--json")]
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(call, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    told = json.loads(done.stdout)
    result = load_result(place / "map.safetensors")
    assert result.values.shape == (3, 224, 224)
    assert told["key"] == result.manifest["key"]
    assert told["request"] == result.manifest["request"]
    with Image.open(place / "map.png") as picture:
        assert picture.width > 1000


def test_same_numbers_as_the_engine(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import engine

    arguments = explain(
        "--target", "1", "--versus", "2", "--output", "probability", "--param", "steps=7",
        "--param", "baseline=black", "--fit", "letterbox", "--seed", "3", "--out", "a.safetensors",
        method="integrated-gradients",
    )  # fmt: skip
    assert main(arguments) == 0
    assert "Written: a.safetensors" in capsys.readouterr().out
    expected = engine.explain(
        engine.load_model(OWN),
        engine.load_image(place / "noise.png", fit="letterbox"),
        "integrated-gradients",
        1,
        versus=2,
        output="probability",
        seed=3,
        steps=7,
        baseline="black",
    )
    saved = load_result(place / "a.safetensors")
    assert np.array_equal(saved.values, expected.values)
    assert saved.key == expected.key


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (explain("--out", "x", method="gradiant"), "did you mean gradient"),
        (explain("--out", "x", "--param", "layr=1", method="grad-cam"), "did you mean layer"),
        (explain("--out", "x", "--param", "steps"), "write it as name=value"),
        (explain("--out", "x", "--param", "steps=3"), "no parameter 'steps'; it takes none"),
        (explain("--out", "x", "--target", "class 9"), "did you mean class"),
        (explain("--out", "x", "--target", "7"), "out of range: the model has 3"),
        (explain("--out", "x", "--target", "1", "--versus", "1"), "two different classes"),
        (explain("--out", "x", "--output", "logits"), "did you mean logit"),
        (explain("--out", "x", "--fit", "crup"), "did you mean crop"),
        (explain("--out", "x", "--view", "sined"), "did you mean signed"),
        (explain("--out", "x", "--device", "gpu"), "no device 'gpu'"),
        (explain("--out", "nowhere/x"), "no such folder"),
        (explain(), "nothing to do"),
        (explain("--out", "a.png", "--png", "a.png"), "name the same file"),
        (explain("--png", "a.jpg"), "the picture is a PNG file"),
        (explain("--out", "x", "--param", "target=1"), "no parameter 'target'"),
        (explain("--out", "x", "--param", "seed=1", method="grad-cam"), "no parameter 'seed'"),
        (["explain", "--model", OWN, "--image", "https://a.b/c.png", "--method", "gradient",
          "--out", "x"], "addresses are not fetched"),
        (["explain", "--model", OWN, "--image", "", "--method", "gradient", "--out", "x"],
         "no file named"),
        (["--port", "-1"], "a port lies between 0 and 65535"),
        (["--port", "99999"], "a port lies between 0 and 65535"),
        (["--device", "tpu"], "no device 'tpu'"),
        (["--model", "nosuch"], "no model 'nosuch'"),
        (["--model", "file:gone.pth?arch=ownnet:build"], "gone.pth: no such file"),
        (["explain", "--model", "imagenet-cn", "--image", "noise.png", "--method", "gradient",
          "--out", "x"], "did you mean imagenet-cnn"),
        (["explain", "--model", OWN, "--image", "none.png", "--method", "gradient", "--out", "x"],
         "none.png: no such file"),
        (["explain", "--model", OWN, "--image", "ownnet.py", "--method", "gradient", "--out", "x"],
         "not a picture"),
        (["explain", "--model", OWN, "--image", "sample:chelsi", "--method", "gradient",
          "--out", "x"], "did you mean chelsea"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_line(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert said in failed(capsys, arguments)
    assert not (place / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explane"], "no command 'explane'; did you mean explain"),
        (["explain", "--model", OWN], "required: --method"),
        (explain("--seed", "x", "--out", "x"), "--seed"),
        (["--prt"], "--prt"),
    ],
)
def test_a_wrong_call_gets_one_line_and_2(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert said in failed(capsys, arguments, code=2)


def test_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["models"]
    assert rows[0]["name"] == "imagenet-cnn"
    assert rows[0]["licence"] == "Apache-2.0"
    assert main(["models"]) == 0
    assert "imagenet-cnn" in capsys.readouterr().out


def test_methods(capsys: pytest.CaptureFixture[str]) -> None:
    from engine.attribution.registry import methods

    assert main(["methods", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["methods"]
    assert {row["name"] for row in rows} == set(methods())
    assert main(["methods"]) == 0
    told = capsys.readouterr().out
    for name in methods():
        assert name in told


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    assert "haloscope explain --model imagenet-cnn" in capsys.readouterr().out


def test_interrupted(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.attribution.explain import Plan

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Plan, "run", interrupted)
    assert "stopped" in failed(capsys, explain("--out", "x"), code=130)
    assert not (place / "x").exists()
