"""``haloscope interact``: told, written, kept, gone on with, replayed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from dashboard.command import interaction_lines
from dashboard.command.main import main
from engine.execution.passes import Passes
from engine.inputs.sample_tables import load_sample_table
from engine.inputs.samples import load_named
from engine.interaction_results import Interactions
from engine.results import load_result

ASKED = ["interact", "--model", "compas-logistic", "--table", "compas"]
PICTURE = ["interact", "--model", "scenes-vgg", "--image", "sample:scenes/heart-07"]
PAIRS = ["--pairs", "male:priors_any", "--pairs", "male:juvenile_any"]


def test_tells_writes_and_replays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "found.safetensors"
    assert main([*ASKED, *PAIRS, "--out", str(out), "--rate", "0.05"]) == 0
    told = capsys.readouterr()
    assert "2 pairs, 6,172 rows, 100 permutations: about" in told.err
    found = load_result(out)
    assert isinstance(found, Interactions)
    direct = engine.measure_interactions(
        "compas-logistic", "sample:compas", pairs=[("male", 2), ("male", 4)], rate=0.05
    )
    assert np.array_equal(found.scores, direct.scores)
    assert found.key == direct.key
    lines = told.out.splitlines()
    assert lines[0] == "Interactions of COMPAS logistic regression on COMPAS, nats"
    assert "log-loss 0.6334; good models: up to 0.0317 above (5% of it)" in lines[1]
    widest = np.abs(found.spread()).max(axis=1).argmax()
    first = " × ".join(found.titles[i] for i in found.pairs[widest])
    assert lines[3].strip().startswith(f"1. {first}")
    assert lines[-1] == f"Written: {out}"
    assert main([*ASKED, *PAIRS, "--rate", "0.05"]) == 0
    assert "Computed earlier and kept" in capsys.readouterr().out
    assert main(["replay", str(out)]) == 0
    assert capsys.readouterr().out.startswith(("Equal to the bit", "Within tolerance"))


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, *PAIRS, "--json", "--retrained", "2", "--rows", "400"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["request"]["repeats"] == 100
    assert {tuple(row["pair"]) for row in told["pairs"]} == {
        ("priors_any", "male"),
        ("male", "juvenile_any"),
    }
    for row in told["pairs"]:
        assert row["min"] <= row["median"] <= row["max"]
        assert 0 <= row["agreement"] <= 1
        assert row["models"] > 0
        assert row["retrained"]["min"] <= row["retrained"]["max"]
    assert told["columns"][0]["range"] is None  # in no pair that was asked for
    assert told["columns"][3]["range"][0] <= told["columns"][3]["reliance"]


def test_regions_of_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "regions.safetensors"
    few = ["--regions", "4", "--division", "grid", "--pairs", "0:3", "--epsilon", "0.02"]
    assert main([*PICTURE, *few, "--target", "heart", "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert "1 pair, 4 regions: about" in told.err
    assert "forward passes, " in told.err
    found = load_result(out)
    assert isinstance(found, Interactions)
    assert found.regions is not None
    assert "(1 picture; log-loss" in told.out
    assert "Regions: 0 top left, 1 top right, 2 bottom left, 3 bottom right." in told.out
    direct = engine.plan_picture_interactions(
        "scenes-vgg", load_named("sample:scenes/heart-07"), target="heart", segments=4,
        division="grid", pairs=["0:3"], epsilon=0.02,
    )  # fmt: skip
    assert direct.key == found.key
    assert main([*PICTURE, *few, "--target", "heart", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["cached"]
    assert said["columns"][2]["lies"] == "bottom left"
    assert main(["replay", str(out)]) == 0
    assert capsys.readouterr().out.startswith(("Equal to the bit", "Within tolerance"))


def test_the_cost_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, "--plan"]) == 0
    assert "15 pairs, 6,172 rows" in capsys.readouterr().out
    assert main([*ASKED, "--plan", "--json", *PAIRS]) == 0
    told = json.loads(capsys.readouterr().out)
    assert 0 < told["passes"] < told["passes_at_most"]


def test_work_that_is_interrupted_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The power goes out while the second pair is computed.
    from engine.interactions import running

    computed: list[Any] = []
    real = running._cloud

    def some(stage: Any, pair: Any, request: Any) -> Any:
        if len(computed) == 1:
            raise KeyboardInterrupt
        computed.append(pair)
        return real(stage, pair, request)

    with monkeypatch.context() as broken:
        broken.setattr(running, "_cloud", some)
        assert main([*ASKED, *PAIRS]) == 130
    assert "stopped" in capsys.readouterr().err
    assert main([*ASKED, *PAIRS]) == 0
    told = capsys.readouterr().out
    assert "Taken from earlier work: 1 pair." in told
    asked: list[int] = []
    monkeypatch.setattr(Passes, "forward", lambda *_: asked.append(1))
    assert main([*ASKED, *PAIRS]) == 0
    assert not asked


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["interact"], "name a model with --model and a table with --table, or a picture"),
        ([*ASKED, "--image", "sample:chelsea"], "--table and --image are both given"),
        (
            [*ASKED, "--rate", "0.1", "--epsilon", "0.02"],
            "--rate and --epsilon are both given; name",
        ),
        (
            [*PICTURE, "--rate", "0.1", "--epsilon", "0.02", "--plan"],
            "--rate and --epsilon are both",
        ),
        ([*ASKED, "--plan", "--rate", "0", "--epsilon", "0.02"], "--rate and --epsilon are both"),
        ([*ASKED, "--regions", "4"], "--regions does not go with --table"),
        ([*PICTURE, "--rows", "40"], "--rows does not go with --image"),
        ([*PICTURE, "--regions", "1"], "regions=1: expected a whole number from 2 to 64"),
        ([*PICTURE, "--fit", "squeeze"], "no fit 'squeeze'"),
        ([*PICTURE, "--pairs", "0:70"], "no region '70'"),
        (["interact", "--model", "compas-mlp", "--image", "sample:chelsea"], "takes no pictures"),
        ([*ASKED, "--pairs", "male"], "the pair 'male': write it as a:b"),
        ([*ASKED, "--pairs", "male:prior"], "the model reads no column 'prior'; did you mean"),
        ([*ASKED, "--repeats", "3"], "repeats=3: expected a whole number from 30"),
        ([*ASKED, "--rate", "-1"], "rate=-1.0: expected a number above 0"),
        ([*ASKED, "--out", "/nowhere/at/all"], "no such folder"),
        ([*ASKED, "--label", "nothing"], "has no column 'nothing'"),
        (["interact", "--model", "digits-cnn", "--table", "compas"], "not tables"),
        (["interact", "--model", "compas-mlp", "--table", "compass"], "the tables at hand are"),
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


def test_the_sentence_follows_the_numbers() -> None:
    def told(*agreements: float) -> str:
        rows = [{"titles": [f"a{n}", "b"], "agreement": one} for n, one in enumerate(agreements)]
        return interaction_lines._sentence(rows)

    assert told(1) == "All good models agree in the sign of a0 × b."
    assert told(0.9) == "Good models do not agree even in the sign of the interaction."
    assert told(0.5, 1) == (
        "All good models agree in the sign of a1 × b; on the others they do not."
    )
    assert told(1, 1) == "All good models agree in the sign of a0 × b, a1 × b."
    assert told(0.9, 0).startswith("On no pair")
    assert told(0, 0) == "In no good model can an interaction be told from zero."


def test_columns_that_say_nothing_interact_with_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = load_sample_table("compas").frame.head(100)
    table = tmp_path / "same.csv"
    frame.assign(**dict.fromkeys(frame.columns[:-1], 1)).to_csv(table, index=False)
    assert main(["interact", "--model", "compas-logistic", "--table", str(table)]) == 0
    told = capsys.readouterr().out
    assert "In no good model can an interaction be told from zero." in told
    assert "e-1" not in told
