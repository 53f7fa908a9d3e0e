from __future__ import annotations

import json
import os
import pickle
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from skops import io as skops_io
from xgboost import XGBClassifier, XGBRegressor

from engine.attribution.explain import explain
from engine.errors import InputError, MethodError, ModelError, WeightsError
from engine.execution.predict import predict
from engine.inputs.tables import Table, load_table
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.outputs import probabilities_of
from engine.models.specs import ImageSpec
from engine.models.table_specs import Column, TableSpec
from tests.engine.refusals import expect_refusal

DRAW = np.random.default_rng(0)
SIZE = 120
MIXED = pd.DataFrame(
    {
        "age": DRAW.integers(18, 90, SIZE),
        "colour": DRAW.choice(["red", "green", "blue"], SIZE),
        "weight": DRAW.normal(70, 12, SIZE),
        "home": DRAW.choice(["yes", "no"], SIZE),
    }
)
NUMBERS = MIXED[["age", "weight"]].astype(float)
SCORE = (MIXED["age"] / 40 + (MIXED["colour"] == "red") + DRAW.normal(0, 0.3, SIZE)).to_numpy()
SICK = np.where(SCORE > 1.5, "sick", "well")
GRADE = np.digitize(SCORE, [1.0, 1.8])


def forest(**options: Any) -> RandomForestClassifier:
    return RandomForestClassifier(12, random_state=0, **options)


def mixed_pipeline(last: Any) -> Any:
    hot = OneHotEncoder(handle_unknown="ignore")
    columns = ColumnTransformer(
        [("hot", hot, ["home", "colour"]), ("number", StandardScaler(), ["weight", "age"])]
    )
    return make_pipeline(columns, last)


def categorical(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({"colour": "category", "home": "category"})


def quiet(kind: Callable[..., Any]) -> Any:
    return kind(n_estimators=12, n_jobs=1, verbose=-1, min_child_samples=5)


# name: how it is fitted, and the rows that it was fitted on
FITTED: dict[str, tuple[Callable[[], Any], pd.DataFrame]] = {
    "forest": (lambda: forest().fit(NUMBERS, SICK), NUMBERS),
    "nameless forest": (lambda: forest().fit(NUMBERS.to_numpy(), GRADE), NUMBERS),
    "pipeline": (lambda: mixed_pipeline(LogisticRegression()).fit(MIXED, SICK), MIXED),
    "boosted values": (
        lambda: GradientBoostingRegressor(n_estimators=12).fit(NUMBERS, SCORE),
        NUMBERS,
    ),
    "pipeline of values": (lambda: mixed_pipeline(LinearRegression()).fit(MIXED, SCORE), MIXED),
    "neighbours": (lambda: KNeighborsClassifier().fit(NUMBERS, SICK), NUMBERS),
    "histogram": (lambda: HistGradientBoostingClassifier(max_iter=9).fit(NUMBERS, SICK), NUMBERS),
    "imputed": (
        lambda: make_pipeline(SimpleImputer(), LogisticRegression()).fit(NUMBERS, SICK),
        NUMBERS,
    ),
    "calibrated": (lambda: CalibratedClassifierCV(LinearSVC(), cv=2).fit(NUMBERS, SICK), NUMBERS),
    "xgboost": (lambda: XGBClassifier(n_estimators=12, n_jobs=1).fit(NUMBERS, GRADE), NUMBERS),
    "nameless xgboost": (
        lambda: XGBClassifier(n_estimators=12, n_jobs=1).fit(NUMBERS.to_numpy(), GRADE),
        NUMBERS,
    ),
    "xgboost of categories": (
        lambda: XGBClassifier(n_estimators=12, n_jobs=1, enable_categorical=True).fit(
            categorical(MIXED), GRADE
        ),
        MIXED,
    ),
    "xgboost of values": (
        lambda: XGBRegressor(n_estimators=12, n_jobs=1).fit(NUMBERS, SCORE),
        NUMBERS,
    ),
    "lightgbm": (lambda: quiet(LGBMClassifier).fit(NUMBERS, SICK), NUMBERS),
    "nameless lightgbm": (lambda: quiet(LGBMClassifier).fit(NUMBERS.to_numpy(), GRADE), NUMBERS),
    "lightgbm of categories": (
        lambda: quiet(LGBMClassifier).fit(categorical(MIXED), SICK),
        MIXED,
    ),
    "lightgbm of values": (lambda: quiet(LGBMRegressor).fit(NUMBERS, SCORE), NUMBERS),
}


@cache
def fitted(name: str) -> Any:
    return FITTED[name][0]()


def table(name: str) -> Table:
    return load_table(FITTED[name][1])


def own_answers(name: str) -> np.ndarray:
    """What the estimator itself says of its rows, given as it was fitted."""
    estimator, rows = fitted(name), FITTED[name][1]
    given: Any = rows.to_numpy() if name.startswith("nameless") else rows
    if "boost of cat" in name or "lightgbm of cat" in name:
        given = categorical(rows)
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(given))
    return np.asarray(estimator.predict(given)).reshape(-1, 1)


