"""What stands in a table's cells reaches an estimator as it was when the estimator was fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from torch import nn
from xgboost import XGBClassifier

from engine.attribution.explain import explain
from engine.errors import ModelError
from engine.execution.predict import predict
from engine.inputs.tables import Table, load_table
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.table_specs import Column, TableSpec
from engine.tables.measuring import measure
from engine.tables.nearest import other_outcome
from tests.engine.refusals import expect_refusal

DRAW = np.random.default_rng(0)
SIZE = 200
START = 1_700_000_000  # unix seconds; float32 tells them apart only by 128
WHEN = pd.DataFrame({"seconds": START + DRAW.permutation(SIZE), "size": DRAW.normal(0, 1, SIZE)})


def answers(model: LoadedModel, rows: pd.DataFrame) -> np.ndarray:
    return model.forward(model.prepare_table(load_table(rows))).numpy()


# -- numbers beyond float32


@pytest.mark.parametrize("start", [START, 20_240_101 * 100])
def test_boosted_trees_tell_large_numbers_apart(start: int) -> None:
    rows = WHEN.assign(seconds=WHEN["seconds"] - START + start)
    estimator = LGBMRegressor(n_estimators=30, n_jobs=1, verbose=-1, min_child_samples=2)
    estimator.fit(rows, WHEN["seconds"] % 7)
    own = estimator.predict(rows)
    model = load_model(estimator, input_spec=load_table(rows))
    assert np.allclose(answers(model, rows)[:, 0], own, rtol=1e-9)
    row = load_table(rows).row(3)
    assert predict(model, row).logits[0] == pytest.approx(own[2], rel=1e-6)


class Since:
    """A regression of the seconds since a start and of a size, of no library."""

    _estimator_type = "regressor"
    n_features_in_ = 2

    def __init__(self, start: int) -> None:
        self.start = start

    def predict(self, rows: Any) -> np.ndarray:
        return (rows[:, 0] - self.start) * (1.0 + rows[:, 1]) / SIZE


def since(start: int) -> tuple[LoadedModel, Any]:
    table = load_table(WHEN.assign(seconds=WHEN["seconds"] - START + start))
    return load_model(Since(start), input_spec=table), table


@pytest.mark.parametrize("method", ["kernel-shap", "shapley-sampling", "lime", "feature-ablation"])
def test_explanations_of_large_numbers_are_those_of_small_ones(method: str) -> None:
    told = []
    for start in (0, START):
        model, table = since(start)
        options = {} if method == "feature-ablation" else {"background": table}
        told.append(explain(model, table.row(5), method, **options).values)
    assert told[1].dtype == np.float32
    assert np.allclose(told[0], told[1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "field", "column"),
    [
        ("permutation", "values", None),
        ("partial-dependence", "values", "seconds"),
        ("individual-expectation", "lines", "seconds"),
        ("accumulated-effects", "values", "seconds"),
        ("swarm", "values", None),
    ],
)
def test_measures_of_large_numbers_are_those_of_small_ones(
    name: str, field: str, column: str | None
) -> None:
    told = []
    for start in (0, START):
        model, table = since(start)
        truth = Since(start).predict(table.frame.to_numpy())
        table = load_table(table.frame.assign(truth=truth.round(3)))
        found = measure(model, table, name, column=column, label="truth", rows=60)
        told.append(getattr(found, field))
    assert np.allclose(told[0], told[1], rtol=1e-4, atol=1e-5)


def test_the_nearest_rows_are_those_of_small_numbers() -> None:
    found = [other_outcome(*since(start), since(start)[1].row(5)) for start in (0, START)]
    assert found[0].rows.tolist() == found[1].rows.tolist()
    assert np.allclose(found[0].distance, found[1].distance, rtol=1e-9)


def test_a_network_in_codes_is_given_its_own_precision() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(2, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(x)

    spec = TableSpec((Column("seconds"), Column("size")), encoding="codes")
    model = load_model(Net(), input_spec=spec)
    assert model.prepare_table(load_table(WHEN)).dtype == torch.float32
    found = measure(model, load_table(WHEN), "partial-dependence", column="size", rows=20)
    assert np.isfinite(found.values).all()


# -- texts as they were at the fitting

JOBS = DRAW.choice([" Private", " Self", " State"], SIZE)
PEOPLE = pd.DataFrame({"age": DRAW.integers(20, 70, SIZE), "job": JOBS})
RICH = (PEOPLE["age"] / 50 + (JOBS == " Private") + DRAW.normal(0, 0.2, SIZE) > 1.4).astype(int)


def fitted(rows: pd.DataFrame, unknown: str = "ignore") -> Any:
    texts = [name for name in rows if not pd.api.types.is_numeric_dtype(rows[name])]
    hot = OneHotEncoder(handle_unknown=unknown)
    columns = ColumnTransformer([("hot", hot, texts)], remainder="passthrough")
    return make_pipeline(columns, LogisticRegression(max_iter=2000)).fit(rows, RICH)


def probabilities(model: LoadedModel, table: Table) -> np.ndarray:
    return model.forward(model.prepare_table(table)).exp().numpy()


def file_of(rows: pd.DataFrame) -> Table:
    return load_table(rows.to_csv(index=False).encode(), name="people.csv")


@pytest.mark.parametrize("read", [load_table, file_of])
@pytest.mark.parametrize("unknown", ["ignore", "error"])
def test_white_space_around_a_text_reaches_the_estimator(read: Any, unknown: str) -> None:
    estimator = fitted(PEOPLE, unknown)
    model = load_model(estimator, input_spec=read(PEOPLE))
    assert model.table_spec.columns[1].categories == ("Private", "Self", "State")
    assert model.table_spec.columns[1].written == (" Private", " Self", " State")
    assert np.allclose(probabilities(model, read(PEOPLE)), estimator.predict_proba(PEOPLE))
    without = PEOPLE.assign(job=PEOPLE["job"].str.strip())
    assert np.allclose(probabilities(model, read(without)), estimator.predict_proba(PEOPLE))


@pytest.mark.parametrize("unknown", ["ignore", "error"])
def test_an_estimator_of_texts_without_the_white_space_of_the_file(unknown: str) -> None:
    without = PEOPLE.assign(job=PEOPLE["job"].str.strip())
    estimator = fitted(without, unknown)
    model = load_model(estimator, input_spec=file_of(PEOPLE))
    assert model.table_spec.columns[1].written == ()
    assert np.allclose(probabilities(model, file_of(PEOPLE)), estimator.predict_proba(without))


@pytest.mark.parametrize("kind", [LGBMClassifier, XGBClassifier])
def test_white_space_in_the_categories_of_trees(kind: Any) -> None:
    rows = PEOPLE.astype({"job": "category"})
    options = {"enable_categorical": True} if kind is XGBClassifier else {"verbose": -1}
    estimator = kind(n_estimators=9, n_jobs=1, **options).fit(rows, RICH)
    for table in (load_table(PEOPLE), load_table(rows), file_of(PEOPLE)):
        model = load_model(estimator, input_spec=table)
        assert np.allclose(probabilities(model, table), estimator.predict_proba(rows), atol=1e-6)


MIXED_SPELLING = np.where(np.arange(SIZE) % 3 == 0, "Private", PEOPLE["job"])
CODES_OF_POST = np.where(RICH == 1, "02134", "90210")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (PEOPLE.assign(job=MIXED_SPELLING), "predicts otherwise"),
        (PEOPLE.assign(job=np.where(RICH, "None", PEOPLE["job"])), "holds 'None', read as nothing"),
        (PEOPLE.assign(job=CODES_OF_POST), "column 'job' holds '02134', read as 2134.0"),
    ],
)
def test_texts_that_would_be_read_otherwise(rows: pd.DataFrame, told: str) -> None:
    estimator = fitted(rows)
    with expect_refusal(
        ModelError, "Pipeline ", " for the rows of table as they are read here", told
    ):
        load_model(estimator, input_spec=load_table(rows))


def test_none_as_a_text_of_a_file_is_an_empty_cell() -> None:
    rows = PEOPLE.assign(job=[None if rich else job for rich, job in zip(RICH, JOBS, strict=True)])
    model = load_model(fitted(rows), input_spec=file_of(rows.fillna("None")))
    assert model.table_spec.columns[1].optional
