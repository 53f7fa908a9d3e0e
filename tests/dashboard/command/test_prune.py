"""``haloscope prune``: a sweep, kept and gone on with; a smaller network; geometry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import engine
from components.prune_words import costs_words
from dashboard.command import prune_lines
from dashboard.command.main import main
from engine.execution.passes import Passes
from engine.inputs.samples import load_sample_set
from engine.prune_results import Geometry, PruneSweep
from engine.pruning.finding.groups import find_groups
from engine.pruning.methods.catalogue import pruning_methods
from engine.pruning.scoring.registry import criteria
from engine.results import load_result


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """Thirty digits in class folders."""
    for one in load_sample_set("digits").part(range(30)):
        assert one.truth is not None
        folder = tmp_path / "own" / str(one.truth.label)
        folder.mkdir(parents=True, exist_ok=True)
        one.picture.save(folder / f"{one.name.replace(' ', '-')}.png")
    return tmp_path / "own"


@pytest.fixture
def asked(digits: Path) -> list[str]:
    return ["prune", "--model", "digits-cnn", "--images", str(digits)]


def test_tells_writes_and_replays(
    tmp_path: Path, digits: Path, asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sweep.safetensors"
    asked += ["--criterion", "group-l2,taylor", "--ratio", "0.25,0.5", "--repair", "none,both"]
    asked += ["--corruptions", "contrast", "--severities", "3", "--draws", "2"]
    assert main([*asked, "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert told.err == "20 pictures to judge on, 10 to calibrate with: up to 780 forward and 10 " \
        "backward passes\n"  # fmt: skip
    found = load_result(out)
    assert isinstance(found, PruneSweep)
    direct = engine.prune_sweep(
        "digits-cnn", engine.load_images(digits), criteria=("group-l2", "taylor"),
        ratios=(0.25, 0.5), repairs=("none", "both"), corruptions=("contrast",), severities=(3,),
        draws=2,
    )  # fmt: skip
    assert found.key == direct.key
    assert np.array_equal(found.predicted, direct.predicted)
    lines = told.out.splitlines()
    assert lines[0] == "Pruning Digits CNN, judged on 20 pictures of own, calibrated on 10"
    assert "The untouched network: accuracy" in lines[1] and "19.4 k parameters" in lines[1]
    rows = {line[:40].strip(): line for line in lines if line.startswith("  ")}
    for way, name in ((0, "Group L2, no repair"), (3, "Taylor (activation), both repairs")):
        (line,) = [line for line in lines if line.startswith(f"  {name}")]
        shown = [float(one) for one in line.split()[-3:]]
        exact = [100 * found.accuracy(way, ratio).value for ratio in range(3)]
        assert shown == pytest.approx(exact, abs=0.051)
    (control,) = [line for line in lines if line.startswith("  Random, no repair")]
    means = [np.mean([100 * found.accuracy(w, k).value for w in (4, 6)]) for k in range(3)]
    assert [one.draw for one in found.ways[4:]] == [0, 0, 1, 1]
    assert [float(one) for one in control.split()[-3:]] == pytest.approx(means, abs=0.051)
    assert any(name.startswith("% of parameters") for name in rows)
    assert sum(line.startswith("At ") for line in lines) == 4
    assert sum("corrupted pictures lose" in line for line in lines) == 4
    assert lines[-1] == f"Written: {out}"
    assert main(asked) == 0
    assert "Computed earlier and kept" in capsys.readouterr().out
    assert main(["replay", str(out)]) == 0
    assert capsys.readouterr().out.startswith("Equal to the bit")


def test_json_is_one_object(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    given = [*asked, "--ratio", "0.5", "--override", "conv1=0.25", "--corruptions", "fog"]
    assert main([*given, "--severities", "1,5", "--draws", "2", "--json"]) == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert not said.err
    assert told["cached"] is False
    assert told["request"]["overrides"] == {"conv1": 0.25}
    assert len(told["found"]) == 3 * 2
    whole = {
        group.name: group.size for group in find_groups(engine.load_model("digits-cnn")).groups
    }
    for row in told["found"]:
        low, high = row["accuracy"]["interval"]
        assert low <= row["accuracy"]["value"] <= high
        assert 0 <= row["calibration_error"] <= 1
        gone = {name: whole[name] - left for name, left in row["kept"].items()}
        if row["ratio"]:
            assert gone["conv1"] == whole["conv1"] // 4
            assert row["parameters"] < told["dense"]["parameters"]
            assert np.shape(row["corrupted"]) == (1, 2)
        else:
            assert not any(gone.values())
            assert row["parameters"] == told["dense"]["parameters"]
        assert (row["against_control"] is not None) == (
            row["criterion"] != "random" or told["request"]["draws"] > 1
        )


def test_the_cost_comes_first(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    few = ["--ratio", "0.5", "--draws", "1"]
    assert main([*asked, *few, "--plan"]) == 0
    assert "up to 90 forward passes" in capsys.readouterr().out
    # Reading what units say 10; then 4 networks; 2, and 23 rounds of timing 3; 2 networks.
    for more, passes in (([], 90), (["--physical"], 119), (["--geometry"], 50)):
        given = [*asked, "--ratio", "0.5", *more, *([] if more else ["--draws", "1"])]
        assert main([*given, "--plan", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["passes"] == {"forward": passes, "backward": 0}


def test_the_default_is_a_curve(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*asked, "--plan", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["request"]
    assert told["criteria"] == ["group-l2"] and told["repairs"] == ["both"]
    assert told["ratios"] == pytest.approx(np.arange(10) / 10)
    assert told["draws"] == 3


def test_work_that_is_interrupted_goes_on(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The power goes out while the third network is asked.
    from engine.pruning.sweeping import networks

    asked += ["--ratio", "0.3,0.6", "--draws", "1"]
    computed: list[Any] = []
    real = networks.answers

    def some(*given: Any) -> Any:
        if len(computed) == 2:
            raise KeyboardInterrupt
        computed.append(given)
        return real(*given)

    with monkeypatch.context() as broken:
        broken.setattr(networks, "answers", some)
        assert main(asked) == 130
    assert "stopped" in capsys.readouterr().err
    assert main(asked) == 0
    assert "Taken from earlier work: 2 networks." in capsys.readouterr().out
    passes: list[int] = []
    monkeypatch.setattr(Passes, "add", lambda *_: passes.append(1))
    assert main(asked) == 0
    assert not passes
    assert main([*asked, "--no-cache"]) == 0
    assert passes


def test_a_smaller_network_is_written_and_loads(
    tmp_path: Path, digits: Path, asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "small"
    given = [*asked, "--physical", "--ratio", "0.5", "--round", "8", "--out", str(out)]
    assert main(given) == 0
    said = capsys.readouterr()
    assert said.err.startswith("20 pictures to judge on, 10 to calibrate with: up to ")
    file = out.with_suffix(".safetensors")
    small, whole = engine.load_model(f"file:{file}"), engine.load_model("digits-cnn")
    lines = said.out.splitlines()
    assert lines[0] == small.card.title
    assert lines[1].startswith("Accuracy on 20 pictures: ")
    counts = [sum(one.numel() for one in m.module.parameters()) for m in (whole, small)]
    assert costs_words(*counts) in lines
    assert any("cut to size a pass takes" in line.lower() for line in lines)
    assert lines[-1] == f"Load it with --model file:{file}"
    assert main([*given, "--json", "--fine-tune", "1"]) == 0
    told = json.loads(capsys.readouterr().out)
    count = sum(one.numel() for one in small.module.parameters())
    assert told["costs"]["sliced"]["parameters"] == count
    assert told["costs"]["dense"]["parameters"] == sum(
        one.numel() for one in whole.module.parameters()
    )
    assert told["file_bytes"] == file.stat().st_size
    assert set(told["latency"]["seconds"]) == {"dense", "gated", "sliced"}
    for one in told["latency"]["seconds"].values():
        assert one["quartiles"][0] <= one["median"] <= one["quartiles"][1]
    assert told["fine_tuned"]["taught_by"] == "labels"
    assert told["problem"] is None
    tuned = engine.load_model(told["loads"])
    scores = engine.score_images(tuned, engine.load_images(digits))
    assert len(scores.labels) == 30
    # It is a model like others: what takes a model takes it.
    asked = ["explain", "--model", told["loads"], "--image", "sample:digits/3-04"]
    assert main([*asked, "--method", "gradient", "--out", str(tmp_path / "e.safetensors")]) == 0


def test_without_labels_agreement_is_told(
    tmp_path: Path, digits: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for file in digits.glob("*/*.png"):
        (flat / file.name).write_bytes(file.read_bytes())
    given = ["prune", "--model", "digits-cnn", "--images", str(flat), "--ratio", "0.3"]
    assert main([*given, "--draws", "1"]) == 0
    told = capsys.readouterr().out
    assert "The untouched network: 19.4 k parameters" in told
    assert "without labels the answers are those of the untouched network in" in told
    out = ["--physical", "--out", str(tmp_path / "small")]
    assert main([*given, *out, "--fine-tune", "1"]) == 0
    told = capsys.readouterr().out
    assert "Agreement with the untouched network on 20 pictures" in told
    assert "by what Digits CNN says of them" in told


def test_a_network_that_the_file_cannot_build_says_so(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from dashboard.command import prune

    def unable(_file: Path) -> str:
        return "its architecture is not told"

    monkeypatch.setattr(prune, "_problem", unable)
    out = str(tmp_path / "small")
    assert main([*asked, "--physical", "--out", out]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith("small.safetensors and arch=…: its architecture is not told")


def test_geometry_is_told_written_and_replayed(
    tmp_path: Path, asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "g.safetensors"
    asked += ["--geometry", "--ratio", "0.3,0.6", "--corruptions", "contrast"]
    assert main([*asked, "--severities", "2", "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = load_result(out)
    assert isinstance(found, Geometry)
    assert lines[0] == "Pictures at the classifier of Digits CNN: 20 pictures of own"
    (row,) = [line for line in lines if line.startswith("  Group L2 60 % on Contrast 2")]
    right, angle, norm, margin = (float(one) for one in row.split()[-4:])
    assert right == pytest.approx(100 * found.right[2, 1].mean())
    assert angle == pytest.approx(np.median(found.angle[2, 1]), rel=6e-3)
    assert norm == pytest.approx(np.median(found.norm[2, 1]), rel=6e-3)
    assert margin == pytest.approx(np.median(found.margin[2, 1]), rel=6e-3)
    assert lines[-2].startswith("Group L2 60 % on ")
    assert main([*asked, "--severities", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["cached"] is True
    assert [row["model"] for row in told["found"]][::2] == list(found.models)
    assert len(told["tree"]) == 5
    assert main(["replay", str(out)]) == 0
    assert capsys.readouterr().out.startswith("Equal to the bit")


def test_lists_what_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prune", "--list"]) == 0
    told = capsys.readouterr().out
    for name, one in criteria().items():
        assert f"{name}  ({one.title}; " in told
    assert "standardised" in told and "jpeg_compression" in told
    for name, method in pruning_methods().items():
        assert f"{name}  ({method.title}; " in told
    assert main(["prune", "--list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in rows["criteria"]} == set(criteria())
    assert {row["needs"] for row in rows["criteria"]} == set(prune_lines._NEEDS)
    assert {row["name"] for row in rows["methods"]} == set(pruning_methods())
    assert set(rows["repairs"]) == {"none", "bn", "bias", "both"}
    assert len(rows["corruptions"]) == 19


def test_lists_what_can_be_removed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prune", "--model", "digits-vit", "--layers"]) == 0
    told = capsys.readouterr().out
    groups = find_groups(engine.load_model("digits-vit"))
    assert told.startswith(f"{groups.units} units of Digits ViT can be removed:")
    for group in groups.groups:
        assert group.name in told
    for name, why in groups.refused.items():
        assert f"{name}: {why}" in told
    assert main(["prune", "--model", "digits-vit", "--layers", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert sum(row["size"] for row in rows["layers"]) == groups.units
    assert rows["refused"] == dict(groups.refused)


HERE = ["prune", "--model", "digits-cnn", "--images", "digits"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["prune"], "name a model with --model"),
        (["prune", "--model", "digits-cnn"], "name pictures to judge on with --images"),
        ([*HERE, "--ratio", "1"], "a layer without units would be empty"),
        ([*HERE, "--ratio", "half"], "--ratio: 'half' is no number"),
        ([*HERE, "--corruptions", "fog", "--severities", "two"], "'two' is no whole number"),
        ([*HERE, "--severities", "9"], "--severities are those of --corruptions"),
        ([*HERE, "--criterion", "tailor"], "no criterion 'tailor'; did you mean taylor"),
        ([*HERE, "--repair", "bm"], "no repair 'bm'"),
        ([*HERE, "--scope", "globe"], "no scope 'globe'; did you mean global"),
        ([*HERE, "--override", "conv1"], "write it as name=value"),
        ([*HERE, "--override", "conv9=0.5"], "there is no layer 'conv9' to prune"),
        ([*HERE, "--override", "conv1=x"], "--override conv1: 'x' is no number"),
        ([*HERE, "--corruptions", "fogg"], "did you mean fog"),
        ([*HERE, "--corruptions", "fog", "--severities", "9"], "expected a whole number from 1"),
        ([*HERE, "--draws", "0"], "draws=0"),
        ([*HERE, "--fit", "cop"], "no fit 'cop'"),
        ([*HERE, "--out", "/nowhere/at/all"], "no such folder"),
        ([*HERE, "--physical"], "name a file with --out"),
        ([*HERE, "--physical", "--geometry", "--plan"], "ask for one"),
        ([*HERE, "--physical", "--plan", "--ratio", "0.1,0.2"], "--physical takes one --ratio"),
        ([*HERE, "--physical", "--plan", "--corruptions", "fog"], "takes no --corruptions"),
        ([*HERE, "--physical", "--plan", "--round", "0"], "round_to=0"),
        ([*HERE, "--physical", "--plan", "--fine-tune", "0"], "epochs"),
        ([*HERE, "--fine-tune", "2"], "a sweep takes no --fine-tune"),
        ([*HERE, "--geometry", "--ratio", "0"], "name one above 0 at least"),
        ([*HERE, "--geometry", "--criterion", "taylor,fpgm"], "--geometry takes one --criterion"),
        ([*HERE, "--calibration", "/nowhere"], "no such folder or CSV file"),
        (["prune", "--model", "compas-mlp", "--images", "digits"], "pruning is for pictures"),
        (["prune", "--model", "compas-mlp", "--layers"], "pruning is for pictures"),
        (["prune", "--model", "digits-cnn", "--images", "scenes"], "knows none of the labels"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    given: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(given) == 1
    said = capsys.readouterr()
    assert said.err.startswith("haloscope: ")
    assert told in said.err
    assert said.err.count("\n") == 1
    assert not said.out


def test_pictures_that_are_gone_are_left_out(
    digits: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from engine.inputs import samples

    real = samples.load_set

    def then_lost(source: str) -> Any:
        found = real(source)
        assert found.digest
        file = next(iter(found.entries)).path
        Image.new("L", (28, 28)).save(file, "PNG")
        file.write_bytes(file.read_bytes()[:40])
        return found

    monkeypatch.setattr(samples, "load_set", then_lost)
    for seed in range(6):
        assert main([*asked, "--ratio", "0.5", "--draws", "1", "--seed", str(seed)]) == 0
        told = capsys.readouterr().out
        if "Left out: 1 picture" in told:
            return
    raise AssertionError("in no draw it was judged")


def test_the_model_is_left_as_it_is(asked: list[str]) -> None:
    model = engine.load_model("digits-cnn")
    before = [one.clone() for one in model.module.state_dict().values()]
    assert main([*asked, "--ratio", "0.5", "--draws", "1"]) == 0
    after = engine.load_model("digits-cnn").module.state_dict().values()
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