def answers(model: LoadedModel, rows: Table) -> np.ndarray:
    logits = model.forward(model.prepare_table(rows))
    return probabilities_of(logits, model.activation).numpy()


def saved(estimator: Any, folder: Path, name: str = "mine.skops") -> Path:
    path = folder / name
    skops_io.dump(estimator, path)
    return path


# -- predictions


@pytest.mark.parametrize("name", FITTED)
def test_an_estimator_in_hand_predicts_as_it_does_itself(name: str) -> None:
    model = load_model(fitted(name), input_spec=table(name))
    assert np.allclose(answers(model, table(name)), own_answers(name), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", FITTED)
def test_an_estimator_from_a_file_predicts_as_it_does_itself(name: str, tmp_path: Path) -> None:
    path = saved(fitted(name), tmp_path)
    FITTED[name][1].assign(truth=SICK).to_csv(tmp_path / "rows.csv", index=False)
    model = load_model(f"file:{path}?columns={tmp_path / 'rows.csv'}&label=truth", device="cpu")
    rows = load_table(tmp_path / "rows.csv")
    assert np.allclose(answers(model, rows), own_answers(name), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["pipeline", "xgboost of categories", "lightgbm"])
def test_the_order_of_the_tables_columns_does_not_matter(name: str) -> None:
    turned = load_table(FITTED[name][1][FITTED[name][1].columns[::-1]].assign(other="x"))
    model = load_model(fitted(name), input_spec=turned)
    assert np.allclose(answers(model, turned), own_answers(name), rtol=1e-6, atol=1e-6)


def test_columns_with_names_like_x1_are_found_by_name_too() -> None:
    rows = pd.DataFrame({"x1": NUMBERS["age"], "x2": NUMBERS["weight"]})
    estimator = forest().fit(rows, SICK)
    turned = load_table(rows[["x2", "x1"]])
    model = load_model(estimator, input_spec=turned)
    assert np.allclose(answers(model, turned), estimator.predict_proba(rows), atol=1e-6)


def test_names_that_an_estimator_remembers_with_white_space() -> None:
    rows = NUMBERS.rename(columns={"age": " age "})
    estimator = forest().fit(rows, SICK)
    model = load_model(estimator, input_spec=load_table(rows))
    assert np.allclose(answers(model, load_table(rows)), estimator.predict_proba(rows), atol=1e-6)


def test_without_a_spec_columns_are_numbers_of_the_names_remembered() -> None:
    model = load_model(fitted("forest"))
    assert model.table_spec.names == ("age", "weight")
    assert np.allclose(answers(model, load_table(NUMBERS)), own_answers("forest"), atol=1e-6)


def test_columns_without_names_are_counted() -> None:
    assert load_model(fitted("nameless forest")).table_spec.names == ("column 1", "column 2")


def test_the_spec_may_be_told() -> None:
    spec = TableSpec((Column("weight"), Column("age")), label="ill")
    model = load_model(fitted("forest"), input_spec=spec)
    assert model.table_spec.names == ("age", "weight")
    assert model.table_spec.label == "ill"
    assert np.allclose(answers(model, load_table(NUMBERS)), own_answers("forest"), atol=1e-6)


def test_columns_told_by_a_json_file(tmp_path: Path) -> None:
    path = saved(fitted("forest"), tmp_path)
    told = {"columns": [{"name": "weight"}, {"name": "age", "title": "Age"}]}
    (tmp_path / "columns.json").write_text(json.dumps(told))
    model = load_model(f"file:{path}?columns={tmp_path / 'columns.json'}", device="cpu")
    assert model.table_spec.titles == ("Age", "weight")


def test_a_file_takes_its_columns_from_a_table_in_hand_too(tmp_path: Path) -> None:
    path = saved(fitted("pipeline"), tmp_path)
    model = load_model(f"file:{path}", input_spec=table("pipeline"), device="cpu")
    assert np.allclose(answers(model, table("pipeline")), own_answers("pipeline"), atol=1e-6)


# -- what it is


def test_a_classifier() -> None:
    model = load_model(fitted("forest"))
    assert model.classes == ("sick", "well")
    assert (model.family, model.activation, model.differentiable) == ("tabular", "softmax", False)
    assert model.table_spec.encoding == "codes"
    assert model.card.title == "RandomForestClassifier"
    assert model.ref == f"estimator:RandomForestClassifier@{model.digest[:12]}"


def test_a_regression(tmp_path: Path) -> None:
    model = load_model(fitted("boosted values"))
    assert (model.classes, model.activation) == (("value",), "identity")
    assert (model.table_spec.task, model.table_spec.labels) == ("regression", ())
    path = saved(fitted("boosted values"), tmp_path)
    NUMBERS.assign(score=SCORE).to_csv(tmp_path / "rows.csv", index=False)
    found = load_model(f"file:{path}?columns={tmp_path / 'rows.csv'}&label=score", device="cpu")
    assert found.classes == ("score",)


def test_one_row_as_a_mapping() -> None:
    model = load_model(fitted("pipeline"), input_spec=table("pipeline"))
    row = {"home": "no", "age": 50, "weight": "61.5", "colour": "red"}
    expected = fitted("pipeline").predict_proba(pd.DataFrame([{**row, "weight": 61.5}]))[0]
    assert np.allclose(predict(model, row).probabilities, expected, atol=1e-6)


def test_a_text_column_that_is_not_read_may_hold_anything() -> None:
    many = pd.concat([NUMBERS] * 3, ignore_index=True)
    rows = load_table(many.assign(name=[f"person {index}" for index in range(3 * SIZE)]))
    assert load_model(fitted("forest"), input_spec=rows).table_spec.names == ("age", "weight")


def test_probabilities_of_nought_stay_finite() -> None:
    estimator = RandomForestClassifier(1, random_state=0).fit(NUMBERS, SICK)
    logits = load_model(estimator).forward(torch.tensor(NUMBERS.to_numpy(), dtype=torch.float32))
    assert torch.isfinite(logits).all()
    assert logits.exp().min() == pytest.approx(1e-12)


# -- empty cells


def gaps() -> pd.DataFrame:
    rows = MIXED.copy()
    rows.loc[::4, "weight"] = np.nan
    rows.loc[::5, "colour"] = None
    return rows


def test_empty_numbers_reach_the_estimator_as_nan() -> None:
    rows = gaps()[["age", "weight"]]
    estimator = HistGradientBoostingClassifier(max_iter=9).fit(rows, SICK)
    model = load_model(estimator, input_spec=load_table(rows))
    assert np.isnan(model.prepare_table(load_table(rows)).numpy()).sum() == 30
    assert np.allclose(answers(model, load_table(rows)), estimator.predict_proba(rows), atol=1e-6)


def test_empty_texts_reach_the_estimator_as_pandas_tells_them() -> None:
    estimator = mixed_pipeline(HistGradientBoostingClassifier(max_iter=9)).fit(gaps(), SICK)
    model = load_model(estimator, input_spec=load_table(gaps()))
    whole = estimator.predict_proba(gaps())
    assert np.allclose(answers(model, load_table(gaps())), whole, atol=1e-6)
    alone = predict(model, load_table(gaps()).row(6)).probabilities  # nothing but gaps in colour
    assert np.allclose(alone, whole[5], atol=1e-6)


def test_empty_cells_are_refused_where_there_were_none() -> None:
    model = load_model(fitted("pipeline"), input_spec=table("pipeline"))
    with expect_refusal(InputError, "row 1, column 'colour': the cell is empty"):
        model.prepare_table(load_table(gaps()))


# -- its digest


@pytest.mark.parametrize("name", FITTED)
def test_predicting_does_not_change_the_digest(name: str) -> None:
    model = load_model(fitted(name), input_spec=table(name))
    before = model.digest
    answers(model, table(name))
    assert model.digest == before
    assert load_model(fitted(name), input_spec=table(name)).digest == before


def test_fitting_anew_changes_the_digest() -> None:
    estimator = forest().fit(NUMBERS, SICK)
    model = load_model(estimator)
    before = model.digest
    estimator.fit(NUMBERS, SICK[::-1])
    assert model.digest != before


def test_the_digest_of_a_file_is_that_of_its_content(tmp_path: Path) -> None:
    first = saved(fitted("forest"), tmp_path)
    copy = tmp_path / "copy.skops"
    copy.write_bytes(first.read_bytes())
    other = saved(forest(max_depth=2).fit(NUMBERS, SICK), tmp_path, "other.skops")
    digests = [load_model(f"file:{path}", device="cpu").digest for path in (first, copy, other)]
    assert digests[0] == digests[1] != digests[2]


# -- methods


@pytest.mark.parametrize("method", ["gradient", "integrated-gradients", "gradient-shap"])
def test_methods_that_need_gradients_are_refused(method: str) -> None:
    with expect_refusal(
        MethodError, "needs gradients; RandomForestClassifier only tells predictions: use"
    ):
        explain(load_model(fitted("forest")), table("forest").row(1), method)


def test_a_method_without_gradients_explains_it() -> None:
    found = explain(load_model(fitted("forest")), table("forest").row(1), "feature-ablation")
    assert found.values.shape == (2,)
    assert np.isfinite(found.values).all()


# -- what is refused


class Bare:
    """Predicts, but is of no library."""

    def __init__(self, **more: Any) -> None:
        vars(self).update(more)

    def predict(self, rows: Any) -> np.ndarray:
        return np.zeros(len(rows))


class Overconfident(Bare):
    def predict_proba(self, rows: Any) -> np.ndarray:
        return np.ones((len(rows), 2))


def several_labels() -> Any:
    both = np.stack([SICK == "sick", GRADE == 1], axis=1).astype(int)
    return MLPClassifier((3,), max_iter=2000, tol=1e-2, random_state=0).fit(NUMBERS / 80, both)


CHANGED: list[tuple[str, Callable[[], Any], str]] = [
    ("not fitted", forest, "RandomForestClassifier is not fitted; call its fit first"),
    ("values, not fitted", LinearRegression, "LinearRegression is not fitted"),
    (
        "pipeline, not fitted",
        lambda: mixed_pipeline(LogisticRegression()),
        "Pipeline is not fitted",
    ),
    ("xgboost, not fitted", XGBClassifier, "XGBClassifier is not fitted"),
    ("lightgbm, not fitted", LGBMRegressor, "LGBMRegressor is not fitted"),
    (
        "no probabilities",
        lambda: LinearSVC().fit(NUMBERS, SICK),
        "LinearSVC tells no probabilities; use an estimator with predict_proba (or wrap it in Cal",
    ),
    ("no classes", lambda: KMeans(2).fit(NUMBERS), "KMeans tells no probabilities"),
    ("nothing known", Bare, "Bare tells no probabilities"),
    ("no classes_", Overconfident, "Overconfident has no classes_"),
    ("a single class", lambda: forest().fit(NUMBERS, ["x"] * SIZE), "fitted on a single class, x"),
    (
        "two outputs",
        lambda: forest().fit(NUMBERS, np.stack([SICK, SICK[::-1]], axis=1)),
        "RandomForestClassifier predicts 2 labels at once; one is explained at a time",
    ),
    (
        "two classifiers",
        lambda: MultiOutputClassifier(forest()).fit(NUMBERS, np.stack([SICK, SICK], axis=1)),
        "MultiOutputClassifier predicts 2 labels at once",
    ),
    (
        "two values",
        lambda: LinearRegression().fit(NUMBERS, np.stack([SCORE, SCORE], axis=1)),
        "LinearRegression failed: it predicts (1, 2), expected (1, 1): one output at a time",
    ),
    (
        "several labels",
        several_labels,
        "MLPClassifier failed: its probabilities do not add up to 1",
    ),
    (
        "too sure",
        lambda: Overconfident(classes_=np.array([0, 1]), n_features_in_=2),
        "Overconfident failed: its probabilities do not add up to 1",
    ),
    (
        "columns unknown",
        lambda: Bare(_estimator_type="regressor"),
        "Bare does not say which columns it reads; pass a table like the one it was fitted on",
    ),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("make", "told"), [case[1:] for case in CHANGED], ids=[case[0] for case in CHANGED]
)
def test_estimators_that_cannot_be_explained(make: Callable[[], Any], told: str) -> None:
    with expect_refusal(ModelError, told):
        load_model(make())


def test_an_estimator_of_ones_own() -> None:
    model = load_model(Bare(_estimator_type="regressor", n_features_in_=2))
    assert answers(model, load_table(pd.DataFrame({"column 1": [1], "column 2": [2]}))) == 0


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (load_table(NUMBERS[["age"]]), "reads the column 'weight', which is not described"),
        (TableSpec((Column("age"),)), "reads the column 'weight', which is not described"),
        (ImageSpec(9, 9), "RandomForestClassifier takes tables: input_spec is a TableSpec or a"),
        ((2,), "RandomForestClassifier takes tables"),
    ],
)
def test_columns_that_do_not_fit(spec: Any, told: str) -> None:
    with expect_refusal(ModelError, told):
        load_model(fitted("forest"), input_spec=spec)


