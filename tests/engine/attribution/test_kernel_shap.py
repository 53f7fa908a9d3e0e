from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import KernelShap, ShapleyValues
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from engine.attribution.explain import explain, plan
from engine.attribution.shapley_kernel import drawn_pairs, share_out, whole_pairs
from engine.errors import ParameterError
from engine.execution.cost import Cost
from engine.inputs.tables import load_table
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import TensorSpec
from engine.results import Attribution
from tests.engine import reference, zoo
from tests.engine.refusals import expect_refusal

METHOD = "kernel-shap"
FEATURE_MASK = torch.tensor([[0, 1, 1, 1, 2]])  # the columns of zoo.TABLE


def wide(columns: int = 12) -> LoadedModel:
    module = zoo.seeded(lambda: zoo.TableNet(features=columns))
    return load_model(module, input_spec=TensorSpec((columns,)), device="cpu")


def exact(model: LoadedModel, rows: torch.Tensor, target: int, output: str = "logit") -> np.ndarray:
    """By the definition, in float64."""

    def score(features: np.ndarray) -> float:
        logits = reference.table_logits(model.module, features)
        return float((logits if output == "logit" else reference.softmax(logits))[target])

    spec = model.spec
    column_of = zoo.TABLE.column_of if spec is zoo.TABLE else np.arange(spec.shape[0])
    x = zoo.noise(model)[0].double().numpy()
    of = reference.worth(score, x, rows.double().numpy(), column_of)
    return reference.shapley(of, column_of.max() + 1)


@pytest.mark.parametrize("output", ["logit", "probability"])
@pytest.mark.parametrize("target", range(3))
@pytest.mark.parametrize("count", [1, 6])
def test_agrees_with_the_definition(count: int, target: int, output: Any) -> None:
    model = zoo.load("table")
    rows = zoo.noise(model, count, seed=1)
    found = explain(model, zoo.noise(model), METHOD, target, background=rows, output=output)
    expected = exact(model, rows, target, output)
    assert np.allclose(found.values, expected, rtol=0, atol=1e-5)
    assert np.abs(expected).max() > 1e-3
    assert found.error is None
    outcome = found.manifest["outcome"]
    # Of a single row, the category is the same: it is no player.
    assert (outcome["exact"], outcome["coalitions"]) == (True, 4 if count == 1 else 8)


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 5, 7])
def test_agrees_with_the_definition_for_any_number_of_columns(columns: int) -> None:
    model = wide(columns)
    rows = zoo.noise(model, 3, seed=1)
    found = explain(model, zoo.noise(model), METHOD, 1, background=rows)
    assert np.allclose(found.values, exact(model, rows, 1), rtol=0, atol=1e-5)
    outcome = found.manifest["outcome"]
    assert (outcome["exact"], outcome["coalitions"]) == (True, 2**columns)


def test_agrees_with_captum() -> None:
    model = zoo.load("table")
    x, row = zoo.noise(model), zoo.noise(model, seed=1)
    found = explain(model, x, METHOD, 2, background=row)
    network = zoo.build("table")
    torch.manual_seed(0)  # theirs draws
    with torch.no_grad():
        theirs = ShapleyValues(network).attribute(x, row, target=2, feature_mask=FEATURE_MASK)
        sampled = KernelShap(network).attribute(
            x, row, target=2, feature_mask=FEATURE_MASK, n_samples=3000
        )
    for values in (theirs, sampled):  # theirs tell a column's value at each of its features
        assert np.allclose(found.values, values[0, [0, 1, 4]].numpy(), rtol=0, atol=1e-4)


@pytest.mark.parametrize("coalitions", [52, 300, 2000])
def test_with_coalitions_drawn_it_comes_near_the_definition(coalitions: int) -> None:
    model = wide()
    rows = zoo.noise(model, 4, seed=1)
    x = zoo.noise(model)
    precise = explain(model, x, METHOD, 1, background=rows, coalitions=2**12)
    assert precise.error is None
    found = explain(model, x, METHOD, 1, background=rows, coalitions=coalitions)
    assert found.error is not None
    assert (np.abs(found.values - precise.values) < 4 * found.error + 1e-6).mean() > 0.9
    outcome = found.manifest["outcome"]
    assert outcome["exact"] is False
    assert outcome["coalitions"] == coalitions
    assert outcome["samples"] > 0
    assert abs(outcome["completeness"]["gap"]) < 1e-9


