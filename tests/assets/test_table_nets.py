"""The networks for tables are what their cards say, by matrix algebra of our own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file
from sklearn.linear_model import LogisticRegression
from torch import nn

from assets.training.fitting import told
from assets.training.tables import fitting, make_tables, measuring
from engine.bibliography import paper
from engine.models.zoo import shipped_tables
from tests.assets.table_algebra import (
    ASSETS,
    features,
    held_out,
    outputs,
    read,
    table,
    table_of,
    truth,
)

NETS = list(shipped_tables.HIDDEN)
CLASSIFIERS = [name for name in NETS if name != "diabetes-mlp"]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_card_of_a_classifier(name: str) -> None:
    logits, right = outputs(name)[held_out(name)], truth(name)[held_out(name)]
    facts = read(name, "card")["facts"]
    assert facts["Held out"].startswith(f"rows 1 to {len(right):,} of")
    assert facts[f"Accuracy, {len(right):,} held-out rows"] == told((logits > 0) == (right == 1))
    chance = 1 / (1 + np.exp(-logits))
    loss = -np.mean(right * np.log(chance) + (1 - right) * np.log(1 - chance))
    assert float(facts["Log-loss"]) == pytest.approx(loss, abs=6e-4)
    error = measuring.calibration_error(logits, right)
    assert facts["Calibration error"] == f"{100 * error:.1f} points"
    assert error < 0.05
    pairs = logits[right == 1][:, None] - logits[right == 0][None]
    auc = np.mean(pairs > 0) + np.mean(pairs == 0) / 2
    assert float(facts["AUC"]) == pytest.approx(auc, abs=6e-4)


def test_the_card_of_the_regression() -> None:
    rows = held_out("diabetes-mlp")
    found, right = outputs("diabetes-mlp")[rows], truth("diabetes-mlp")[rows]
    facts = read("diabetes-mlp", "card")["facts"]
    r2 = 1 - np.mean((found - right) ** 2) / right.var()
    assert facts["R², 133 held-out rows"].startswith(f"{r2:.2f} (")
    assert facts["RMSE"].startswith(f"{np.mean((found - right) ** 2) ** 0.5:.1f} (")


@pytest.mark.parametrize("name", NETS)
def test_cards_cite_and_warn(name: str) -> None:
    card = read(name, "card")
    assert paper(card["paper"]).title
    assert {"Data", "Recipe", "Limits"} <= set(card["facts"])
    if name.startswith("compas"):
        assert "ProPublica" in card["facts"]["Data"]
        assert "Never to be used for decisions" in card["facts"]["Ethics"]


def test_the_logistic_regression_is_fitted_to_the_end() -> None:
    x, y = features("compas-logistic"), truth("compas-logistic")
    assert 0.62 < measuring.log_loss(outputs("compas-logistic"), y) < 0.64
    rows = slice(held_out("compas-logistic").stop, None)
    oracle = LogisticRegression(C=np.inf, tol=1e-9, max_iter=1000).fit(x[rows], y[rows])
    weights = load_file(ASSETS / "models/compas-logistic/weights.safetensors")
    np.testing.assert_allclose(weights["linear.weight"], oracle.coef_, atol=1e-3)
    np.testing.assert_allclose(weights["linear.bias"], oracle.intercept_, atol=1e-3)


@pytest.mark.parametrize("name", NETS)
def test_the_module_is_the_matrix_algebra(name: str) -> None:
    module, spec, classes = getattr(shipped_tables, name.replace("-", "_"))()
    frame = pd.concat(make_tables.read(table_of(name))[::-1])
    with torch.inference_mode():
        found = module(torch.from_numpy(spec.encode(frame)))
    assert found.shape == (len(frame), 1)
    assert len(classes) == 1
    np.testing.assert_allclose(found[:, 0].numpy(), outputs(name), rtol=1e-5, atol=1e-5)
    relus = [layer for layer in module.modules() if isinstance(layer, nn.ReLU)]
    assert len(relus) == len(shipped_tables.HIDDEN[name])


def test_folding_gives_the_label_in_its_own_unit() -> None:
    module = shipped_tables.fresh("diabetes-mlp", 3)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    before = module(x)
    fitting.fold_scale(module, 150.0, 77.0)
    torch.testing.assert_close(module(x), before * 77 + 150)


@pytest.mark.parametrize("name", ["compas-logistic", "compas-mlp"])
def test_false_alarms_are_told_by_race(name: str) -> None:
    cells = table(name)[1][held_out(name)]
    spared, group = cells[:, -1] == "0", cells[:, 1] == "1"
    flagged = outputs(name)[held_out(name)] > 0
    said = read(name, "card")["facts"]["False alarms"]
    for part in (group, ~group):
        assert f" {100 * flagged[spared & part].mean():.1f} % (" in said