def test_another_number_of_columns() -> None:
    told = "RandomForestClassifier was fitted on 2 columns; 4 are described"
    with expect_refusal(ModelError, told):
        load_model(fitted("nameless forest"), input_spec=load_table(MIXED))


def test_columns_of_the_wrong_kind() -> None:
    rows = load_table(NUMBERS.assign(age="old"))
    with expect_refusal(ModelError, "RandomForestClassifier failed: could not convert string to"):
        load_model(fitted("forest"), input_spec=rows)


# -- files


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (lambda path: path.write_bytes(pickle.dumps(fitted("forest"))), "mine.pkl"),
        (lambda path: path.write_bytes(pickle.dumps(fitted("forest"))), "mine.pickle"),
        (lambda path: joblib.dump(fitted("forest"), path), "mine.joblib"),
    ],
)
def test_pickles_are_not_read(write: Callable[[Path], Any], name: str, tmp_path: Path) -> None:
    write(tmp_path / name)
    told = "a pickle runs code when it is read; save the estimator with skops.io.dump"
    with expect_refusal(ModelError, told):
        load_model(f"file:{tmp_path / name}")


def test_a_pickle_under_another_name_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "mine.skops").write_bytes(pickle.dumps(fitted("forest")))
    with expect_refusal(WeightsError, "mine.skops is not a skops file, or damaged"):
        load_model(f"file:{tmp_path / 'mine.skops'}")