def test_more_coalitions_less_error() -> None:
    model = wide()
    rows = zoo.noise(model, 4, seed=1)

    def error(coalitions: int) -> float:
        found = explain(model, zoo.noise(model), METHOD, 1, background=rows, coalitions=coalitions)
        return float(found.error.mean())

    assert error(3000) < error(600) / 2 < error(150) / 4


@pytest.mark.parametrize("coalitions", [150, 500])
def test_the_error_is_that_of_another_seed(coalitions: int) -> None:
    model = wide()
    x, rows = zoo.noise(model), zoo.noise(model, 3, seed=1)
    runs = [
        explain(model, x, METHOD, 1, background=rows, coalitions=coalitions, seed=seed)
        for seed in range(30)
    ]
    spread = np.std([run.values for run in runs], axis=0, ddof=1)
    told = np.sqrt(np.mean([np.square(run.error) for run in runs], axis=0))
    assert (told < 2 * spread).all()
    assert (told > spread / 2).all()


def least_squares(keep: np.ndarray, weights: np.ndarray, worths: np.ndarray) -> np.ndarray:
    """Σ φ = worth of all − worth of none, by a Lagrange multiplier; worths of none and all last."""
    none, whole = worths[-2:]
    players = keep.shape[1]
    z = keep.astype(float)
    system = np.ones((players + 1, players + 1))
    system[:players, :players] = z.T @ (weights[:, None] * z)
    system[players, players] = 0
    right = np.append(z.T @ (weights * (worths[:-2] - none)), whole - none)
    return np.linalg.solve(system, right)[:players]


