"""What is asked for: targets, outputs, rows, labels, and what cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import InputError, MethodError, ModelError, ParameterError, TargetError
from engine.inputs.tables import load_table
from engine.tables.measuring import measure, plan_measure
from engine.tables.registry import find_measure
from tests.engine import zoo
from tests.engine.tables import nets


def asked(outputs: int, **given: object):
    return plan_measure(
        nets.mixed_net(outputs), nets.mixed_table(), "partial-dependence", column="size", **given
    )


@pytest.mark.parametrize(("outputs", "index"), [(1, 0), (2, 1), (3, 0)])
def test_the_default_target_is_said(outputs: int, index: int) -> None:
    planned = asked(outputs)
    name = planned.model.classes[index]
    assert planned.request["target"] == {"index": index, "name": name}
    display = planned.run().manifest["display"]
    assert display["target_by_default"] is True
    assert display["number"] == f"probability of {name}"
    named = asked(outputs, target=name)
    assert named.key == planned.key
    assert named.run().manifest["display"]["target_by_default"] is False


def test_unknown_targets_and_outputs() -> None:
    with pytest.raises(TargetError, match="no class 'maybe'"):
        asked(2, target="maybe")
    with pytest.raises(ModelError, match="no output 'chance'"):
        asked(2, output="chance")
    with pytest.raises(TargetError, match="a regression has no probability"):
        plan_measure(
            nets.linear([1, 1]), nets.normal_table(9, 2), "partial-dependence",
            column="x0", output="probability",
        )  # fmt: skip
    with pytest.raises(MethodError, match="takes no target"):
        plan_measure(nets.mixed_net(), nets.mixed_table(), "permutation", target=0)


def test_of_a_regression_the_value_is_explained() -> None:
    planned = plan_measure(
        nets.linear([1, 1]), nets.normal_table(20, 2), "partial-dependence", column="x0"
    )
    assert planned.request["output"] == "logit"
    assert planned.run().manifest["display"]["unit"] == "mean value"


def test_large_tables_are_sampled_by_the_seed() -> None:
    model, table = nets.mixed_net(), nets.mixed_table(300)
    first, again, other = (
        plan_measure(model, table, "swarm", rows=20, seed=seed) for seed in (1, 1, 2)
    )
    assert len(first.rows) == 20
    assert first.rows.of == 300
    assert first.rows.numbers.tolist() == again.rows.numbers.tolist()
    assert first.rows.numbers.tolist() != other.rows.numbers.tolist()
    assert len({first.key, again.key, other.key}) == 2
    sizes = table.frame["size"].to_numpy()[first.rows.numbers - 1]
    assert np.array_equal(first.rows.cells[:, 0], sizes)


def test_more_rows_than_there_are_is_all_of_them() -> None:
    model, table = nets.mixed_net(), nets.mixed_table(50)
    keys = {plan_measure(model, table, "permutation", rows=n).key for n in (None, 50, 5000)}
    assert len(keys) == 1


def test_what_decides_the_numbers_decides_the_key() -> None:
    table = nets.mixed_table()
    changed = nets.table_of(**table.frame.assign(age=table.frame["age"] + 1))
    other_net = nets.mixed_net(table=nets.mixed_table(60, seed=3))
    plans = [
        plan_measure(nets.mixed_net(), table, "permutation"),
        plan_measure(nets.mixed_net(), table, "permutation", repeats=4),
        plan_measure(nets.mixed_net(), table, "permutation", seed=1),
        plan_measure(nets.mixed_net(), table, "permutation", rows=50),
        plan_measure(nets.mixed_net(), changed, "permutation"),
        plan_measure(other_net, table, "permutation"),
        asked(1),
        asked(1, output="logit"),
        plan_measure(nets.mixed_net(), table, "partial-dependence", column="age"),
    ]
    assert len({plan.key for plan in plans}) == len(plans)
    assert plan_measure(nets.mixed_net(), table, "permutation").key == plans[0].key


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({"rows": 1}, ParameterError, "takes from 2 up"),
        ({"rows": 2.5}, ParameterError, "expected a whole number"),
        ({"seed": "x"}, ParameterError, "expected a whole number"),
        ({"label": "truth"}, InputError, "no column 'truth'; there are|did you mean"),
        ({"repeats": 1}, ParameterError, "from 2 to 100"),
    ],
)
def test_mistakes_get_one_line(given: dict, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told) as raised:
        plan_measure(nets.mixed_net(), nets.mixed_table(), "permutation", **given)
    assert "\n" not in str(raised.value)


def test_unknown_measures_and_missing_models() -> None:
    with pytest.raises(MethodError, match="did you mean permutation"):
        find_measure("permutatoin")
    with pytest.raises(MethodError, match="Permutation importance asks a model; name one"):
        measure(None, nets.mixed_table(), "permutation")
    with pytest.raises(ModelError, match="not tables"):
        measure(zoo.load("tiny-cnn"), nets.mixed_table(), "permutation")


def test_too_few_rows() -> None:
    table = nets.mixed_table(40)
    with pytest.raises(InputError, match="1 usable row; Permutation importance needs 2"):
        plan_measure(nets.mixed_net(), table.part([0]), "permutation")
    with pytest.raises(InputError, match="8 usable rows; Surrogate tree needs 12"):
        plan_measure(nets.mixed_net(), table.part(range(8)), "surrogate")


def test_notes_of_the_table_are_told() -> None:
    frame = nets.mixed_table(30).frame.rename(columns={"age": "AGE"})
    found = measure(nets.mixed_net(), load_table(frame), "outrank")
    assert "“AGE” is read as “age”" in found.manifest["source"]["table_notes"]
