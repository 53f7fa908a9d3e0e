from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from engine.table_results import Agreement
from engine.tables.measuring import measure
from tests.engine.tables import nets


def test_the_matrix_is_spearmans() -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(120, 5))
    weights = np.array([3.0, -2.0, 1.0, 0.5, 0.1])
    table = nets.table_of(**{f"x{i}": x[:, i] for i in range(5)}, y=x @ weights)
    found = measure(nets.linear(weights), table, "agreement")
    assert isinstance(found, Agreement)
    wanted = stats.spearmanr(found.values, axis=1).statistic
    assert np.allclose(found.matrix, wanted, atol=1e-6)
    names = found.manifest["display"]["names"]
    assert set(names) == {
        "partial-dependence", "permutation", "swarm", "surrogate", "outrank", "quick-selection",
    }  # fmt: skip
    # What looks at the model puts the columns in the order of |weight|.
    for name in ("partial-dependence", "permutation", "swarm"):
        assert np.argsort(-found.values[names.index(name)]).tolist() == [0, 1, 2, 3, 4]
    first, second = names.index("permutation"), names.index("swarm")
    assert found.matrix[first, second] == pytest.approx(1.0)
    assert found.outcome["left_out"] == []


def test_each_row_is_what_the_measure_says_on_its_own() -> None:
    model, table = nets.mixed_net(), nets.mixed_table(80)
    found = measure(model, table, "agreement", seed=4)
    names = found.manifest["display"]["names"]
    alone = measure(model, table, "permutation", repeats=5, seed=4)
    assert np.array_equal(found.values[names.index("permutation")], alone.values)
    swarm = measure(model, table, "swarm", seed=4)
    assert np.allclose(found.values[names.index("swarm")], swarm.importance(), atol=1e-7)
    outrank = measure(model, table, "outrank", seed=4)
    assert np.array_equal(found.values[names.index("outrank")], outrank.values)


def test_the_spread_of_partial_dependence_counts_points_by_their_rows() -> None:
    weights = np.array([2.0, -1.0])
    x = np.random.default_rng(0).choice([0.0, 1.0], (100, 2), p=(0.8, 0.2))
    table = nets.table_of(x0=x[:, 0], x1=x[:, 1])
    found = measure(nets.linear(weights), table, "agreement")
    wanted = np.abs(weights) * x.std(axis=0)
    assert np.allclose(found.values[0], wanted, atol=1e-5)


def test_measures_that_need_labels_are_left_out_where_there_are_none() -> None:
    bare = nets.table_of(**nets.mixed_table(50).frame.drop(columns="label"))
    found = measure(nets.mixed_net(), bare, "agreement")
    assert found.outcome["left_out"] == [["Permutation importance", "needs the truth of each row"]]
    assert "permutation" not in found.manifest["display"]["names"]
    assert "outrank" in found.manifest["display"]["names"]


def test_a_measure_that_tells_nothing_agrees_with_none() -> None:
    found = measure(nets.linear([0, 0, 0], bias=1), nets.normal_table(30), "agreement")
    names = found.manifest["display"]["names"]
    place = names.index("swarm")
    others = np.delete(found.matrix[place], place)
    assert (others == 0).all()
    assert found.matrix[place, place] == 1
