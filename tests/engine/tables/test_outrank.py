from __future__ import annotations

import numpy as np
import pytest

from engine.errors import InputError
from engine.models.learning_columns import learn_columns
from engine.table_results import ColumnScores
from engine.tables.measuring import measure, plan_measure
from engine.tables.outrank import binned, conditional_entropy, entropy
from tests.engine.tables import nets


def planted(rows: int = 4000) -> nets.Table:
    draw = np.random.default_rng(0)
    label = draw.choice(["a", "b", "c"], rows, p=(0.5, 0.25, 0.25))
    return nets.table_of(
        same=np.char.add("is ", label),
        noise=draw.normal(size=rows),
        name=draw.permutation(rows) % 190 / 7.0,  # very many values, nothing to tell
        half=np.where(label == "a", 0, 1),
        label=label,
    )


def test_a_copy_of_the_label_tells_all_and_noise_nothing() -> None:
    found = measure(None, planted(), "outrank", label="label", bins=256, shifts=40)
    assert isinstance(found, ColumnScores)
    same, noise, name, half = found.values
    assert found.outcome["entropy"] == pytest.approx(1.5, abs=0.02)
    assert same == pytest.approx(found.outcome["entropy"], abs=0.01)
    assert half == pytest.approx(1.0, abs=0.02)
    spread = found.error * np.sqrt(40)  # of one shift
    for value, one in ((noise, spread[1]), (name, spread[2])):
        assert abs(value) < 3 * one + 1e-3
    # Without the shift held against it, the column of many values would seem to tell much.
    codes = binned(planted().frame["name"].to_numpy(), 256)
    outcome = np.unique(planted().frame["label"], return_inverse=True)[1]
    assert entropy(outcome) - conditional_entropy(outcome, codes) > 10 * abs(name)
    assert found.outcome["passes"] == {"forward": 0, "backward": 0}
    assert found.outcome["outcome"] == "label"


def test_entropies_are_scipys() -> None:
    from scipy.stats import entropy as theirs

    draw = np.random.default_rng(0)
    x, y = draw.integers(0, 4, 500), draw.integers(0, 3, 500)
    assert entropy(x) == pytest.approx(theirs(np.bincount(x), base=2))
    parts = [(x == k).mean() * theirs(np.bincount(y[x == k]), base=2) for k in range(4)]
    assert conditional_entropy(y, x) == pytest.approx(sum(parts))


def test_bins_hold_as_many_each() -> None:
    values = np.random.default_rng(0).normal(size=1600)
    counts = np.bincount(binned(values, 16))
    assert len(counts) == 16
    assert counts.max() - counts.min() <= 1
    assert binned(np.array([1.0, 1, 1, 5]), 16).tolist() == [0, 0, 0, 1]
    assert len(set(binned(np.array([1.0, 2, np.nan]), 2))) == 3


def test_an_ordered_table_is_like_any_other() -> None:
    frame = planted().frame.sort_values("label")
    found = measure(None, nets.table_of(**frame), "outrank", label="label")
    assert found.values[0] == pytest.approx(found.outcome["entropy"], abs=0.01)
    assert abs(found.values[1]) < 0.01


def test_of_the_prediction() -> None:
    model, table = nets.mixed_net(), nets.mixed_table()
    found = measure(model, table, "outrank", of="prediction")
    assert found.outcome["outcome"] == "prediction"
    assert found.outcome["passes"]["forward"] == len(table)
    said = nets.predict(model, table)[:, 0] > 0
    assert found.outcome["entropy"] == pytest.approx(entropy(said.astype(int)))
    bare = nets.table_of(**table.frame.drop(columns="label"))
    again = measure(model, bare, "outrank")
    assert again.outcome["outcome"] == "prediction"
    assert np.array_equal(again.values, found.values)


def test_of_a_regression_the_outcome_is_binned_too() -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(3000, 2))
    table = nets.table_of(x0=x[:, 0], x1=x[:, 1], y=3 * x[:, 0])
    found = measure(nets.linear([3, 0]), table, "outrank", bins=8)
    assert found.outcome["entropy"] == pytest.approx(3.0, abs=1e-3)
    assert found.values[0] == pytest.approx(3.0, abs=0.02)
    assert abs(found.values[1]) < 0.02
    by_model = measure(nets.linear([3, 0]), table, "outrank", bins=8, of="prediction")
    assert np.allclose(by_model.values, found.values, atol=0.01)


def test_without_label_and_model_one_line_says_so() -> None:
    with pytest.raises(InputError, match="needs an outcome: name the label's column, or a model"):
        measure(None, planted(50), "outrank")
    with pytest.raises(InputError, match="OutRank of the prediction asks a model; name one"):
        measure(None, planted(50), "outrank", label="label", of="prediction")
    assert learn_columns(planted(50), "label").labels == ("a", "b", "c")
    assert plan_measure(None, planted(50), "outrank", label="label").model is None
