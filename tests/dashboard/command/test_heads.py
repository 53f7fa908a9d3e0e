"""``haloscope heads``: which heads matter, told and written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import transformers
from safetensors import safe_open

from dashboard.command.main import main
from engine.head_results import HeadScores
from engine.heads.judging import head_scores
from engine.heads.registry import head_metrics
from engine.inputs.samples import load_sample
from engine.results import load_result

DIGIT = ["heads", "--model", "digits-vit", "--image", "sample:digits/3-04"]


def test_tells_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "heads.safetensors"
    assert main([*DIGIT, "--metric", "cross-entropy", "--out", str(out)]) == 0
    told = capsys.readouterr().out.splitlines()
    found = load_result(out)
    assert isinstance(found, HeadScores)
    again = head_scores("digits-vit", load_sample("digits/3-04"), "cross-entropy")
    assert found.key == again.key
    assert np.array_equal(found.values, again.values)
    assert found.values.shape == (4, 4)
    assert found.error is None
    with safe_open(out, framework="numpy") as opened:
        assert np.isnan(opened.get_tensor("error")).all()
        assert opened.get_tensor("error").shape == (4, 4)
    layer, head = found.ranking[0]
    assert told[0] == "Rise of the loss, rise of the cross-entropy (nats)"
    assert told[1] == "(Digits ViT; 3 04, true classes)"
    assert told[2].split() == ["1.", "layer", str(layer), "head", str(head),
                               f"{found.values[layer, head]:.4g}"]  # fmt: skip
    assert told[11].split()[0] == "10."
    assert told[12] == "  … and 6 more; --json has all"
    assert told[-1] == f"Written: {out}"
    assert main([*DIGIT, "--metric", "cross-entropy"]) == 0
    assert "Computed earlier and kept" in capsys.readouterr().out
    assert main([*DIGIT, "--metric", "cross-entropy", "--no-cache"]) == 0
    assert "kept" not in capsys.readouterr().out
    assert main(["replay", str(out)]) == 0
    assert capsys.readouterr().out.startswith("Equal to the bit: 16 values.")


def test_a_set_has_errors_and_json_is_one_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("0-00", "0-01", "3-04", "7-02"):
        folder = tmp_path / "own" / name[0]
        folder.mkdir(parents=True, exist_ok=True)
        load_sample(f"digits/{name}").picture.save(folder / f"{name}.png")
    given = ["heads", "--model", "digits-vit", "--images", str(tmp_path / "own")]
    out = tmp_path / "o.safetensors"
    assert main([*given, "--metric", "gradient", "--param", "normalise=yes"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[1] == "(Digits ViT; own, 4 pictures, true classes)"
    assert "±" in told[2]
    asked = ["--metric", "probability-drop", "--top", "3", "--class", "0", "--json"]
    assert main([*given, *asked, "--out", str(out)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["request"]["exact_top"] == 3
    assert told["request"]["only_class"] == {"index": 0, "name": "0"}
    assert told["outcome"]["images"] == 2
    assert told["out"] == str(out)
    assert told["cached"] is False
    assert len(told["ranking"]) == 16
    assert {"value", "error", "cheap", "layer", "head", "name"} == set(told["ranking"][0])
    assert {"cheap", "layer", "head", "name"} == set(told["ranking"][3])
    found = load_result(out)
    assert np.isfinite(found.values).sum() == 3
    assert found.error.shape == (4, 4)
    assert main([*given, "--metric", "flips", "--keep-one", "--seed", "3"]) == 0


def test_layers_of_several_widths_are_padded_in_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "swin", tmp_path / "heads.safetensors"
    config = transformers.SwinConfig(
        image_size=64, embed_dim=12, depths=[1, 2], num_heads=[2, 4], window_size=4, num_labels=3
    )
    transformers.SwinForImageClassification(config).save_pretrained(folder)
    given = ["heads", "--model", f"hf:{folder}", "--images", "photographs", "--out", str(out)]
    for metric in ("gradient", "divergence"):
        assert main([*given, "--metric", metric]) == 0
        assert "Heads attend within windows." in capsys.readouterr().out
        with safe_open(out, framework="numpy") as opened:
            arrays = [opened.get_tensor(name) for name in ("values", "error")]
        for array in arrays:
            assert (array.dtype, array.shape) == (np.float32, (3, 4))
            assert np.isfinite(array).tolist() == [[True] * 2 + [False] * 2, [True] * 4, [True] * 4]


def test_the_metrics_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["heads", "--list"]) == 0
    told = capsys.readouterr().out
    for name, metric in head_metrics().items():
        assert f"{name}  ({metric.title}; " in told
        for parameter in metric.parameters:
            assert f"--param {parameter.name}=" in told
    assert "switches heads off; a pass for each head" in told
    assert main(["heads", "--list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["metrics"]
    assert [row["name"] for row in rows] == list(head_metrics())
    assert all(row["paper"] and row["caveat"] and row["cost"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["heads"], "name a model with --model and a metric with --metric"),
        (["heads", "--model", "digits-vit"], "name a model with --model and a metric"),
        (["heads", "--model", "digits-vit", "--metric", "flips"], "name a picture with --image"),
        ([*DIGIT, "--metric", "flips", "--images", "digits"], "name a picture with --image"),
        ([*DIGIT, "--metric", "flip"], "did you mean flips?"),
        ([*DIGIT, "--metric", "gradient", "--param", "normalize=yes"], "did you mean normalise?"),
        ([*DIGIT, "--metric", "gradient", "--param", "normalise=much"], "expected true or false"),
        ([*DIGIT, "--metric", "gradient", "--keep-one"], "it has no keep_one"),
        ([*DIGIT, "--metric", "shapley", "--top", "3"], "it has no exact_top"),
        ([*DIGIT, "--metric", "flips", "--top", "0"], "expected a number of heads, 1 or more"),
        ([*DIGIT, "--metric", "flips", "--class", "eleven"], "no class 'eleven'"),
        ([*DIGIT, "--metric", "flips", "--fit", "crob"], "did you mean crop?"),
        ([*DIGIT, "--metric", "flips", "--out", "no/such/file"], "no such folder"),
        ([*DIGIT, "--metric", "flips", "--out", "."], "it is a folder; name a file in it"),
        (
            # told before the work, and so before the picture that is not there
            [*DIGIT[:3], "--image", "none.png", "--metric", "flips", "--out", "/proc/heads"],
            "cannot write /proc/heads: ",
        ),
        (
            ["heads", "--model", "cancer-mlp", "--image", "sample:chelsea", "--metric", "flips"],
            "takes rows of a table: it has no attention heads",
        ),
        (
            [
                "heads",
                "--model",
                "digits-cnn",
                "--image",
                "sample:digits/3-04",
                "--metric",
                "flips",
            ],
            "Digits CNN: no attention was seen",
        ),
        (
            ["heads", "--model", "digits-vit", "--image", "none.png", "--metric", "flips"],
            "none.png",
        ),
    ],
)
def test_mistakes_get_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("haloscope: ")
    assert told in lines[0]


def test_help_needs_no_torch() -> None:
    code = (
        "import sys; from dashboard.command.main import main\n"
        "try: main(['heads', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'timm', 'transformers'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[]"
