"""``haloscope test``: accuracy on a set, told and written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from dashboard.command.main import main
from engine.results import load_result
from engine.scores import Scores


def test_tells_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "s.safetensors"
    assert main(["test", "--model", "digits-cnn", "--images", "digits", "--out", str(out)]) == 0
    told = capsys.readouterr().out
    found = load_result(out)
    assert isinstance(found, Scores)
    accuracy = found.accuracy()
    assert f"Right: {100 * accuracy.value:.1f} % of 300 pictures" in told
    assert "Calibration error:" in told
    assert " taken for " in told


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "--model", "digits-cnn", "--images", "digits", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["pictures"] == told["labelled"] == 300
    low, high = told["accuracy_interval"]
    assert low < told["accuracy"] < high
    wrong = sum(row["count"] for row in told["mixed_up"])
    assert wrong == round(300 * (1 - told["accuracy"]))


def test_a_folder_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for label in ("3", "7", "other"):
        (tmp_path / label).mkdir()
        Image.new("L", (40, 30), 90).save(tmp_path / label / "a.png")
    (tmp_path / "3" / "b.png").write_bytes(b"broken")
    assert main(["test", "--model", "digits-cnn", "--images", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert "of 2 pictures" in told.out
    assert "Not counted: 1 pictures without a label that the model knows" in told.out
    assert "3/b.png: not a picture" in told.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--model", "digits-cnn", "--images", "nowhere"], "the sets at hand are photographs"),
        (["--model", "digits-cnn", "--images", "scenes"], "knows none of the labels"),
        (["--model", "digits-cn", "--images", "digits"], "did you mean digits-cnn"),
        (["--model", "digits-cnn", "--images", "digits", "--fit", "stretch"], "no fit 'stretch'"),
        (["--model", "digits-cnn", "--images", "digits", "--out", "no/such/f"], "no such folder"),
    ],
)
def test_mistakes_get_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["test", *arguments]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("haloscope: ")
    assert told in lines[0]


def test_without_labels(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "--model", "imagenet-cnn", "--images", "photographs"]) == 0
    assert "none with a label" in capsys.readouterr().out
    assert main(["test", "--model", "imagenet-cnn", "--images", "photographs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] is None