def calling(function: Any) -> Any:
    return (
        make_pipeline(FunctionTransformer(), LogisticRegression())
        .fit(NUMBERS, SICK)
        .set_params(functiontransformer__func=function)
    )


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (os.system, "posix.system"),
        (joblib.load, "joblib.numpy_pickle.load"),
        (np.load, "numpy.load"),
        (forest().fit, "sklearn.ensemble._forest.RandomForestClassifier.fit"),
    ],
)
def test_a_file_that_asks_for_other_code(function: Any, named: str, tmp_path: Path) -> None:
    path = saved(calling(function), tmp_path)
    with expect_refusal(WeightsError, "mine.skops needs code that is not trusted", named):
        load_model(f"file:{path}")


def forged(path: Path, old: str, new: str) -> None:
    """Write a skops file anew with other words in what it says of itself."""
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    told = parts["schema.json"].decode()
    assert old in told
    parts["schema.json"] = told.replace(old, new).encode()
    with zipfile.ZipFile(path, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)


@pytest.mark.parametrize("name", ["Counter", "clone", "Nothing"])
def test_only_classes_of_scikit_learns_own_are_let_in(name: str, tmp_path: Path) -> None:
    path = saved(calling(np.log1p), tmp_path)
    forged(path, '"__module__": "numpy",\n', '"__module__": "sklearn.pipeline",\n')
    forged(path, '"log1p"', f'"{name}"')
    with expect_refusal(WeightsError, "not trusted", f"sklearn.pipeline.{name}"):
        load_model(f"file:{path}")


