"""Whatever cannot be done is told in one line; whatever is odd is handled and noted."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine.errors import HaloscopeError, InputError, MethodError, ModelError, ParameterError
from engine.inputs.tables import load_table
from engine.interaction_results import NO_EFFECT, NOT_REACHABLE, REACHED
from engine.interactions.planning import measure_interactions, plan_interactions
from engine.models.loading import load_model
from tests.engine.interactions.making import factorial, formula, linear, table_of
from tests.engine.tables import nets

X = factorial(2)
Y = X[:, 0] + 0.3


def model() -> Any:
    return linear([1.0, 0.5])


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ({"repeats": 5}, ParameterError, "from 30 to 10000"),
        ({"repeats": 2.5}, ParameterError, "whole number"),
        ({"rate": 0}, ParameterError, "rate=0: expected a number above 0"),
        ({"rate": float("nan")}, ParameterError, "above 0"),
        ({"epsilon": -1}, ParameterError, "epsilon=-1"),
        ({"seed": 1.5}, ParameterError, "seed=1.5"),
        ({"rows": 1}, ParameterError, "rows=1"),
        ({"retrained": -1}, ParameterError, "retrained=-1"),
        ({"retrained": 1}, MethodError, "cannot be trained again"),
        ({"pairs": ["x0:x9"]}, InputError, "no column 'x9'"),
        ({"pairs": ["x0"]}, InputError, "write it as a:b"),
        ({"pairs": ["x0:x0"]}, InputError, "does not interact with itself"),
        ({"pairs": [(0, 7)]}, InputError, "no feature 7: there are 0 to 1"),
        ({"pairs": []}, InputError, "no pair is named"),
        ({"label": "truth"}, InputError, "no column 'truth'"),
    ],
)
def test_what_cannot_be_asked(asked: dict[str, Any], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told) as raised:
        plan_interactions(model(), table_of(X, Y), **asked)
    assert "\n" not in str(raised.value)


def test_more_permutations_than_memory_holds_are_refused_before_they_are_made() -> None:
    x = np.repeat(X, 5000, axis=0)
    table = table_of(x, np.repeat(Y, 5000))
    told = "do not fit in memory; ask for 5000 at the most, or for fewer rows"
    with pytest.raises(ParameterError, match=told) as raised:
        plan_interactions(model(), table, rows=20_000, repeats=5001)
    assert "\n" not in str(raised.value)


def test_a_plan_takes_no_memory_for_permutations() -> None:
    x = np.repeat(X, 2500, axis=0)
    table = table_of(x, np.repeat(Y, 2500))
    tracemalloc.start()
    plan_interactions(model(), table, rows=10_000, repeats=2000)
    assert tracemalloc.get_traced_memory()[1] < 2000 * 10_000  # a bank takes eight times that
    tracemalloc.stop()


def test_one_feature() -> None:
    with pytest.raises(InputError, match="reads a single column, 'x0'"):
        plan_interactions(linear([1.0]), table_of(X[:, :1], Y))


def test_one_row_and_no_label() -> None:
    with pytest.raises(InputError, match="1 usable row; permuting needs at least 2"):
        plan_interactions(model(), table_of(X[:1], Y[:1]))
    with pytest.raises(InputError, match="has no label column 'y'"):
        plan_interactions(model(), nets.table_of(x0=[1.0, 2], x1=[1.0, 2]))
    with pytest.raises(ModelError, match="not tables"):
        plan_interactions(load_model("digits-cnn", device="cpu"), table_of(X, Y))


def test_a_loss_of_zero_asks_for_an_absolute_epsilon() -> None:
    exact = table_of(X, X[:, 0] + 0.5 * X[:, 1])
    with pytest.raises(ParameterError, match=r"the loss of .* is 0 .* epsilon=0.01"):
        measure_interactions(model(), exact)
    found = measure_interactions(model(), exact, epsilon=0.05)
    assert found.epsilon == 0.05
    assert found.manifest["display"]["rates"] == []


def test_constant_features_and_copies_are_noted() -> None:
    x = np.column_stack([X[:, 0], np.full(4, 2.0), X[:, 0] * 3])
    planned = plan_interactions(linear([1.0, 0.5, 0.2]), table_of(x, Y))
    notes = " ".join(planned.data.notes)
    assert "x1 is the same in all rows" in notes
    assert "x2 is a copy of x0" in notes
    found = planned.run()
    assert np.isfinite(found.scores).all()
    assert np.abs(found.effects[0, :, 1]).max() < 1e-12  # permuting a constant changes nothing


def test_rounding_is_no_sign() -> None:
    # In single precision the score of a constant is a rounding error, the same for all models.
    table = load_table("sample:compas").sampled(300)
    frame = table.frame.assign(male=1)
    found = measure_interactions(
        load_model("compas-logistic", device="cpu"), frame, pairs=["male:priors_any"]
    )
    assert np.abs(found.scores[found.members()]).max() < 1e-7
    assert found.agreement()[0] == 0


def test_a_feature_that_the_model_ignores() -> None:
    found = measure_interactions(linear([1.0, 0.0]), table_of(X, Y), epsilon=0.1)
    assert (found.status[:, :, 1] == NO_EFFECT).all()
    assert (found.masks[:, :, 1] == 1).all()
    assert len(found.distinct(0)) == 1 + 2 * 10
    assert np.abs(found.scores).max() < 1e-12


def test_unseen_categories_missing_labels_and_classes() -> None:
    table = nets.mixed_table()
    unseen = table.frame.assign(kind=["violet", *table.frame["kind"][1:]])
    with pytest.raises(InputError, match="row 1, column 'kind': 'violet' is not among"):
        plan_interactions(nets.mixed_net(), unseen)
    unlabelled = table.frame.assign(label=[None, *table.frame["label"][1:]])
    planned = plan_interactions(nets.mixed_net(), unlabelled, repeats=30)
    assert "1 row has no label and was left out" in planned.data.notes
    assert planned.data.count == len(table) - 1
    strange = table.frame.assign(label=["maybe", None, "so", *table.frame["label"][3:]])
    notes = plan_interactions(nets.mixed_net(), strange, repeats=30).data.notes
    assert "1 row has no label and was left out" in notes
    assert "2 rows are of no class of the model ('maybe', 'so') and were left out" in notes
    only = table.frame[table.frame["label"] == "no"].reset_index(drop=True)
    planned = plan_interactions(nets.mixed_net(), only)
    assert "no row is of the class 'yes'" in planned.data.notes
    assert planned.data.notes == tuple(dict.fromkeys(planned.data.notes))


def test_too_few_rows_for_the_repeats_are_averaged_exactly() -> None:
    found = measure_interactions(model(), table_of(X[:3], Y[:3]), repeats=100)
    assert found.outcome["exact_pairs"] == 1
    assert not found.error.any()


def test_a_reference_that_returns_nan_is_told() -> None:
    broken = formula(lambda x: x[:, 0] / (x[:, 1] - x[:, 1]), 2)
    with pytest.raises(HaloscopeError, match="not finite"):
        measure_interactions(broken, table_of(X, Y))
    # Finite on the rows as they are, not with their features moved.
    torn = formula(lambda x: torch.where(x[:, 0] * x[:, 1] < 0, torch.inf, x[:, 0]), 2)
    same = table_of(np.array([[1.0, 1], [-1, -1], [1, 1]]), [0.5, 0.1, 0.2])
    with pytest.raises(HaloscopeError, match="not finite"):
        measure_interactions(torn, same)
    with pytest.raises(HaloscopeError, match="not finite"):
        engine.interaction_ball(
            formula(lambda x: x.sum(dim=1) / (x[:, 1] - x[:, 1]), 3),
            table_of(factorial(3), factorial(3)[:, 0]),
            [0, 1, 2],
            epsilon=0.1,
        )


@pytest.mark.parametrize("wrong", [torch.inf, torch.nan])
def test_masked_models_that_are_not_finite_are_out_of_the_set(wrong: float) -> None:
    # Beyond 1.1 the first feature breaks the model: a budget that lies further cannot be spent.
    # Both together break it from a sum of 2.15 on, which single moves do not reach.
    def breaking(x: torch.Tensor) -> torch.Tensor:
        broken = (x[:, 0].abs() > 1.1001) | (x[:, 0].abs() + x[:, 1].abs() > 2.1501)
        return torch.where(broken, wrong, x[:, 0] + x[:, 1])

    weights = np.ones(2)
    found = measure_interactions(formula(breaking, 2), table_of(X, X @ weights + 1), epsilon=0.02)
    # Moving m by d costs d²: budget k lies at √(0.002 k).
    assert (found.status[-1, :5, 0, 0] == REACHED).all()
    assert (found.status[-1, 6:, 0, 0] == NOT_REACHABLE).all()
    assert found.masks[-1, 6:, 0, 0] == pytest.approx(1.1001, abs=1.001e-4)
    assert (found.status[-1, :, 0, 1] == REACHED).all()
    masks = found.pair_masks(0)
    broken = (masks > 1).all(axis=1) & (masks.sum(axis=1) > 2.1501)
    assert broken.any()
    assert np.array_equal(~np.isfinite(found.loss[0]), broken)
    assert np.isnan(found.effects[0, broken]).all()
    assert np.isfinite(found.effects[0, ~broken]).all()
    assert not found.members()[0, broken].any()
    assert found.not_finite == len(np.unique(masks[broken], axis=0))
    assert np.isfinite(found.spread()).all()
    assert np.isfinite(found.agreement()).all()
    assert np.isfinite(found.reliance_range()).all()
    curve = found.halo(0)
    lost = ~np.isfinite(curve.radius)
    assert lost.any()
    assert np.isnan(curve.x[lost]).all()
    assert not curve.inside[lost].any()


def test_a_name_with_a_colon() -> None:
    table = nets.table_of(**{"a:b": X[:, 0], "c": X[:, 1], "y": Y})
    from engine.models.table_specs import Column, TableSpec

    spec = TableSpec((Column("a:b"), Column("c")), label="y", task="regression")
    loaded = load_model(model().module, input_spec=spec, classes=["v"], device="cpu")
    assert plan_interactions(loaded, table, pairs=["a:b:c"]).pairs == ((0, 1),)
