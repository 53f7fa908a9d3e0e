"""``haloscope study``: what is told of fills over a set, and written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dashboard.command.main import main
from engine.inputs.samples import load_sample_set
from engine.mask_results import Linearity, MissingnessStudy
from engine.missingness.study_asking import missingness_study
from engine.results import load_result
from engine.store import default_store

SCENES = ["study", "--model", "scenes-resnet", "--images", "scenes", "--count", "12"]
CURVES = [*SCENES, "--fills", "grey,layer-masking", "--shares", "0,0.5", "--seed", "1"]


def test_curves_are_told_written_and_kept_fill_by_fill(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "s.safetensors"
    assert main([*CURVES, "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert told.err.startswith("Up to 36 forward passes")
    found = load_result(out)
    assert isinstance(found, MissingnessStudy)
    again = missingness_study(
        "scenes-resnet", load_sample_set("scenes"), fills=["grey", "layer-masking"],
        shares=[0, 0.5], count=12, seed=1,
    )  # fmt: skip
    assert found.key == again.key
    assert np.array_equal(found.predicted, again.predicted)
    lines = told.out.splitlines()
    assert lines[0].startswith("Scenes ResNet · 12 pictures of Scenes · 8 × 8 blocks, at random")
    rows = [line.split() for line in lines if line.startswith("  Grey")]
    expected = [100 * again.accuracy[0], again.entropy[0], 100 * again.unchanged[0]]
    for row, values in zip(rows, expected, strict=True):
        assert [float(cell) for cell in row[1:]] == pytest.approx(values, abs=0.051)
    assert any(line.startswith("With 50 % hidden at random,") for line in lines)
    assert lines[-1] == f"Written: {out}"
    assert len(default_store().entries()) == 3  # of each fill, and of both
    assert main(CURVES) == 0
    assert "Computed earlier and kept" in capsys.readouterr().out
    assert main(["replay", str(out)]) == 0
    assert capsys.readouterr().out.startswith("Equal to the bit")


def test_a_fill_more_is_all_that_is_computed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SCENES, "--fills", "grey", "--shares", "0.5"]) == 0
    capsys.readouterr()
    assert main([*SCENES, "--fills", "grey,black", "--shares", "0.5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["outcome"]["passes"]["forward"] == 12 * 2
    assert told["cached"] is False
    assert told["shares"] == [0.5]
    assert set(told["found"]) == {"grey", "black"}
    low, high = told["found"]["grey"]["accuracy_interval"][0]
    assert low <= told["found"]["grey"]["accuracy"][0] <= high


def test_without_labels_there_is_no_accuracy(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["study", "--model", "imagenet-cnn", "--images", "photographs", "--count", "2"]
    assert main([*asked, "--fills", "grey", "--shares", "0,0.5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["found"]["grey"]["accuracy"] == [None, None]
    assert told["found"]["grey"]["unchanged"][0] == 1
    assert main([*asked, "--fills", "grey", "--shares", "0,0.5"]) == 0
    assert "Right answers" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("probe", "told"),
    [
        ("shape-leak", "object hidden"),
        ("linearity", "cosine"),
        ("lime", "right without top"),
    ],
)
def test_probes(probe: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "p.safetensors"
    few = ["--samples", "20"] if probe == "lime" else []
    asked = [*SCENES[:-1], "2", "--probe", probe, "--fills", "grey,blur", *few]
    assert main([*asked, "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Scenes ResNet · 2 pictures of Scenes"
    assert lines[1].startswith("  Grey")
    assert told in lines[1]
    assert lines[2].startswith("  Blur")
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cached"] is True
    assert set(found["found"]) == {"grey", "blur"}
    result = load_result(out)
    if isinstance(result, Linearity):
        assert found["found"]["grey"]["cosine"]["value"] == pytest.approx(result.cosine[0].mean())


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--probe", "curve"], "no probe 'curve'"),
        (["--probe", "lime", "--grid", "3"], "the probe lime takes no --grid"),
        (["--samples", "9"], "the probe curves takes no --samples"),
        (["--fills", "gray"], "no fill 'gray'"),
        (["--shares", "a,b"], "--shares: 'a' is no number"),
        (["--shares", "0.5,0.1"], "expected them rising"),
        (["--grid", "x"], "--grid 'x'"),
        (["--order", "up"], "no order 'up'"),
        (["--saliency", "gradient"], "order=random takes no saliency method"),
        (["--out", "/no/such/folder/x"], "no such folder"),
        (["--fills", "token-drop"], "Token drop is for vision transformers"),
        (["--count", "0"], "count=0"),
    ],
)
def test_mistakes_are_told_in_one_line(
    more: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SCENES, *more]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) == 1
    assert told in lines[0]
    assert lines[0].startswith("haloscope: ")