@pytest.mark.parametrize("cut", [0, 1, 100, 2000])
def test_a_damaged_file(cut: int, tmp_path: Path) -> None:
    path = saved(fitted("forest"), tmp_path)
    path.write_bytes(path.read_bytes()[:cut])
    with expect_refusal(WeightsError, "mine.skops is not a skops file, or damaged"):
        load_model(f"file:{path}")


def test_a_file_with_no_estimator(tmp_path: Path) -> None:
    path = saved({"a": 1}, tmp_path)
    with expect_refusal(ModelError, "mine.skops holds dict, which is no estimator"):
        load_model(f"file:{path}")


def test_a_file_that_is_not_there() -> None:
    with expect_refusal(WeightsError, "gone.skops: no such file"):
        load_model("file:gone.skops")


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ("gone.csv", "gone.csv: no such file"),
        ("gone.json", "gone.json: no such file"),
        ("empty.csv", "empty.csv is empty"),
    ],
)
def test_columns_that_cannot_be_read(columns: str, told: str, tmp_path: Path) -> None:
    path = saved(fitted("forest"), tmp_path)
    (tmp_path / "empty.csv").write_bytes(b"")
    with expect_refusal(InputError, told):
        load_model(f"file:{path}?columns={tmp_path / columns}")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"columns": 3}', '{"columns": [{"name": 1}]}'])
