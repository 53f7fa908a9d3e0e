from __future__ import annotations

import numpy as np
import pytest

from engine.attribution.explain import explain
from engine.errors import ParameterError
from engine.models.loaded import LoadedModel
from engine.table_results import Swarm
from engine.tables.measuring import measure, plan_measure
from engine.tables.registry import find_measure
from engine.tables.swarm import background_of
from tests.engine.tables import nets


def methods_of(model: LoadedModel) -> tuple[str, ...]:
    return find_measure("swarm").parameters_for(model)[0].choices


NETWORK, FOREST = methods_of(nets.mixed_net()), methods_of(nets.forest())


@pytest.mark.parametrize(
    ("model", "method"),
    [*((nets.mixed_net, m) for m in NETWORK), *((nets.forest, m) for m in FOREST)],
)
def test_each_row_is_what_explain_says_of_it(model: object, method: str) -> None:
    loaded, table = model(), nets.mixed_table()
    given = {"method": method, "samples": 30, "background": 5}
    found = measure(loaded, table, "swarm", rows=6, seed=2, target="yes", **given)
    assert isinstance(found, Swarm)
    background = background_of(table, 5, 2)
    for place, number in enumerate(found.rows):
        names = {p.name for p in find_measure_parameters(method, loaded)}
        alone = explain(
            loaded,
            table.row(int(number)),
            method,
            "yes",
            output="probability",
            background=background,
            seed=2,
            **{name: value for name, value in samples_for(method, loaded).items() if name in names},
        )
        assert np.allclose(found.values[place], alone.values, atol=1e-6)
        assert found.values[place].tobytes() == alone.values.tobytes()


def find_measure_parameters(method: str, model: LoadedModel):
    from engine.attribution.registry import find_method

    return find_method(method).parameters_for(model)


def samples_for(method: str, model: LoadedModel) -> dict[str, int]:
    found = {}
    for parameter in find_measure_parameters(method, model):
        if parameter.kind == "int":
            found[parameter.name] = int(max(30, parameter.low or 0))
    return found


@pytest.mark.parametrize("model", [nets.mixed_net, nets.forest])
def test_values_add_up_to_the_score_less_the_base(model: object) -> None:
    table = nets.mixed_table()
    found = measure(model(), table, "swarm", rows=10, target="yes")
    sums = found.values.sum(axis=1, dtype=np.float64)
    assert np.allclose(sums + found.outcome["base"], found.scores, atol=5e-3)
    assert found.outcome["gap"] < 5e-3
    assert (found.scores >= 0).all()
    assert (found.scores <= 1).all()


def test_of_a_linear_model_it_is_weight_times_distance() -> None:
    weights = np.array([2.0, -1.0, 0.0])
    table = nets.normal_table(50)
    found = measure(nets.linear(weights), table, "swarm", background=10)
    cells = table.frame.to_numpy()
    mean = background_of(table, 10, 0).frame.to_numpy().mean(axis=0)
    assert np.allclose(found.values, weights * (cells - mean), atol=1e-4)
    assert np.array_equal(found.inputs, cells)
    assert found.rows.tolist() == list(range(1, 51))
    assert np.allclose(found.scores, cells @ weights, atol=1e-5)
    assert found.outcome["base"] == pytest.approx(mean @ weights, abs=1e-5)


def test_inputs_are_the_places_of_categories() -> None:
    found = measure(nets.mixed_net(), nets.mixed_table(), "swarm", rows=8)
    place = found.columns.index("kind")
    names = found.manifest["display"]["categories"]["kind"]
    told = [names[int(code)] for code in found.inputs[:, place]]
    kinds = nets.mixed_table().frame["kind"]
    assert told == [kinds.iloc[number - 1] for number in found.rows]


def test_defaults_suit_the_model() -> None:
    assert NETWORK[0] == "integrated-gradients"
    assert FOREST[0] in ("kernel-shap", "shapley-sampling")
    with pytest.raises(ParameterError, match="is no choice"):
        plan_measure(nets.forest(), nets.mixed_table(), "swarm", method="integrated-gradients")
    with pytest.raises(ParameterError, match="takes from 2 to 5000"):
        plan_measure(nets.mixed_net(), nets.mixed_table(), "swarm", rows=5001)
