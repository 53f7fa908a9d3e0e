from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import save_file
from sklearn.ensemble import RandomForestClassifier
from skops import io as skops_io

from engine.attribution.explain import explain
from engine.errors import ReplayError
from engine.inputs.tables import Row, load_table
from engine.models.loading import load_model
from engine.replay import replay
from engine.results import Attribution, Result, load_result
from tests.engine import zoo
from tests.engine.refusals import expect_refusal

REF = "file:net.safetensors?arch=tests.engine.zoo:Mlp&columns=people.csv&label=sick"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with weights and a table, in which the test runs."""
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": draw.integers(18, 90, 150),
            "colour": draw.choice(["red", "green", "blue"], 150),
            "weight": draw.normal(70, 12, 150).round(1),
            "sick": draw.choice(["maybe", "no", "yes"], 150),
        }
    )
    frame.to_csv(tmp_path / "people.csv", index=False)
    save_file(zoo.build("mlp").state_dict(), tmp_path / "net.safetensors")
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def explained(given: Any, method: str = "integrated-gradients", **more: Any) -> Attribution:
    return explain(REF, given, method, 1, **more)


def third() -> Row:
    return load_table("people.csv").row(3)


def reloaded(result: Attribution) -> Result:
    return load_result(result.save("saved.safetensors"))


METHODS = ["gradient", "integrated-gradients", "gradient-shap", "feature-ablation", "smoothgrad"]


@pytest.mark.parametrize("method", METHODS)
def test_a_row_on_disk_is_found_again(place: Path, method: str) -> None:
    saved = reloaded(explained(third(), method))
    assert saved.manifest["source"]["input_origin"] == "people.csv#3"
    found = replay(saved)
    assert found.verdict == "equal to the bit"
    assert found.result.key == saved.manifest["key"]


def test_a_sample_row_is_found_again() -> None:
    row = load_table("sample:cancer").row(3)
    result = explain("cancer-mlp", row, "integrated-gradients", 0)
    assert result.manifest["source"]["input_origin"] == "sample:cancer#3"
    assert replay(result).verdict == "equal to the bit"


def test_a_changed_row_must_be_passed(place: Path) -> None:
    saved = reloaded(explained(dict(third().values) | {"age": 50}))
    with expect_refusal(ReplayError, "does not say where its input 'row' lies; pass it"):
        replay(saved)


def test_a_changed_row_passed_as_a_mapping(place: Path) -> None:
    values = dict(third().values) | {"age": 50}
    saved = reloaded(explained(values))
    assert replay(saved, given=values).verdict == "equal to the bit"
    turned = dict(reversed(values.items()))
    assert replay(saved, given=turned).verdict == "equal to the bit"


def test_a_changed_row_keeps_its_table_as_background(place: Path) -> None:
    row = third().changed(age=50)
    saved = reloaded(explained(row))
    assert saved.manifest["request"]["background"] == row.table.digest
    assert replay(saved, given=row).verdict == "equal to the bit"


def test_a_changed_row_of_a_table_on_disk_is_found_again(place: Path) -> None:
    saved = reloaded(explained(third().changed(age=50).changed(colour="red")))
    assert saved.manifest["source"]["input_changes"] == {"age": 50, "colour": "red"}
    assert replay(saved).verdict == "equal to the bit"


def test_a_background_of_ones_own_must_be_passed(place: Path) -> None:
    others = load_table("people.csv").part(range(20))
    saved = reloaded(explained(third(), background=others))
    with expect_refusal(ReplayError, "the background is not the one of the result"):
        replay(saved)
    assert replay(saved, background=others).verdict == "equal to the bit"


def test_another_row(place: Path) -> None:
    saved = reloaded(explained(third()))
    with expect_refusal(ReplayError, "the input is not the one of the result"):
        replay(saved, given="people.csv#4")


def test_a_table_that_was_moved(place: Path) -> None:
    saved = reloaded(explained(third()))
    Path("people.csv").rename("moved.csv")
    with expect_refusal(ReplayError, "the input people.csv#3 is not there any more; pass it"):
        replay(saved, REF.replace("people", "moved"))
    assert (
        replay(saved, REF.replace("people", "moved"), "moved.csv#3").verdict == "equal to the bit"
    )


def test_a_table_that_was_changed(place: Path) -> None:
    saved = reloaded(explained(third()))
    model = load_model(REF)
    lines = Path("people.csv").read_text().splitlines()
    Path("people.csv").write_text("\n".join([*lines[:-1], "20,red,61.5,no"]))
    with expect_refusal(ReplayError, "the background is not the one of the result"):
        replay(saved, model)


def test_other_columns_of_the_model(place: Path) -> None:
    saved = reloaded(explained(third()))
    lines = Path("people.csv").read_text().splitlines()
    Path("people.csv").write_text("\n".join([*lines, "20,red,61.5,no"]))
    with expect_refusal(ReplayError, "the preprocessing is not the one of the result"):
        replay(saved, given=third())


def test_an_estimator_from_a_file(place: Path) -> None:
    frame = pd.read_csv("people.csv")
    forest = RandomForestClassifier(9, random_state=0).fit(frame[["age", "weight"]], frame["sick"])
    skops_io.dump(forest, "forest.skops")
    ref = "file:forest.skops?columns=people.csv&label=sick"
    saved = reloaded(explain(ref, third(), "feature-ablation", "yes"))
    assert replay(saved).verdict == "equal to the bit"


def test_an_estimator_in_hand_must_be_passed(place: Path) -> None:
    table = load_table("people.csv")
    frame = table.frame[["age", "weight"]].astype(float)
    forest = RandomForestClassifier(3, random_state=0).fit(frame, table.frame["sick"])
    saved = reloaded(explain(forest, third(), "feature-ablation", 1))
    with expect_refusal(ReplayError, "an estimator in hand; pass it"):
        replay(saved)
    assert replay(saved, forest).verdict == "equal to the bit"
