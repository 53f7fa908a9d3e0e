from __future__ import annotations

import numpy as np
import pytest

from engine.errors import InputError, ParameterError
from engine.models.loading import load_model
from engine.table_results import ColumnScores
from engine.tables.measuring import measure, plan_measure
from tests.engine.tables import nets


def test_of_a_linear_model_it_is_twice_weight_squared_times_variance() -> None:
    # Independent columns: shuffling x moves the error by w (x' − x), of mean square 2 w² Var x.
    weights = np.array([2.0, -1.0, 0.5, 0.0])
    x = np.random.default_rng(0).normal(size=(4000, 4))
    table = nets.table_of(**{f"x{i}": x[:, i] for i in range(4)}, y=x @ weights)
    found = measure(nets.linear(weights), table, "permutation", rows=4000, repeats=30)
    assert isinstance(found, ColumnScores)
    wanted = 2 * weights**2 * x.var(axis=0)
    assert np.abs(found.values - wanted).max() < 4 * found.error.max()
    assert np.allclose(found.values, wanted, atol=0.15)
    assert found.values[3] == found.error[3] == 0
    assert found.outcome["performance"] == pytest.approx(0, abs=1e-9)
    assert found.manifest["display"]["unit"] == "rise of the mean squared error"


@pytest.mark.parametrize(("score", "theirs"), [("log-loss", "neg_log_loss"), ("accuracy",) * 2])
def test_it_is_scikit_learns_own_on_an_estimator(score: str, theirs: str) -> None:
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.inspection import permutation_importance

    table = nets.mixed_table()
    numbers = table.frame[["size", "weight", "age"]]
    fitted = GradientBoostingClassifier(n_estimators=5, random_state=0)
    model = load_model(fitted.fit(numbers, table.frame["label"]), device="cpu")
    found = measure(model, table, "permutation", label="label", seed=4, score=score, repeats=7)
    wanted = permutation_importance(
        model.module.estimator,
        numbers,
        table.frame["label"],
        scoring=theirs,
        n_repeats=7,
        random_state=4,
    )
    assert np.allclose(found.values, wanted.importances_mean, atol=1e-5)
    spread = wanted.importances.std(axis=1, ddof=1) / np.sqrt(7)
    assert np.allclose(found.error, spread, atol=1e-5)


@pytest.mark.parametrize(
    ("score", "theirs"), [("squared-error", "neg_mean_squared_error"), ("r2", "r2")]
)
def test_regressions_too(score: str, theirs: str) -> None:
    from sklearn.inspection import permutation_importance

    model, table = nets.forest(regression=True), nets.mixed_table()
    frame = table.frame.assign(y=np.sqrt(table.frame["age"]))
    given = nets.table_of(**{name: frame[name] for name in frame})
    found = measure(model, given, "permutation", label="y", score=score, repeats=3)
    wanted = permutation_importance(
        model.module.estimator,
        frame[["size", "weight", "age"]],
        frame["y"],
        scoring=theirs,
        n_repeats=3,
        random_state=0,
    )
    assert np.allclose(found.values, wanted.importances_mean, atol=1e-4)


def test_a_category_is_shuffled_as_one() -> None:
    """By hand: its features move together, so that every row still is of one category."""
    model, table = nets.mixed_net(), nets.mixed_table(40)
    found = measure(model, table, "permutation", repeats=3, seed=1)
    truth = (table.frame["label"] == "yes").to_numpy()

    def loss(kinds: np.ndarray) -> float:
        mixed = nets.table_of(**table.frame.assign(kind=kinds))
        chances = nets.sigmoid(nets.predict(model, mixed)[:, 0])
        return float(-np.log(np.where(truth, chances, 1 - chances)).mean())

    kinds, order, losses = table.frame["kind"].to_numpy(), np.arange(40), []
    before = loss(kinds)
    # As scikit-learn draws: a seed of its own for the columns, the last order shuffled on.
    draws = np.random.RandomState(np.random.RandomState(1).randint(np.iinfo(np.int32).max + 1))
    for _ in range(3):
        draws.shuffle(order)
        kinds = kinds[order]
        losses.append(loss(kinds) - before)
    place = found.columns.index("kind")
    assert found.outcome["performance"] == pytest.approx(-before, rel=1e-5)
    assert found.values[place] == pytest.approx(np.mean(losses), rel=1e-4)
    assert found.error[place] == pytest.approx(np.std(losses, ddof=1) / 3**0.5, rel=1e-4)


def test_rows_without_a_known_truth_are_left_out() -> None:
    frame = nets.mixed_table(50).frame
    frame.loc[:9, "label"] = "?"
    given = nets.table_of(**{name: frame[name] for name in frame})
    found = measure(nets.mixed_net(), given, "permutation", repeats=2)
    assert (found.outcome["rows"], found.outcome["unlabelled"], found.outcome["of"]) == (40, 10, 50)
    kept = frame.iloc[10:]
    alone = nets.table_of(**{name: kept[name].to_numpy() for name in kept})
    again = measure(nets.mixed_net(), alone, "permutation", repeats=2)
    assert np.array_equal(found.values, again.values)


def test_scores_are_those_of_the_task() -> None:
    model, table = nets.mixed_net(), nets.mixed_table()
    with pytest.raises(ParameterError, match="score='r2' is no choice"):
        plan_measure(model, table, "permutation", score="r2")
    x = nets.normal_table(20, 2, y=np.arange(20.0))
    with pytest.raises(ParameterError, match="score='accuracy' is no choice"):
        plan_measure(nets.linear([1, 1]), x, "permutation", score="accuracy")


def test_without_labels_one_line_says_so() -> None:
    table = nets.table_of(**nets.mixed_table().frame.drop(columns="label"))
    with pytest.raises(InputError, match="has no label column 'label'; name the column"):
        plan_measure(nets.mixed_net(), table, "permutation")
    with pytest.raises(InputError, match="no column 'truth'"):
        plan_measure(nets.mixed_net(), table, "permutation", label="truth")


def test_a_model_that_names_no_labels_goes_by_its_classes() -> None:
    from engine.models.learning_columns import learn_columns

    table = nets.mixed_table()
    spec = learn_columns(nets.table_of(**table.frame.drop(columns="label")))
    trained = nets.mixed_net(2)
    bare = load_model(trained.module, input_spec=spec, classes=["no", "yes"], device="cpu")
    found = measure(bare, table, "permutation", label="label", repeats=2)
    wanted = measure(trained, table, "permutation", repeats=2)
    assert np.array_equal(found.values, wanted.values)
