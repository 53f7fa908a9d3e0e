"""``haloscope mask``: what is hidden, told and written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dashboard.command.main import main
from engine.inputs.samples import load_sample
from engine.mask_results import MaskPreview
from engine.masking.generators.registry import generators
from engine.missingness.preview import preview_mask
from engine.results import load_result

SCENE = ["mask", "--model", "scenes-resnet", "--image", "sample:scenes/heart-07"]


def test_tells_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, png = tmp_path / "m.safetensors", tmp_path / "m.png"
    asked = ["--generator", "fmix", "--hidden", "0.4", "--fill", "grey", "--seed", "3"]
    given = [*SCENE, *asked, "--count", "2", "--param", "decay=2", "--grid", "7x9"]
    assert main([*given, "--out", str(out), "--png", str(png)]) == 0
    told = capsys.readouterr().out.splitlines()
    found = load_result(out)
    assert isinstance(found, MaskPreview)
    again = preview_mask(
        "scenes-resnet", load_sample("scenes/heart-07"), "fmix", 0.4, "grey",
        seed=3, count=2, grid=(7, 9), decay=2.0,
    )  # fmt: skip
    assert found.key == again.key
    assert np.array_equal(found.logits, again.logits)
    assert told[0] == "FMix: 39.7 % of 7 × 9 cells hidden"
    assert told[1] == "(Scenes ResNet; heart 07; Grey)"
    assert told[2].startswith("Before: heart (")
    assert [line.partition(":")[0] for line in told[3:5]] == ["Mask 1", "Mask 2"]
    assert told[5:] == [f"Written: {out}", f"Written: {png}"]
    with Image.open(png) as sheet:
        assert sheet.format == "PNG"
    assert main(given) == 0
    assert "Computed earlier and kept" in capsys.readouterr().out
    assert main([*given, "--no-cache"]) == 0
    assert "kept" not in capsys.readouterr().out
    assert main(["replay", str(out)]) == 0
    assert capsys.readouterr().out.startswith("Equal to the bit")


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SCENE, "--count", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["request"]["generator"] == {"name": "uniform", "parameters": {}}
    assert told["request"]["hidden"] == 0.5
    assert told["grid"] == [8, 8]
    assert told["cached"] is False
    assert told["before"][0]["name"] == "heart"
    assert [one["hidden"] for one in told["masks"]] == [0.5] * 3
    for one in told["masks"]:
        shares = [entry["probability"] for entry in one["after"]]
        assert shares == sorted(shares, reverse=True)


def test_a_drawn_mask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawing = np.random.default_rng(0).random((64, 64)) < 0.5
    Image.fromarray(np.where(drawing, 255, 0).astype(np.uint8)).save(tmp_path / "mine.png")
    out = tmp_path / "o.safetensors"
    assert main([*SCENE, "--mask", str(tmp_path / "mine.png"), "--out", str(out)]) == 0
    assert np.array_equal(load_result(out).keep[0], drawing)
    told = capsys.readouterr().out
    assert "Drawn:" in told
    assert "guided by" not in told
    assert "Asked for" not in told
    assert main(["replay", str(out)]) == 0


def test_guides_by_name_and_from_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    explained = ["explain", *SCENE[1:], "--method", "grad-cam", "--out", "map.safetensors"]
    assert main(explained) == 0
    np.save("scores.npy", np.random.default_rng(0).random((8, 8)))
    labels = np.arange(64)[None].repeat(64, axis=0) // 16
    np.save("labels.npy", labels[::8, ::8])
    Image.fromarray((labels * 50).astype(np.uint8)).save("labels.png")
    keeps = {}
    for generator, guide in (
        ("saliency", "grad-cam"), ("saliency", "map.safetensors"), ("saliency", "scores.npy"),
        ("region-complete", "labels.png"), ("region-complete", "labels.npy"),
        ("hard-patches", "difficulty"),
    ):  # fmt: skip
        out = ["--out", "o.safetensors"]
        assert main([*SCENE, "--generator", generator, "--guide", guide, *out]) == 0
        keeps[guide] = load_result("o.safetensors").keep
    assert np.array_equal(keeps["grad-cam"], keeps["map.safetensors"])
    assert np.array_equal(keeps["labels.png"], keeps["labels.npy"])
    assert "guided by Grad-CAM" in capsys.readouterr().out


def test_a_share_that_cannot_be_reached_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SCENE, "--generator", "block", "--hidden", "0.5"]) == 0
    told = capsys.readouterr().out
    assert "One visible square: 43.8 % of 8 × 8 cells hidden" in told
    assert "Asked for 50.0 %; this is the nearest that it can do." in told


def test_the_generators_and_fills_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mask", "--list"]) == 0
    told = capsys.readouterr().out
    for found in generators().values():
        assert f"{found.name}  ({found.title};" in told
    assert "Fills: mean (Mean colour)" in told
    assert main(["mask", "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in listed["generators"]] == list(generators())
    assert "grey" in [row["name"] for row in listed["fills"]]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["mask"], "name a model with --model and a picture with --image; or --list"),
        ([*SCENE, "--generator", "unifrom"], "did you mean uniform"),
        ([*SCENE, "--fill", "gray"], "did you mean grey"),
        ([*SCENE, "--hidden", "1.5"], "hidden=1.5 is out of range"),
        ([*SCENE, "--count", "0"], "count=0"),
        ([*SCENE, "--grid", "big"], "--grid 'big': write it as ROWSxCOLUMNS"),
        ([*SCENE, "--grid", "99"], "grid=99×99 is out of range"),
        ([*SCENE, "--param", "block=2"], "uniform has no parameter 'block'"),
        ([*SCENE, "--param", "block"], "--param 'block': write it as name=value"),
        ([*SCENE, "--guide", "gradient"], "uniform is guided by nothing but chance"),
        ([*SCENE, "--generator", "saliency", "--guide", "nowhere.npy"], "no guide 'nowhere.npy'"),
        ([*SCENE, "--generator", "attention-sampled"], "has no attention to be guided by"),
        ([*SCENE, "--generator", "drawn"], "needs a drawing: --mask FILE"),
        ([*SCENE, "--mask", "nowhere.png"], "nowhere.png: no such file"),
        ([*SCENE, "--mask", "m.png", "--generator", "fmix"], "--mask is for the generator drawn"),
        ([*SCENE, "--mask", "m.png", "--guide", "gradient"], "a drawn mask takes no guide"),
        ([*SCENE, "--mask", "m.png", "--hidden", "0.9"], "a drawn mask hides what it draws"),
        ([*SCENE, "--fit", "squash"], "no fit 'squash'"),
        ([*SCENE, "--out", "no/where.safetensors"], "no such folder"),
        ([*SCENE, "--png", "mask.jpg"], "the picture is a PNG file"),
        (["mask", "--model", "scenes-resnet", "--image", "x.png"], "x.png: no such file"),
        (["mask", "--model", "scenes-resnet", "--image", "x.npy", "--png", "x.png"], "no picture"),
        (["mask", "--model", "nothing", "--image", "sample:chelsea"], "nothing"),
        (["mask", "--model", "cancer-mlp", "--image", "sample:chelsea"], "rows of a table"),
    ],
)
def test_mistakes_get_one_line(
    given: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(given) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert told.err.startswith("haloscope: ")
    assert words in told.err


def test_it_works_as_a_program_and_stops_cleanly() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "dashboard.command.main", *SCENE, "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["before"][0]["name"] == "heart"


def test_ctrl_c_ends_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.missingness.previewing.masked_outputs", interrupted)
    out = tmp_path / "o.safetensors"
    assert main([*SCENE, "--no-cache", "--out", str(out)]) == 130
    assert "stopped; nothing was written" in capsys.readouterr().err
    assert not out.exists()