def test_a_json_file_that_tells_no_columns(text: str, tmp_path: Path) -> None:
    path = saved(fitted("forest"), tmp_path)
    (tmp_path / "columns.json").write_text(text)
    with expect_refusal(ModelError, "columns"):
        load_model(f"file:{path}?columns={tmp_path / 'columns.json'}")


def test_without_skops_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(fitted("forest"), tmp_path)
    monkeypatch.setitem(sys.modules, "skops", None)
    told = "reading a skops file needs the package skops; pip install skops"
    with expect_refusal(WeightsError, told):
        load_model(f"file:{path}")


@pytest.mark.parametrize(("name", "package"), [("xgboost", "xgboost"), ("lightgbm", "lightgbm")])
def test_without_its_library_a_file_is_refused(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(fitted(name), tmp_path)
    for module in [known for known in sys.modules if known.partition(".")[0] == package]:
        monkeypatch.setitem(sys.modules, module, None)
    with expect_refusal(WeightsError, f"mine.skops needs {package}", "which is not installed"):
        load_model(f"file:{path}")


def test_a_frame_says_as_much_as_a_table() -> None:
    frame = pd.DataFrame({"age": [20.0, 40.0, 60.0, 80.0], "colour": ["red", "blue"] * 2})
    pipeline = make_pipeline(
        ColumnTransformer([("hot", OneHotEncoder(), ["colour"])], remainder="passthrough"),
        LogisticRegression(),
    ).fit(frame, [0, 1, 0, 1])
    model = load_model(pipeline, input_spec=frame)
    assert model.spec.names == ("age", "colour")
