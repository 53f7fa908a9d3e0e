"""Each method that hides offers the fills that suit the model, and runs with each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.attribution.explain import explain, plan
from engine.attribution.registry import methods
from engine.errors import MethodError, ParameterError
from engine.evaluation.hiding import hide_top
from engine.masking.fills.registry import FILLS, fills_for
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from tests.engine import zoo
from tests.engine.attention import nets
from tests.engine.counting import counted
from tests.engine.refusals import expect_refusal

CHEAP: dict[str, dict[str, Any]] = {
    "occlusion": {"window": 8, "stride": 8},
    "rise": {"masks": 12},
    "feature-ablation": {"regions": "grid", "cells": 2},
    "lime": {"regions": "grid", "cells": 2, "samples": 12},
}
INSIDE = {"cnn": {"layer-masking"}, "vit": {"token-drop"}}


def small(family: str) -> LoadedModel:
    if family == "cnn":
        return zoo.load("tiny-cnn")
    return load_model(zoo.seeded(nets.Vit), input_spec=zoo.PICTURE, device="cpu")


def choices(method: str, model: LoadedModel) -> tuple[str, ...]:
    declared = {one.name: one for one in methods()[method].parameters_for(model)}
    return declared["fill"].choices


def test_all_that_have_fills_are_here() -> None:
    having = {n for n, m in methods().items() if any(p.name == "fill" for p in m.parameters)}
    assert having == set(CHEAP)


@pytest.mark.parametrize("family", ["cnn", "vit"])
@pytest.mark.parametrize("method", CHEAP)
def test_offers_exactly_what_suits_and_runs_with_each(method: str, family: str) -> None:
    model = small(family)
    offered = choices(method, model)
    assert offered == fills_for(model)
    assert not INSIDE[family].isdisjoint(offered)
    x = zoo.noise(model)
    maps = {}
    for fill in offered:
        work = plan(model, x, method, 0, fill=fill, seed=2, **CHEAP[method])
        with counted(model.module) as count:
            found = work.run()
        assert count.forward <= work.cost.forward
        assert found.manifest["request"]["method"]["parameters"]["fill"] == fill
        assert found.manifest["request"]["seed"] == 2
        assert np.isfinite(found.values).all()
        assert np.abs(found.values).max() > 0
        maps[fill] = found.values.tobytes()
        assert work.run().values.tobytes() == maps[fill]
        assert work.price > 0
    assert len(set(maps.values())) == len(maps)  # no two hide in the same way


@pytest.mark.parametrize("method", CHEAP)
def test_what_does_not_suit_is_refused_with_the_reason(method: str) -> None:
    model = small("cnn")
    x = zoo.noise(model)
    told = {
        "token-drop": "Token drop is for vision transformers",
        "permutation": "the fill 'permutation' is for tables",
        "spark": "SparK hides cells of 32 × 32 pixels",
    }
    for fill, reason in told.items():
        with expect_refusal(MethodError, reason):
            explain(model, x, method, 0, fill=fill, **CHEAP[method])
    with expect_refusal(ParameterError, "fill='blurr' is no choice"):
        explain(model, x, method, 0, fill="blurr", **CHEAP[method])


@pytest.mark.parametrize("method", CHEAP)
def test_seeds_decide_what_fills_draw(method: str) -> None:
    model = small("cnn")
    x = zoo.noise(model)

    def asked(seed: int) -> np.ndarray:
        return explain(model, x, method, 0, fill="noise", seed=seed, **CHEAP[method]).values

    assert not np.array_equal(asked(0), asked(1))
    assert np.array_equal(asked(1), asked(1))


@pytest.mark.parametrize("family", ["cnn", "vit"])
def test_hiding_the_top_with_each(family: str) -> None:
    model = small(family)
    x = zoo.noise(model)
    found = explain(model, x, "gradient", 0)
    for fill in fills_for(model):
        hidden = hide_top(model, x, found, fill=fill, seed=1)
        assert 0 <= hidden.after <= 1
        assert hidden == hide_top(model, x, found, fill=fill, seed=1)
    wrong = "token-drop" if family == "cnn" else "layer-masking"
    with expect_refusal(MethodError, FILLS[wrong].title):
        hide_top(model, x, found, fill=wrong)
