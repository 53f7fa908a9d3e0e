"""The cells of the table: each method on each network, against its oracle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil, inf, log10
from re import sub
from typing import Any

import numpy as np
import torch

from engine.attribution.explain import plan
from engine.attribution.method import Method
from engine.attribution.registry import methods
from engine.errors import HaloscopeError
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec
from engine.results import Attribution
from tests.engine import zoo
from tests.engine.own_models import oracles
from tests.engine.own_models.oracles import Bare
from tests.engine.own_models.own import Own

TOLERANCE = 1e-4
FLOOR = 1e-6
# Networks with more weights are not run twice where no oracle is.
MANY = 20_000_000
# Machines round differently: what is told leaves this much room.
ROOM = 3


@dataclass(frozen=True)
class Cell:
    """What became of a method on a network.

    Attributes:
        verdict: "works", "refused" or "wrong".
        reason: why it does not work, one line; "" if it does.
        deviation: from the oracle, in shares of the oracle's largest value; None without one.
        in_float64: the deviation is that of the engine in float64, see ``_compared``.
    """

    verdict: str
    reason: str = ""
    deviation: float | None = None
    in_float64: bool = False

    @property
    def bound(self) -> float | None:
        """A power of ten that the deviation stays below on any machine."""
        if self.deviation is None:
            return None
        room = max(self.deviation * ROOM, FLOOR)
        return float(10.0 ** ceil(round(log10(room), 6)))


@dataclass(frozen=True)
class Asked:
    """A network, how it is known to the engine, and a method's parameters."""

    own: Own
    model: LoadedModel
    told: Mapping[str, Any]


Oracle = Callable[[Asked, Bare], np.ndarray]


def settings_of(method: Method, model: LoadedModel) -> dict[str, Any]:
    """Parameters with which a run takes few passes."""
    side = min(model.spec.shape[-2:])
    cheap = {
        "steps": 3,
        "baseline": "black" if isinstance(model.spec, ImageSpec) else "mean",
        "window": side * 5 // 8,
        "stride": side * 3 // 8,
        "masks": 6,
        "grid": 4,
        "samples": 12 if method.name == "lime" else 2,
        "regions": "grid",
        "cells": 2,
    }
    known = {parameter.name for parameter in method.parameters_for(model)}
    return {name: value for name, value in cheap.items() if name in known}


def cells_of(own: Own, model: LoadedModel) -> dict[str, Cell]:
    """Every method on one network."""
    x = zoo.noise(model)
    exact = oracles.bare(model.module, own.read, x)
    return {name: _cell(own, model, method, exact) for name, method in methods().items()}


def _cell(own: Own, model: LoadedModel, method: Method, exact: Bare) -> Cell:
    reason = method.refusal(model)
    if reason is not None:
        return Cell("refused", _of_any(reason, model))
    told = settings_of(method, model)
    x = exact.x.float()
    oracle = _ORACLES.get(method.name)
    try:
        found = plan(model, x, method.name, exact.target, **told).run()
        once = oracle is not None or model.parameter_count > MANY
        again = found if once else plan(model, x, method.name, exact.target, **told).run()
    except HaloscopeError as error:
        return Cell("refused", _of_any(str(error), model))
    problem = _problem(found, again, model)
    if problem:
        return Cell("wrong", problem)
    if oracle is None:
        return Cell("works")
    return _compared(found.values, oracle(Asked(own, model, told), exact), model, method, exact)


def _compared(
    values: np.ndarray, wanted: np.ndarray, model: LoadedModel, method: Method, exact: Bare
) -> Cell:
    """Against the oracle, which is in float64.

    Where the input of a ReLU, or two inputs of a maximum, are as good as equal, float32 falls on
    another side than float64, and the slopes there are others. Then the engine runs in float64.
    """
    deviation = _deviation(values, wanted)
    if deviation <= TOLERANCE:
        return Cell("works", deviation=deviation)
    if _alike(values, wanted):
        double = replace(model, module=exact.module)
        told = settings_of(method, model)
        precise = plan(double, exact.x, method.name, exact.target, **told).run().values
        precisely = _deviation(precise, wanted)
        if precisely <= FLOOR:
            return Cell("works", deviation=precisely, in_float64=True)
    return Cell("wrong", f"off by {deviation:.1e} of the largest value", deviation)


def _alike(values: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether they differ in little: a correlation of 0.99 or more."""
    if values.shape != wanted.shape:
        return False
    return float(np.corrcoef(values.ravel(), wanted.ravel())[0, 1]) > 0.99


def _deviation(values: np.ndarray, wanted: np.ndarray) -> float:
    if wanted.shape != values.shape:
        return inf
    return float(np.abs(values - wanted).max() / np.abs(wanted).max())


def _of_any(reason: str, model: LoadedModel) -> str:
    """The same reason for all models that it is given for."""
    of_its_kind = reason.replace(model.card.title, "it").partition("; it is ")[0]
    return sub(r"its layer \S+", "a layer", of_its_kind).partition("; use ")[0]


def _problem(first: Attribution, second: Attribution, model: LoadedModel) -> str:
    """What an attribution does not keep to, or ""."""
    values = first.values
    grids = values.ndim == 2 and min(values.shape) > 1
    completeness = first.manifest["outcome"].get("completeness")
    checks = {
        "not finite": np.isfinite(values).all(),
        "the same everywhere": np.ptp(values) > 0,
        "not repeatable": values.tobytes() == second.values.tobytes(),
        f"shape {values.shape}": grids or values.shape == tuple(model.spec.shape),
        "told another sum": completeness is None or _sums_up(values, completeness),
    }
    return next((problem for problem, holds in checks.items() if not holds), "")


def _sums_up(values: np.ndarray, told: Mapping[str, float]) -> bool:
    total = values.astype(np.float64).sum()
    room = 1e-4 * np.abs(values).sum()
    gap = told["sum"] - told["difference"]
    return abs(total - told["sum"]) <= room and abs(gap - told["gap"]) <= 1e-6 * (1 + abs(gap))


def _black(own: Own, net: Bare) -> torch.Tensor:
    if own.facts.normalisation is None:
        return torch.zeros_like(net.x)
    mean, std = (torch.tensor(each, dtype=torch.float64) for each in own.facts.normalisation)
    return (-mean / std)[None, :, None, None]


def _integrated_gradients(asked: Asked, net: Bare) -> np.ndarray:
    return oracles.integrated_gradients(net, _black(asked.own, net), asked.told["steps"])


def _grad_cam(asked: Asked, net: Bare) -> np.ndarray:
    layer = asked.own.facts.layer
    found = next(one for one in asked.model.layers if one.name == layer)
    return oracles.grad_cam(net, layer, found.channels_last)


def _rollout(asked: Asked, net: Bare) -> np.ndarray:
    assert asked.own.rollout is not None
    return asked.own.rollout(net.module, net.x)


_ORACLES: dict[str, Oracle] = {
    "gradient": lambda _, net: net.slope,
    "gradient-x-input": lambda _, net: net.slope * net.x[0].numpy(),
    "integrated-gradients": _integrated_gradients,
    "occlusion": lambda at, net: oracles.occlusion(net, at.told["window"], at.told["stride"]),
    "feature-ablation": lambda at, net: oracles.feature_ablation(net, at.told["cells"]),
    "lime": lambda at, net: oracles.lime(net, at.told["samples"], at.told["cells"]),
    "rise": lambda at, net: oracles.rise(net, at.told["masks"], at.told["grid"]),
    "grad-cam": _grad_cam,
    "attention-rollout": _rollout,
}
