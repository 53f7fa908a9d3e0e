"""Tests on image sets and findings about columns, computed again."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.attribution.explain import explain
from engine.errors import ReplayError
from engine.evaluation.scoring import score_images
from engine.inputs.sample_tables import load_sample_table
from engine.inputs.samples import load_sample, load_sample_set
from engine.inputs.tables import load_table
from engine.replay import replay
from engine.results import Result, load_result
from engine.tables.measuring import measure
from tests.engine.refusals import expect_refusal


def reloaded(result: Result, folder: Path) -> Result:
    return load_result(result.save(folder / "saved.safetensors"))


def test_a_test_on_a_set(tmp_path: Path) -> None:
    saved = reloaded(score_images("digits-cnn", load_sample_set("digits")), tmp_path)
    found = replay(saved)
    assert found.verdict == "equal to the bit"
    assert found.values == 5 * 300
    with expect_refusal(ReplayError, "the image set is not the one of the result"):
        replay(saved, given=load_sample_set("digits").part(range(20)))
    with expect_refusal(ReplayError, "the model is not the one of the result"):
        replay(saved, "digits-vit")


@pytest.mark.parametrize(
    "name", ["permutation", "swarm", "surrogate", "groups", "outrank", "individual-expectation"]
)
def test_a_finding_about_columns(name: str, tmp_path: Path) -> None:
    column = "bmi" if name == "individual-expectation" else None
    table = load_sample_table("diabetes")
    found = measure("diabetes-mlp", table, name, column=column, seed=3, rows=60)
    assert replay(reloaded(found, tmp_path)).verdict == "equal to the bit"


def test_a_finding_about_a_file_that_moved(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    load_sample_table("diabetes").frame.head(50).to_csv(file, index=False)
    saved = reloaded(measure("diabetes-mlp", load_table(file), "permutation"), tmp_path)
    assert replay(saved).verdict == "equal to the bit"
    moved = file.rename(tmp_path / "moved.csv")
    with expect_refusal(ReplayError, "is not there any more"):
        replay(saved)
    assert replay(saved, given=str(moved)).verdict == "equal to the bit"
    moved.write_text(moved.read_text().replace("\n", " \n", 1).rsplit("\n", 2)[0] + "\n")
    with expect_refusal(ReplayError, "the table is not the one of the result"):
        replay(saved, given=str(moved))


def test_a_background_from_a_set_at_hand_is_found_again(tmp_path: Path) -> None:
    found = explain(
        "digits-cnn", load_sample("digits/3-01"), "gradient-shap", samples=8,
        background=load_sample_set("digits"),
    )  # fmt: skip
    assert replay(reloaded(found, tmp_path)).verdict == "equal to the bit"


def test_a_finding_about_the_data_alone(tmp_path: Path) -> None:
    table = load_sample_table("cancer")
    saved = reloaded(measure(None, table, "outrank", label="diagnosis"), tmp_path)
    assert replay(saved).verdict == "equal to the bit"
    with expect_refusal(ReplayError, "made without a model"):
        replay(saved, "cancer-mlp")
