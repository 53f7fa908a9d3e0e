"""All additive methods share out the same: score(x) − mean score of the background's rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.attribution.explain import explain, plan
from engine.inputs.tables import load_table
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import TensorSpec
from engine.models.table_specs import Column, TableSpec
from engine.results import Attribution
from tests.engine import reference, zoo

EXACT: dict[str, dict[str, Any]] = {
    "integrated-gradients": {"steps": 100},
    "deep-lift": {},
    "kernel-shap": {},
}
DRAWN: dict[str, dict[str, Any]] = {
    "gradient-shap": {"samples": 3000},
    "shapley-sampling": {"permutations": 60},
}
FITTED: dict[str, dict[str, Any]] = {"lime": {"samples": 3000, "ridge": 0}}
ADDITIVE = EXACT | DRAWN
ALL = ADDITIVE | FITTED


def linear(spec: Any = zoo.TABLE) -> LoadedModel:
    module = zoo.seeded(lambda: nn.Linear(spec.shape[0], 3))
    return load_model(module, input_spec=spec, device="cpu")


def found(model: LoadedModel, method: str, **more: Any) -> Attribution:
    x = more.pop("x", zoo.noise(model))
    more = {"background": zoo.noise(model, 9, seed=1)} | more
    return explain(model, x, method, more.pop("target", 1), **ALL[method], **more)


def difference(model: LoadedModel, output: str) -> tuple[float, float]:
    """Mean score of the rows, and how far x is above it: means of scores, not of logits."""
    rows = torch.cat([zoo.noise(model), zoo.noise(model, 9, seed=1)])
    with torch.no_grad():
        logits = model.module(rows).double().numpy()
    scores = logits if output == "logit" else np.stack([reference.softmax(row) for row in logits])
    base = scores[1:, 1].mean()
    return base, scores[0, 1] - base


@pytest.mark.parametrize("spec", [zoo.TABLE, TensorSpec((4,))])
@pytest.mark.parametrize("method", ALL)
def test_of_a_linear_network_by_hand(method: str, spec: Any) -> None:
    model = linear(spec)
    x, rows = zoo.noise(model)[0].double().numpy(), zoo.noise(model, 9, seed=1).double().numpy()
    expected = reference.weight(model.module, "weight")[1] * (x - rows.mean(axis=0))
    if spec is zoo.TABLE:
        expected = reference.folded(expected, zoo.TABLE.column_of)
    told = found(model, method)
    apart = np.abs(told.values - expected)
    if method in EXACT or method == "shapley-sampling":
        assert apart.max() < 1e-5
    else:
        assert (apart < 4 * told.error + 1e-6).all()
        assert told.error.max() < 0.05


@pytest.mark.parametrize("output", ["logit", "probability"])
@pytest.mark.parametrize("method", ALL)
def test_the_difference_and_the_base_are_told(method: str, output: str) -> None:
    model = zoo.load("table")
    told = found(model, method, output=output).manifest["outcome"]
    base, expected = difference(model, output)
    assert told["completeness"]["difference"] == pytest.approx(expected, abs=1e-5)
    if method != "lime":
        assert told["base"] == pytest.approx(base, abs=1e-5)
    assert told["background"] == {"rows": 9, "of": 9, "fills": []}


@pytest.mark.parametrize("output", ["logit", "probability"])
@pytest.mark.parametrize("name", ["mlp", "table"])
@pytest.mark.parametrize("method", ADDITIVE)
def test_the_values_add_up_to_it(method: str, name: str, output: str) -> None:
    model = zoo.load(name)
    result = found(model, method, output=output)
    told = result.manifest["outcome"]["completeness"]
    assert told["sum"] == pytest.approx(float(result.values.sum()), abs=1e-5)
    assert told["gap"] == pytest.approx(told["sum"] - told["difference"], abs=1e-12)
    assert ("error" in told) == (method in DRAWN)
    tolerance = 4 * told.get("error", 0.0) + (2e-3 if method == "integrated-gradients" else 1e-6)
    assert abs(told["gap"]) < tolerance


@pytest.mark.parametrize("method", ALL)
def test_without_a_background_the_mean_row_stands_in(method: str) -> None:
    model = zoo.load("table")
    mean = torch.from_numpy(zoo.TABLE.mean_row)[None]
    assert mean[0].tolist() == pytest.approx([0, 0.5, 0.3, 0.2, 0])
    alone, same = found(model, method, background=None), found(model, method, background=mean)
    assert np.allclose(alone.values, same.values, rtol=0, atol=1e-6)
    assert alone.manifest["outcome"]["background"] == {"rows": 1, "of": 1, "fills": ["mean"]}


@pytest.mark.parametrize("method", ALL)
def test_a_single_column(method: str) -> None:
    spec = TableSpec((Column("kind", "category", ("a", "b"), shares=(0.5, 0.5)),))
    module = zoo.seeded(lambda: zoo.TableNet(features=2))
    model = load_model(module, input_spec=spec, device="cpu")
    result = found(model, method)
    assert result.values.shape == (1,)
    expected = result.manifest["outcome"]["completeness"]["difference"]
    apart = 4 * (0.0 if result.error is None else float(result.error[0])) + 1e-3
    assert abs(float(result.values[0]) - expected) < apart


@pytest.mark.parametrize("method", [*ALL, "feature-ablation"])
def test_columns_that_are_the_same_everywhere_get_nothing(method: str) -> None:
    model = zoo.load("table")
    x, rows = zoo.noise(model), zoo.noise(model, 9, seed=1)
    rows[:, 1:4] = x[0, 1:4]
    result = explain(model, x, method, 1, background=rows, **ALL.get(method, {}))
    assert result.values[1] == 0
    assert result.error is None or result.error[1] == 0
    assert (result.values[[0, 2]] != 0).all()


@pytest.mark.parametrize("method", [*ALL, "feature-ablation"])
@pytest.mark.parametrize("rows", [1, 5])
def test_a_row_among_copies_of_itself(method: str, rows: int) -> None:
    model = zoo.load("table")
    x = zoo.noise(model)
    result = explain(model, x, method, 1, background=x.expand(rows, -1), **ALL.get(method, {}))
    assert np.array_equal(result.values, np.zeros(3))
    assert result.error is None or np.array_equal(result.error, np.zeros(3))
    for told in (result.manifest["outcome"].get("completeness") or {}).values():
        assert abs(told) < 1e-6


@pytest.mark.parametrize("method", [*ALL, "feature-ablation"])
def test_inputs_of_several_axes_keep_their_shape(method: str) -> None:
    module = nn.Sequential(nn.Flatten(), zoo.seeded(lambda: zoo.TableNet(features=6)))
    model = load_model(module, input_spec=TensorSpec((2, 3)), device="cpu")
    flat = load_model(module[1], input_spec=TensorSpec((6,)), device="cpu")
    x, rows = zoo.noise(model), zoo.noise(model, 4, seed=1)
    more = ALL.get(method, {})
    result = explain(model, x, method, 1, background=rows, **more)
    same = explain(flat, x.flatten(1), method, 1, background=rows.flatten(1), **more)
    assert result.values.shape == (2, 3)
    assert np.allclose(result.values.ravel(), same.values, rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", [*ALL, "feature-ablation"])
def test_a_row_is_compared_with_its_own_table(method: str) -> None:
    draw = np.random.default_rng(0)
    cells = [
        f"{draw.normal(40, 10):.3f},{draw.choice(['a', 'b', 'c'])},{draw.normal(3, 2):.3f}"
        for _ in range(120)
    ]
    table = load_table("\n".join(["age,kind,income", *cells]).encode(), name="people.csv")
    model = zoo.load("table")
    planned = plan(model, table.row(7), method, 1, **ALL.get(method, {}))
    assert planned.background is not None
    result = planned.run()
    assert result.values.shape == (3,)
    assert result.manifest["outcome"]["background"] == {"rows": 100, "of": 120, "fills": []}
    passes = result.manifest["outcome"]["passes"]
    assert passes["forward"] <= planned.cost.forward
    assert passes["backward"] <= planned.cost.backward


@pytest.mark.parametrize("method", ["kernel-shap", "shapley-sampling"])
def test_networks_for_pictures_are_refused(method: str) -> None:
    for name in ("tiny-cnn", "tiny-vit"):
        assert "a model for tables" in (plan_refusal(method, name) or "")


def plan_refusal(method: str, name: str) -> str | None:
    from engine.attribution.registry import find_method

    return find_method(method).refusal(zoo.load(name))
