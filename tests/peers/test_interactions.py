"""SHAP's own interaction values, where the package is installed: they are ours."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from engine.inputs.tables import load_table
from engine.interactions.comparing import compare_pairs
from engine.models.loading import load_model
from tests.engine.interactions.making import factorial

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]


@pytest.fixture(scope="module")
def shap() -> ModuleType:
    return pytest.importorskip(
        "shap", reason="shap is not installed; pip install 'haloscope[peers]'"
    )


def test_those_of_its_tree_explainer(shap: ModuleType) -> None:
    # On a full factorial every split halves the rows, so that the tree's own way of leaving
    # features out (by the counts along its paths) is that of comparing with all rows.
    rows = factorial(4)
    frame = pd.DataFrame(rows, columns=[f"x{i}" for i in range(4)])
    truth = frame.x0 * frame.x1 + 0.5 * frame.x1 * frame.x2 * frame.x3 + 0.3 * frame.x2 + frame.x3
    tree = DecisionTreeRegressor(random_state=0).fit(frame, truth)
    theirs = np.abs(shap.TreeExplainer(tree).shap_interaction_values(frame)).mean(axis=0)
    table = load_table(frame.assign(y=truth), name="rows")
    found = compare_pairs(load_model(tree, device="cpu"), table, label="y", rows=16)
    for (i, j), value in zip(found.pairs, found.shap, strict=True):
        assert value == pytest.approx(theirs[i, j], abs=1e-6)
    assert found.shap.max() > 0.4


def test_those_of_its_exact_explainer_where_both_mean_the_same(shap: ModuleType) -> None:
    # It shares interactions out after Shapley and Taylor; of two features that is the same.
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(size=(30, 2)), columns=["x0", "x1"])
    truth = frame.x0 * frame.x1 + np.sin(frame.x0)
    forest = RandomForestRegressor(10, max_depth=5, random_state=0).fit(frame, truth)
    table = load_table(frame.assign(y=truth), name="rows")
    found = compare_pairs(load_model(forest, device="cpu"), table, label="y", rows=30)
    explainer = shap.explainers.Exact(
        lambda rows: forest.predict(pd.DataFrame(rows, columns=frame.columns)),
        shap.maskers.Independent(frame.to_numpy(), max_samples=99),
    )
    theirs = np.abs(explainer(frame.to_numpy(), interactions=True).values).mean(axis=0)
    assert found.shap[0] == pytest.approx(theirs[0, 1], abs=1e-6)
