"""All methods beside the criteria: what they say of themselves, and what is refused."""

from __future__ import annotations

import pytest

from engine.bibliography import paper
from engine.errors import InputError, MethodError, ParameterError
from engine.models.loading import load_model
from engine.pruning.finding.groups import find_groups
from engine.pruning.methods.catalogue import (
    find_method,
    plan_method,
    posthoc_methods,
    pruning_methods,
    trained_methods,
)
from tests.engine.pruning.hoc import convs, samples
from tests.engine.zoo import NUMBERS, forest


def test_which_there_are_and_which_of_them_train() -> None:
    assert set(posthoc_methods()) == {"fire-together", "merging", "module-aware", "patterns"}
    assert set(trained_methods()) == {"bottleneck", "jackpots", "mask-sparsity", "prunability"}
    assert {name for name, one in pruning_methods().items() if one.trains} == set(trained_methods())


@pytest.mark.parametrize("name", list(pruning_methods()))
def test_what_a_method_says_of_itself(name: str) -> None:
    method = find_method(name)
    assert method.title and method.summary.endswith(".")
    assert "our definition" in method.caveat or "CUDA" in method.caveat
    assert paper(method.paper).year >= 2021
    names = [one.name for one in method.parameters]
    assert len(set(names)) == len(names)
    defaults = {one.name: one.default for one in method.parameters}
    assert all(one.check(one.default) == one.default for one in method.parameters)
    assert method.cost(10, defaults).total >= 0


def test_names_parameters_and_seeds_that_are_wrong() -> None:
    model = convs()
    groups = find_groups(model)
    with pytest.raises(MethodError, match="did you mean merging"):
        plan_method(model, groups, "mergin")
    with pytest.raises(ParameterError, match="no parameter 'ration'"):
        plan_method(model, groups, "merging", ration=0.5)
    with pytest.raises(ParameterError, match="out of range"):
        plan_method(model, groups, "merging", ratio=1.5)
    with pytest.raises(ParameterError, match="seed"):
        plan_method(model, groups, "merging", seed=0.5)
    with pytest.raises(InputError, match="name an image set"):
        plan_method(model, groups, "patterns", by="wanda")
    assert plan_method(model, groups, "patterns").cost.total == 0


def test_an_estimator_has_nothing_to_prune() -> None:
    model = load_model(forest().estimator, input_spec=NUMBERS, device="cpu")
    for name in pruning_methods():
        with pytest.raises(MethodError, match="no network"):
            plan_method(model, find_groups(convs()), name)


def test_costs_are_told_before() -> None:
    model = convs()
    groups, images = find_groups(model), samples(model, 10)
    assert plan_method(model, groups, "fire-together", images).cost.describe() == (
        "20 forward passes"
    )
    plan = plan_method(model, groups, "bottleneck", images, steps=3, batch=4)
    assert plan.cost.describe() == "22 forward and 12 backward passes"
