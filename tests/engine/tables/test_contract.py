"""What every measure keeps to, on every kind of model for tables."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.bibliography import paper
from engine.errors import Cancelled, HaloscopeError, InputError
from engine.inputs.tables import Table, load_table
from engine.models.loaded import LoadedModel
from engine.results import load_result
from engine.tables.measuring import MeasurePlan, plan_measure
from engine.tables.registry import measures
from tests.engine.counting import counted, hooks_on
from tests.engine.tables import nets

MODELS: dict[str, Callable[[], LoadedModel]] = {
    "one-logit": nets.mixed_net,
    "two-classes": lambda: nets.mixed_net(2),
    "three-classes": lambda: nets.mixed_net(3),
    "regression": lambda: nets.linear([1.0, -2.0, 0.5]),
    "black-box": nets.forest,
}
CHEAP: dict[str, dict[str, Any]] = {
    "swarm": {"rows": 4, "samples": 4, "background": 3},
    "groups": {"explained": 4, "background": 3, "permutations": 3},
    "quick-selection": {"epochs": 2, "hidden": 10},
    "permutation": {"repeats": 2},
    "agreement": {"rows": 20},
}
CASES = [(model, name) for model in MODELS for name in measures()]


def table_for(model: str) -> Table:
    if model != "regression":
        return nets.mixed_table(60)
    x = np.random.default_rng(0).normal(size=(60, 3))
    return nets.table_of(x0=x[:, 0], x1=x[:, 1], x2=x[:, 2], y=x @ [1.0, -2.0, 0.4])


def planned(model: str, name: str, **more: Any) -> MeasurePlan:
    loaded = MODELS[model]()
    column = {"column": loaded.table_spec.names[0]} if measures()[name].takes_column else {}
    label = {"label": "label"} if model == "black-box" else {}
    given = {**CHEAP.get(name, {}), **column, **label, **more}
    return plan_measure(loaded, table_for(model), name, **given)


def in_chunks_of(size: int, work: MeasurePlan) -> MeasurePlan:
    return replace(work, request={**work.request, "chunk": size})


def arrays_of(result: Any) -> dict[str, Any]:
    return {name: getattr(result, name) for name in result.arrays}


@pytest.mark.parametrize(("model", "name"), CASES)
def test_repeatable_finite_and_nothing_left_behind(model: str, name: str) -> None:
    state, drawn = torch.get_rng_state(), repr(np.random.get_state())
    first, second = planned(model, name, seed=5), planned(model, name, seed=5)
    assert first.key == second.key
    one, other = first.run(), second.run()
    for field, array in arrays_of(one).items():
        if array is not None:
            assert np.isfinite(array).all(), field
            assert array.tobytes() == arrays_of(other)[field].tobytes(), field
    assert torch.equal(torch.get_rng_state(), state)
    assert repr(np.random.get_state()) == drawn
    assert hooks_on(first.model.module) == 0


@pytest.mark.parametrize(("model", "name"), CASES)
def test_the_size_of_chunks_decides_nothing(model: str, name: str) -> None:
    whole, apart = planned(model, name).run(), in_chunks_of(7, planned(model, name)).run()
    for field, array in arrays_of(whole).items():
        if array is not None:
            assert np.allclose(array, arrays_of(apart)[field], rtol=1e-3, atol=1e-5), field


@pytest.mark.parametrize(("model", "name"), CASES)
def test_passes_are_those_promised_or_fewer(model: str, name: str) -> None:
    work = planned(model, name)
    reports: list[tuple[int, int]] = []
    with counted(work.model.module) as count:
        found = work.run(progress=lambda done, total: reports.append((done, total)))
    used = found.outcome["passes"]
    assert used == {"forward": count.forward, "backward": count.backward}
    assert count.forward <= work.cost.forward
    assert count.backward <= work.cost.backward
    done = [one for one, _ in reports]
    steps = work.measure.steps(work.rows, work.parameters)
    assert done == sorted(done)
    assert done[-1] == count.forward + count.backward + steps
    assert {total for _, total in reports} == {work.cost.total + steps}


@pytest.mark.parametrize(("model", "name"), CASES)
def test_it_can_be_cancelled_before_and_on_the_way(model: str, name: str) -> None:
    cancel = threading.Event()
    work = in_chunks_of(7, planned(model, name))
    whole = work.cost.total + work.measure.steps(work.rows, work.parameters)

    def progress(done: int, total: int) -> None:
        if done >= whole // 4:
            cancel.set()

    with pytest.raises(Cancelled):
        work.run(progress, cancel)
    cancel.set()
    with counted(work.model.module) as count, pytest.raises(Cancelled):
        work.run(cancel=cancel)
    assert count.forward == 0


@pytest.mark.parametrize(("model", "name"), CASES)
def test_manifest_is_complete_and_survives_a_file(model: str, name: str, tmp_path: Path) -> None:
    work = planned(model, name, seed=3)
    found = work.run()
    manifest, spec = found.manifest, work.model.table_spec
    request, display, outcome = manifest["request"], manifest["display"], manifest["outcome"]
    assert manifest["key"] == work.key == found.key
    assert request["kind"] == found.kind == work.measure.result.kind
    assert request["model"]["digest"] == work.model.digest
    assert request["table"] == work.table.digest
    assert request["measure"]["name"] == name
    assert request["measure"]["parameters"] == work.parameters
    assert set(work.parameters) == {p.name for p in work.measure.parameters}
    assert request["seed"] == 3
    assert set(work.measure.packages) <= set(request["versions"])
    assert found.columns == spec.names
    assert found.titles == spec.titles
    assert display["unit"]
    assert outcome["rows"] == len(work.rows)
    assert outcome["of"] == 60
    assert outcome["seconds"] > 0
    assert json.loads(json.dumps(manifest, allow_nan=False)) == manifest
    again = load_result(found.save(tmp_path / "found.safetensors"))
    assert type(again) is type(found)
    assert again.manifest == manifest
    for field, array in arrays_of(found).items():
        back = getattr(again, field)
        assert (array is None) == (back is None), field
        if array is not None:
            assert back.dtype == array.dtype
            assert np.array_equal(back, array, equal_nan=True), field


@pytest.mark.parametrize("name", measures())
def test_shapes_are_those_of_the_contract(name: str) -> None:
    found = planned("one-logit", name).run()
    columns = len(found.columns)
    shapes = {field: a.shape for field, a in arrays_of(found).items() if a is not None}
    kinds = {
        "column-scores": {"values": (columns,), "error": (columns,)},
        "surrogate": {"values": (columns,)},
        "groups": {"correlation": (columns, columns), "group": (columns,)},
    }
    for field, shape in kinds.get(found.kind, {}).items():
        assert shapes[field] == shape
    if found.kind == "effects":
        assert shapes["grid"] == shapes["values"] == shapes["error"]
    if found.kind == "swarm":
        assert shapes["values"] == shapes["inputs"] == (4, columns)
    if found.kind == "agreement":
        count = len(found.manifest["display"]["measures"])
        assert shapes == {"matrix": (count, count), "values": (count, columns)}


@pytest.mark.parametrize("name", measures())
@pytest.mark.parametrize(
    "spoil",
    [
        lambda frame: frame.drop(columns="age"),
        lambda frame: frame.assign(age="old"),
        lambda frame: frame.assign(kind="purple"),
    ],
)
def test_bad_columns_give_one_line(name: str, spoil: Callable[[Any], Any]) -> None:
    table = load_table(spoil(nets.mixed_table(60).frame), name="spoilt")
    column = {"column": "size"} if measures()[name].takes_column else {}
    with pytest.raises(InputError) as told:
        plan_measure(nets.mixed_net(), table, name, **column)
    assert "\n" not in str(told.value)
    assert "age" in str(told.value) or "purple" in str(told.value)


@pytest.mark.parametrize("name", measures())
def test_categories_and_empty_cells_of_a_model_that_takes_them(name: str) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    frame = nets.mixed_table(60).frame
    frame.loc[3:9, "age"] = np.nan
    fitted = HistGradientBoostingClassifier(max_iter=3)
    fitted.fit(frame[["size", "weight", "age"]], frame["label"])
    column = {"column": "age"} if measures()[name].takes_column else {}
    table = load_table(frame, name="holes")
    from engine.models.learning_columns import learn_columns
    from engine.models.loading import load_model

    spec = learn_columns(load_table(frame.drop(columns="kind")), "label")
    model = load_model(fitted, input_spec=spec, device="cpu")
    given = {**CHEAP.get(name, {}), **column}
    found = plan_measure(model, table, name, label="label", **given).run()
    for field, array in arrays_of(found).items():
        if array is not None and field not in ("inputs", "density"):
            assert np.isfinite(array).all(), field


@pytest.mark.parametrize("name", measures())
def test_constant_columns_and_models_are_no_trouble(name: str) -> None:
    model = nets.linear([0.0, 0.0], bias=1.0)
    y = np.arange(30.0)
    table = nets.table_of(x0=np.ones(30), x1=np.ones(30), y=y)
    column = {"column": "x0"} if measures()[name].takes_column else {}
    given = {**CHEAP.get(name, {}), **column}
    found = plan_measure(model, table, name, **given).run()
    for array in arrays_of(found).values():
        assert array is None or np.isfinite(array).all()
    json.dumps(found.manifest, allow_nan=False)


def test_every_measure_says_all_about_itself() -> None:
    assert set(measures()) >= {"permutation", "partial-dependence", "swarm", "groups"}
    for name, measure in measures().items():
        assert name == measure.name
        assert measure.title
        assert measure.summary.endswith(".")
        assert measure.caveat.endswith(".")
        assert paper(measure.paper).year
        assert measure.unit
        for parameter in measure.parameters:
            assert parameter.check(parameter.default) == parameter.default
        assert type(measure).__doc__


def test_steps_have_names() -> None:
    told = {name: m.steps_told for name, m in measures().items() if m.steps_told != "steps"}
    assert told == {
        "quick-selection": "training steps",
        "outrank": "columns",
        "groups": "pairs of columns",
    }


@pytest.mark.parametrize("name", measures())
def test_wrong_parameters_are_told(name: str) -> None:
    with pytest.raises(HaloscopeError, match="has no parameter 'nonsense'"):
        planned("one-logit", name, nonsense=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", measures())
def test_a_hundred_thousand_rows_are_sampled(name: str) -> None:
    table, most = nets.mixed_table(100_000), measures()[name].most_rows
    column = {"column": "size"} if measures()[name].takes_column else {}
    work = plan_measure(nets.mixed_net(), table, name, **column)
    few = plan_measure(nets.mixed_net(), nets.mixed_table(most), name, **column)
    assert work.cost == few.cost
    steps = [one.measure.steps(one.rows, one.parameters) for one in (work, few)]
    assert steps[0] == steps[1]
    found = work.run()
    assert found.outcome["of"] == 100_000
    assert found.outcome["rows"] == most
    assert found.outcome["passes"]["forward"] <= few.cost.forward
