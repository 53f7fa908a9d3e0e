"""``haloscope columns``: what matters, told and written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dashboard.command.main import main
from engine.results import load_result
from engine.table_results import ColumnScores, Effects
from engine.tables.measuring import measure
from engine.tables.registry import measures

CANCER = ["columns", "--model", "cancer-mlp", "--table", "cancer"]


def test_tells_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "found.safetensors"
    given = ["--measure", "permutation", "--param", "repeats=3", "--rows", "100"]
    assert main([*CANCER, *given, "--out", str(out)]) == 0
    told = capsys.readouterr().out.splitlines()
    found = load_result(out)
    assert isinstance(found, ColumnScores)
    again = measure("cancer-mlp", "sample:cancer", "permutation", repeats=3, rows=100)
    assert np.array_equal(found.values, again.values)
    assert found.key == again.key
    first = found.titles[found.order()[0]]
    assert told[0] == "Permutation importance, rise of the log-loss (nats)"
    assert told[1] == "(Breast cancer network; Breast cancer, 100 of 569 rows)"
    assert told[2].split(".", 1)[1].strip().startswith(first)
    assert "±" in told[2]
    assert "… and 20 more; --json has all" in told[12]
    assert any(line.startswith(f"Shuffling {first.lower()} costs most") for line in told)
    assert told[-1] == f"Written: {out}"


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--measure", "partial-dependence", "--column", "Worst area", "--output", "logit"]
    assert main([*CANCER, *given, "--json", "--param", "points=4"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["request"]["output"] == "logit"
    assert told["display"]["column"] == "worst area"
    assert len(told["ranking"]) == 4
    assert told["out"] is None
    assert told["sentence"].startswith("With worst area from")


def test_several_measures_into_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--measure", "surrogate", "--measure", "accumulated-effects", "--column", "age"]
    table = ["columns", "--model", "adult-mlp", "--table", "sample:adult", "--rows", "300"]
    assert main([*table, *given, "--param", "depth=2", "--out", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["results"]
    assert [one["source"]["measure"] for one in told] == ["surrogate", "accumulated-effects"]
    assert told[0]["request"]["measure"]["parameters"]["depth"] == 2
    assert told[1]["display"]["column"] == "age"
    found = load_result(tmp_path / "accumulated-effects.safetensors")
    assert isinstance(found, Effects)
    assert (tmp_path / "surrogate.safetensors").is_file()
    assert main([*table, *given, "--param", "depth=2"]) == 0
    said = capsys.readouterr().out
    assert "  if " in said
    assert "of the rows)" in said
    assert "A tree of " in said
    assert "With age from" in said


def test_no_model_is_needed_to_look_at_the_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.csv"
    rows = [f"{i % 7},{(i * 3) % 11},{'yes' if i % 7 > 3 else 'no'}" for i in range(77)]
    path.write_text("\n".join(["a,b,bought", *rows]))
    given = ["columns", "--table", str(path), "--measure", "outrank", "--label", "bought"]
    assert main(given) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "OutRank, bits"
    assert told[1] == "(no model; own.csv, all rows)"
    assert told[2].split()[:2] == ["1.", "a"]


def test_a_regression_is_explained_by_its_value(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--table", "diabetes", "--measure", "accumulated-effects", "--column", "bmi"]
    assert main(["columns", "--model", "diabetes-mlp", *given]) == 0
    assert capsys.readouterr().out.startswith("Accumulated local effects (ALE), disease progr")


def test_the_measures_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["columns", "--list"]) == 0
    told = capsys.readouterr().out
    for name, found in measures().items():
        assert f"{name}  ({found.title}" in told
        for parameter in found.parameters:
            assert f"--param {parameter.name}=" in told
    assert "needs a model, a label)" in told
    assert main(["columns", "--list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["measures"]
    assert [row["name"] for row in rows] == list(measures())
    assert all(row["paper"] and row["caveat"] and row["summary"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name a table with --table and a measure with --measure"),
        (["--table", "cancer"], "name a table with --table and a measure with --measure"),
        (["--table", "cancer", "--measure", "permutaton"], "did you mean permutation"),
        (["--table", "cancer", "--measure", "swarm"], "asks a model: name one with --model"),
        (["--table", "canser", "--measure", "outrank"], "the tables at hand are cancer"),
    ],
)
def test_mistakes_get_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    expect_one_line(["columns", *arguments], told, capsys)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--column", "age"], "takes no --column"),
        (["--target", "malignant"], "takes no --target"),
        (["--output", "logits"], "did you mean logit"),
        (["--param", "repeat=3"], "did you mean repeats"),
        (["--param", "repeats"], "write it as name=value"),
        (["--param", "repeats=many"], "expected a whole number"),
        (["--label", "diagnoses"], "did you mean diagnosis"),
        (["--rows", "1"], "takes from 2 up"),
        (["--out", "no/such/file"], "no such folder"),
        (["--out", "."], "it is a folder; name a file in it"),
        (["--measure", "surrogate", "--out", "no-such-folder"], "--out is a folder that is there"),
        (["--measure", "partial-dependence"], "is of one column; name it"),
    ],
)
def test_mistakes_with_a_measure_get_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    expect_one_line([*CANCER, "--measure", "permutation", *arguments], told, capsys)


def test_a_table_of_others_gets_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["columns", "--model", "cancer-mlp", "--table", "diabetes", "--measure", "swarm"]
    expect_one_line(given, "lacks the column", capsys)


def expect_one_line(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("haloscope: ")
    assert told in lines[0]


def test_help_needs_no_torch() -> None:
    code = (
        "import sys; from dashboard.command.main import main\n"
        "try: main(['columns', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'pandas', 'sklearn'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[]"
