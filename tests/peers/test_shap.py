"""The package shap, where it is installed: its exact values are ours."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier

from engine.attribution.explain import explain
from engine.inputs.tables import Table, load_table

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]

COLUMNS = [f"x{index}" for index in range(7)]
PLACES = [0, 11, 29]


@pytest.fixture(scope="module")
def shap() -> ModuleType:
    return pytest.importorskip(
        "shap", reason="shap is not installed; pip install 'haloscope[peers]'"
    )


@cache
def rows() -> Table:
    return load_table(pd.DataFrame(np.random.default_rng(0).normal(size=(30, 7)), columns=COLUMNS))


@cache
def forest() -> RandomForestClassifier:
    draw = np.random.default_rng(1)
    given = pd.DataFrame(draw.normal(size=(300, 7)), columns=COLUMNS)
    truth = given["x0"] * given["x1"] + given["x2"] > 0.3 * draw.normal(size=300)
    return RandomForestClassifier(15, max_depth=6, random_state=0).fit(given, truth)


@cache
def values() -> GradientBoostingRegressor:
    draw = np.random.default_rng(2)
    given = pd.DataFrame(draw.normal(size=(300, 7)), columns=COLUMNS)
    return GradientBoostingRegressor(n_estimators=20, random_state=0).fit(
        given, given["x0"] * given["x1"] + np.sin(given["x3"])
    )


def yes(given: Any) -> np.ndarray:
    return forest().predict_proba(pd.DataFrame(given, columns=COLUMNS))[:, 1]


def exact(shap: ModuleType, place: int) -> np.ndarray:
    background = rows().frame.to_numpy()
    explainer = shap.explainers.Exact(yes, shap.maskers.Independent(background, max_samples=99))
    return explainer(background[place : place + 1]).values[0]


@pytest.mark.parametrize("place", PLACES)
def test_kernel_shap_gives_its_exact_values(shap: ModuleType, place: int) -> None:
    row = rows().row(place + 1)
    found = explain(forest(), row, "kernel-shap", "True", output="probability")
    assert found.manifest["outcome"]["exact"]
    assert np.allclose(found.values, exact(shap, place), rtol=0, atol=1e-4)


@pytest.mark.parametrize("place", PLACES)
def test_kernel_shap_gives_those_of_its_kernel_explainer(shap: ModuleType, place: int) -> None:
    background = rows().frame.to_numpy()
    expected = shap.KernelExplainer(yes, background, silent=True).shap_values(
        background[place], nsamples=2**7, l1_reg=False, silent=True
    )
    found = explain(forest(), rows().row(place + 1), "kernel-shap", "True", output="probability")
    assert np.allclose(found.values, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("place", PLACES)
def test_kernel_shap_gives_those_of_its_tree_explainer(shap: ModuleType, place: int) -> None:
    frame = rows().frame
    explainer = shap.TreeExplainer(values(), frame, feature_perturbation="interventional")
    expected = explainer.shap_values(frame.iloc[[place]])[0]
    found = explain(values(), rows().row(place + 1), "kernel-shap")
    assert np.allclose(found.values, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("place", PLACES)
def test_shapley_sampling_comes_near_within_its_errors(shap: ModuleType, place: int) -> None:
    row = rows().row(place + 1)
    found = explain(forest(), row, "shapley-sampling", "True", output="probability")
    off = np.abs(found.values - exact(shap, place))
    assert (off <= 5 * found.error + 1e-4).all()
    assert found.error.max() < 0.02
