from __future__ import annotations

from typing import Any

import pytest

from engine.errors import ParameterError
from engine.parameters import Parameter, check_all
from tests.engine.refusals import expect_refusal

STEPS = Parameter("steps", "Steps", "int", 50, "How many.", low=2, high=100)
NOISE = Parameter("noise", "Noise", "float", 0.1, "How much.", low=0)
FILL = Parameter("fill", "Fill", "choice", "mean", "Which.", choices=("mean", "black"))
SQUARE = Parameter("square", "Square", "flag", False, "Whether.")


@pytest.mark.parametrize(
    ("parameter", "given", "value"),
    [
        (STEPS, 2, 2),
        (STEPS, "100", 100),
        (STEPS, 7.0, 7),
        (STEPS, "1e2", 100),
        (NOISE, 0, 0.0),
        (NOISE, "0.25", 0.25),
        (FILL, "black", "black"),
        (SQUARE, True, True),
        (SQUARE, "No", False),
        (SQUARE, "1", True),
        (SQUARE, 0, False),
    ],
)
def test_read(parameter: Parameter, given: Any, value: Any) -> None:
    found = parameter.check(given)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("given", [7.5, "7.5", "many", None, True, [7], float("nan"), float("inf")])
def test_no_whole_number(given: Any) -> None:
    with expect_refusal(ParameterError, "steps=", "expected a whole number"):
        STEPS.check(given)


@pytest.mark.parametrize("given", ["much", None, False])
def test_no_number(given: Any) -> None:
    with expect_refusal(ParameterError, "noise=", "expected a number"):
        NOISE.check(given)


@pytest.mark.parametrize("given", [1, 101, "-5"])
def test_out_of_range(given: Any) -> None:
    with expect_refusal(ParameterError, f"steps={given} is out of range: from 2 to 100"):
        STEPS.check(given)


@pytest.mark.parametrize("given", [-0.5, "-1e-9", float("nan")])
def test_out_of_a_range_with_one_end(given: Any) -> None:
    with expect_refusal(ParameterError, f"noise={given} is out of range"):
        NOISE.check(given)


@pytest.mark.parametrize("given", ["blakc", None, 3, ["mean"]])
def test_none_of_the_choices(given: Any) -> None:
    with expect_refusal(ParameterError, f"fill={given!r} is no choice"):
        FILL.check(given)


@pytest.mark.parametrize("given", ["maybe", None, 2])
def test_neither_true_nor_false(given: Any) -> None:
    with expect_refusal(ParameterError, "square=", "expected true or false"):
        SQUARE.check(given)


def test_all_get_a_value() -> None:
    found = check_all({"steps": "7"}, (STEPS, NOISE, FILL, SQUARE), "method")
    assert found == {"steps": 7, "noise": 0.1, "fill": "mean", "square": False}


def test_unknown_parameter() -> None:
    with expect_refusal(ParameterError, "grad has no parameter 'stepps'", "did you mean steps?"):
        check_all({"stepps": 7}, (STEPS, FILL), "grad")
    with expect_refusal(ParameterError, "grad has no parameter 'steps'; it takes none"):
        check_all({"steps": 7}, (), "grad")
