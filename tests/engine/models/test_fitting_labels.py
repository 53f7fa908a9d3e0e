from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from engine.errors import ModelError
from engine.inputs.tables import load_table
from engine.models.fitting_labels import fit_labels
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.table_specs import Column, TableSpec
from engine.tables.measuring import measure
from engine.tables.outcomes import predict_table
from tests.engine.refusals import expect_refusal

COLUMNS = (Column("a"), Column("b"))


def one() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 1))


def two() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 2))


def spec(*labels: str) -> TableSpec:
    return TableSpec(COLUMNS, label="out", labels=labels)


def names(outputs: int) -> list[str]:
    return [f"class {index}" for index in range(outputs)]


def from_file(builder: str, folder: Path, labels: list[str]) -> LoadedModel:
    """A network's file with a table whose column "out" is the label."""
    save_file(globals()[builder]().state_dict(), folder / "net.safetensors")
    rows = [f"{index},{index % 5},{label}" for index, label in enumerate(labels)]
    (folder / "rows.csv").write_text("\n".join(["a,b,out", *rows]))
    arch = f"{__name__}:{builder}"
    path = folder / "net.safetensors"
    return load_model(
        f"file:{path}?arch={arch}&columns={folder / 'rows.csv'}&label=out", device="cpu"
    )


@pytest.mark.parametrize(
    ("labels", "outputs"),
    [((), 1), ((), 3), (("no", "yes"), 1), (("no", "yes"), 2), (("a", "b", "c"), 3)],
)
def test_labels_that_suit_stay(labels: tuple[str, ...], outputs: int) -> None:
    assert fit_labels(spec(*labels), names(outputs)) == (spec(*labels), ())


@pytest.mark.parametrize(
    ("labels", "outputs", "told"),
    [
        (("a", "b", "c"), 1, "the column 'out' holds 3 different values, but the model has 1 out"),
        (("0", "1", "2"), 2, "the column 'out' holds 3 different values, but the model has 2 out"),
        (("a", "b"), 3, "the column 'out' holds 2 different values, but the model has 3 outputs"),
    ],
)
def test_another_number_of_labels(labels: tuple[str, ...], outputs: int, told: str) -> None:
    with expect_refusal(ModelError, told):
        fit_labels(spec(*labels), names(outputs))


@pytest.mark.parametrize("labels", [("c", "a"), ("a", "b", "c"), ("b",)])
def test_labels_that_are_names_of_classes_stand_in_their_order(labels: tuple[str, ...]) -> None:
    assert fit_labels(spec(*labels), ("c", "a", "b")) == (spec("c", "a", "b"), ())


@pytest.mark.parametrize(
    ("only", "outputs", "labels"),
    [
        ("1", 1, ("0", "1")),
        ("0", 2, ("0", "1")),
        ("True", 1, ("false", "true")),
        ("yes", 2, ("no", "yes")),
        ("sick", 1, ()),
        ("1", 3, ()),
    ],
)
def test_a_single_value(only: str, outputs: int, labels: tuple[str, ...]) -> None:
    found, notes = fit_labels(spec(only), names(outputs))
    assert found.labels == labels
    assert bool(notes) is not bool(labels)


def test_one_output_and_many_numbers_are_a_regression(tmp_path: Path) -> None:
    model = from_file("one", tmp_path, [str(3 + index % 6) for index in range(30)])
    assert (model.activation, model.table_spec.task) == ("identity", "regression")
    assert model.card.notes == (
        "one output, and 6 different numbers in the column 'out': read as a regression",
    )
    table = load_table(tmp_path / "rows.csv")
    found = measure(model, table, "permutation")
    truth = torch.tensor([3.0 + index % 6 for index in range(30)])
    values = torch.from_numpy(predict_table(model, table).scores)
    assert found.manifest["outcome"]["performance"] == pytest.approx(
        -float(((values - truth) ** 2).mean()), rel=1e-5
    )


def test_a_file_with_another_number_of_labels(tmp_path: Path) -> None:
    with expect_refusal(ModelError, "'out' holds 3 different values", "the model has 2 outputs"):
        from_file("two", tmp_path, ["a", "b", "c"] * 4)


def test_a_column_of_nothing_but_ones_counts_as_the_positive_outcome(tmp_path: Path) -> None:
    model = from_file("one", tmp_path, ["1"] * 9)
    table = load_table(tmp_path / "rows.csv")
    found = measure(model, table, "permutation", score="accuracy")
    positive = (predict_table(model, table).outcomes == 1).mean()
    assert found.manifest["outcome"]["performance"] == pytest.approx(positive)


def test_labels_of_a_network_in_hand() -> None:
    with expect_refusal(ModelError, "holds 3 different values, but the model has 2 outputs"):
        load_model(two(), input_spec=spec("a", "b", "c"))
    assert load_model(one(), input_spec=spec("sick")).table_spec.labels == ()
