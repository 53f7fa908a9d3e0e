"""SHAP's own interaction values, where the package is installed: they are ours."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor

from engine.inputs.tables import load_table
from engine.interactions.comparing import compare_pairs
from engine.models.loading import load_model

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]


@pytest.fixture(scope="module")
def shap() -> ModuleType:
    return pytest.importorskip(
        "shap", reason="shap is not installed; pip install 'haloscope[peers]'"
    )


def test_exact_interaction_values(shap: ModuleType) -> None:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(size=(30, 4)), columns=[f"x{i}" for i in range(4)])
    truth = frame.x0 * frame.x1 + np.sin(frame.x2)
    forest = RandomForestRegressor(10, max_depth=5, random_state=0).fit(frame, truth)
    table = load_table(frame.assign(y=truth), name="rows")
    found = compare_pairs(load_model(forest, device="cpu"), table, label="y", rows=30)
    explainer = shap.explainers.Exact(
        lambda rows: forest.predict(pd.DataFrame(rows, columns=frame.columns)),
        shap.maskers.Independent(frame.to_numpy(), max_samples=99),
    )
    theirs = np.abs(explainer(frame.to_numpy(), interactions=True).values).mean(axis=0)
    for (i, j), value in zip(found.pairs, found.shap, strict=True):
        assert value == pytest.approx(theirs[i, j], abs=1e-6)