def test_drawn_coalitions_by_hand() -> None:
    model = wide()
    x, rows = zoo.noise(model), zoo.noise(model, 2, seed=1)
    found = explain(model, x, METHOD, 1, background=rows, coalitions=100, seed=5)
    layers = share_out(12, 49)
    assert (layers.whole, layers.draws) == ((1,), 37)
    parts = [whole_pairs(12, layers.whole), drawn_pairs(12, layers, 5, 0, 37)]
    keep = np.concatenate([part.keep.numpy() for part in parts])
    weights = np.concatenate([part.weights.numpy() for part in parts])
    of = reference.worth(
        lambda features: float(reference.table_logits(model.module, features)[1]),
        x[0].double().numpy(),
        rows.double().numpy(),
        np.arange(12),
    )
    both = np.concatenate([keep, ~keep])
    ends = [np.zeros(12, bool), np.ones(12, bool)]
    worths = np.array([of(one) for one in [*both, *ends]])
    expected = least_squares(both, np.concatenate([weights, weights]), worths)
    assert np.allclose(found.values, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("players", [2, 3, 6, 7, 13, 40])
@pytest.mark.parametrize("more", [0, 1, 30, 500])
def test_how_coalitions_are_shared_out(players: int, more: int) -> None:
    every = 2 ** (players - 1) - 1
    pairs = min(every, 2 * players - 1 + more)
    layers = share_out(players, pairs)
    assert 1 in layers.whole
    assert (*layers.whole, *layers.drawn) == tuple(range(1, players // 2 + 1))
    whole = whole_pairs(players, layers.whole)
    assert len(whole.keep) + layers.draws == pairs
    both = torch.cat([whole.keep, ~whole.keep])
    assert len(torch.unique(both, dim=0)) == len(both)
    assert bool(layers.draws) == bool(layers.drawn)
    if pairs == every:
        assert layers.draws == 0
    sizes = whole.keep.sum(dim=1)
    for size in layers.whole:  # each of a pair weighs 1 / (C(players, size) size (players - size))
        weight = whole.weights[sizes == size].sum() * (1 if 2 * size == players else 0.5)
        assert float(weight) == pytest.approx(1 / (size * (players - size)))


def test_draws_follow_the_kernel() -> None:
    layers = share_out(13, 60)
    drawn = drawn_pairs(13, layers, 0, 0, 4000)
    keep = drawn.keep.numpy()
    sizes = keep.sum(axis=1)
    weights = np.array([1 / (size * (13 - size)) for size in layers.drawn])
    shares = np.array([(sizes == size).mean() for size in layers.drawn])
    assert np.abs(shares - weights / weights.sum()).max() < 0.03
    assert np.abs(keep.mean(axis=0) - sizes.mean() / 13).max() < 0.03
    again = drawn_pairs(13, layers, 0, 1000, 1010)
    assert torch.equal(again.keep, drawn.keep[1000:1010])


def test_looking_changes_no_number_and_shows_what_there_is() -> None:
    model = wide()
    x, rows = zoo.noise(model), zoo.noise(model, 3, seed=1)
    work = plan(model, x, METHOD, 1, background=rows, coalitions=500)
    shown: list[Attribution] = []
    watched, alone = work.run(partial=shown.append), work.run()
    assert watched.values.tobytes() == alone.values.tobytes()
    assert watched.error.tobytes() == alone.error.tobytes()
    tried = [one.manifest["outcome"]["coalitions"] for one in shown]
    assert tried == sorted(tried)
    assert tried[-1] < 500
    for one in shown:
        assert one.manifest["outcome"]["partial"] is True
        assert np.isfinite(one.error).all()
        near = np.abs(one.values - alone.values) < 5 * one.error + 1e-6
        assert near.mean() > 0.8


@pytest.mark.parametrize(("columns", "count"), [(1, 1), (3, 1), (3, 5), (5, 64), (12, 2)])
def test_cost_is_a_pass_for_each_coalition_and_row(columns: int, count: int) -> None:
    model = wide(columns)
    planned = plan(
        model, zoo.noise(model), METHOD, 0, background=zoo.noise(model, count), coalitions=60
    )
    tried = min(60, 2**columns)
    assert planned.cost == Cost((tried - 1) * count + 1 + 1)


@pytest.mark.parametrize(
    ("columns", "default", "low"), [(3, 2048, 16), (12, 2048, 48), (600, 2400, 2400)]
)
def test_enough_coalitions_to_meet_each_column(columns: int, default: int, low: int) -> None:
    model = wide(columns)
    planned = plan(model, zoo.noise(model), METHOD, 0)
    assert planned.parameters == {"coalitions": default}
    with expect_refusal(ParameterError, f"out of range: from {low}"):
        plan(model, zoo.noise(model), METHOD, 0, coalitions=low - 1)


@pytest.mark.parametrize("output", ["logit", "probability"])
def test_of_a_forest_by_the_definition(output: Any) -> None:
    model = zoo.load("forest")
    trees = model.module.estimator
    x, rows = zoo.noise(model), zoo.noise(model, 5, seed=1)

    def score(features: np.ndarray) -> float:
        shares = trees.predict_proba(features[None])[0].clip(1e-12)
        return float(np.log(shares[1]) if output == "logit" else shares[1])

    of = reference.worth(score, x[0].double().numpy(), rows.double().numpy(), np.arange(4))
    found = explain(model, x, METHOD, 1, background=rows, output=output)
    expected = reference.shapley(of, 4)
    assert np.allclose(found.values, expected, rtol=0, atol=1e-5)
    assert np.abs(expected).max() > 0.01


def test_of_an_estimator_that_reads_words() -> None:
    draw = np.random.default_rng(0)
    cells = [
        (round(draw.normal(), 3), draw.choice(["red", "blue", "green"]), round(draw.normal(), 3))
        for _ in range(50)
    ]
    text = "\n".join(["size,colour,weight", *(f"{a},{b},{c}" for a, b, c in cells)])
    table = load_table(text.encode(), name="things.csv")
    truth = [int(a + (b == "red") > 0.3) for a, b, _ in cells]
    words = ColumnTransformer([("words", OneHotEncoder(), ["colour"])], remainder="passthrough")
    pipeline = make_pipeline(words, RandomForestClassifier(8, random_state=0))
    model = load_model(pipeline.fit(table.frame, truth), input_spec=table)
    row, others = table.row(3), table.part(range(10, 18))

    def of(keep: np.ndarray) -> float:
        frame = others.frame.copy()
        for name, stays in zip(frame.columns, keep, strict=True):
            if stays:
                frame[name] = row.values[name]
        return float(pipeline.predict_proba(frame)[:, 1].mean())

    found = explain(model, row, METHOD, 1, background=others, output="probability")
    assert found.manifest["display"]["columns"] == ["size", "colour", "weight"]
    assert np.allclose(found.values, reference.shapley(of, 3), rtol=0, atol=1e-5)
    assert found.values[1] != 0
