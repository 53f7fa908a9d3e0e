from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest
import sklearn
import xgboost
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from engine.attribution.explain import plan
from engine.inputs.tables import load_table
from engine.manifest import versions
from engine.models import loaded
from engine.models.loading import load_model
from engine.models.packages import packages_of
from engine.tables.measuring import plan_measure
from tests.engine.zoo import load

OWN = {"scikit-learn": sklearn.__version__}
XGBOOST = {"xgboost": xgboost.__version__}


class Alone:
    def predict(self, rows: Any) -> np.ndarray:
        return np.zeros(len(rows))


@pytest.mark.parametrize(
    ("estimator", "told"),
    [
        (RandomForestClassifier(), OWN),
        (xgboost.XGBClassifier(), OWN | XGBOOST),
        (lightgbm.LGBMRegressor(), OWN | {"lightgbm": lightgbm.__version__}),
        (make_pipeline(StandardScaler(), xgboost.XGBClassifier()), OWN | XGBOOST),
        (Alone(), {}),
    ],
)
def test_the_libraries_of_an_estimator(estimator: Any, told: dict[str, str]) -> None:
    assert packages_of(estimator) == told


def test_a_network_has_none() -> None:
    assert load("mlp").packages == {}


def test_another_version_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).normal(size=(40, 2))
    model = load_model(RandomForestClassifier(3).fit(rows, rows[:, 0] > 0))
    row = {"column 1": 0.5, "column 2": 1}
    table = load_table(b"column 1,column 2\n1,2\n3,4\n0,1\n")
    asked = [
        lambda: plan(model, row, "feature-ablation"),
        lambda: plan_measure(model, table, "partial-dependence", column="column 1"),
    ]
    before = [ask() for ask in asked]
    for found in before:
        assert found.request["versions"] == versions() | OWN
        assert found.request["dtype"] == "float64"
    monkeypatch.setattr(loaded, "packages_of", lambda _: {"scikit-learn": "0.0"})
    assert all(ask().key != found.key for ask, found in zip(asked, before, strict=True))
