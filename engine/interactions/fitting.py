"""Training a model of the same class again: small networks, and estimators."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from engine.errors import ModelError, one_line
from engine.interactions.samples import Samples
from engine.models.estimators import BlackBox
from engine.models.loaded import LoadedModel
from engine.models.rows import Rows

Check = Callable[[], None]

_STEPS = 400
_RATE = 0.02
_DECAY = (0.0, 0.03, 0.3)
# What holds an estimator back, and by how much it is multiplied.
_HOLDS = {
    "C": (1, 0.3, 0.1),
    "alpha": (1, 3, 10),
    "reg_lambda": (1, 3, 10),
    "l2_regularization": (1, 3, 10),
    "min_samples_leaf": (1, 3, 10),
}


def fit_network(
    model: LoadedModel, rows: Rows, *, seed: int, strength: int, check: Check
) -> LoadedModel:
    """Train the network anew from random weights: 400 steps of AdamW over all rows at once.

    Our definition, rates and decay as well.

    Args:
        model: whose architecture; a chain of layers.
        rows: to train on, with their truth.
        seed: of the first weights.
        strength: 0, 1 or 2: weight decay of 0, 0.03 or 0.3.
        check: called before every step; may raise.
    """
    module = deepcopy(model.module)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed % 2**63)
        for part in module.modules():
            if isinstance(part, nn.Linear):
                part.reset_parameters()
    for weight in module.parameters():
        weight.requires_grad_(True)
    fitted = replace(model, module=module, _digest=None)
    weight = next(module.parameters())
    samples = Samples.of(rows).merged()
    x = torch.from_numpy(samples.x).to(weight)
    truth = torch.from_numpy(np.asarray(samples.truth)).to(weight.device)
    shares = torch.from_numpy(samples.weights).to(weight)
    scale = _scale(rows) if model.activation == "identity" else (0.0, 1.0)
    loss = _loss(model.activation, truth, scale)
    optimiser = torch.optim.AdamW(module.parameters(), _RATE, weight_decay=_DECAY[strength])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=_STEPS)
    for _ in range(_STEPS):
        check()
        optimiser.zero_grad()
        (loss(module(x)) @ shares).backward()
        optimiser.step()
        schedule.step()
    if model.activation == "identity":
        _fold(module, *scale)
    module.eval().requires_grad_(False)
    return fitted


def _loss(
    activation: str, truth: torch.Tensor, scale: tuple[float, float]
) -> Callable[[torch.Tensor], torch.Tensor]:
    if activation == "softmax":
        return lambda logits: F.cross_entropy(logits, truth.long(), reduction="none")
    if activation == "sigmoid":
        return lambda logits: F.binary_cross_entropy_with_logits(
            logits[:, 0], truth.to(logits), reduction="none"
        )
    mean, spread = scale
    return lambda values: (values[:, 0] - ((truth - mean) / spread).to(values)) ** 2


def _scale(rows: Rows) -> tuple[float, float]:
    truth = np.asarray(rows.truth, np.float64)
    return float(truth.mean()), float(truth.std()) or 1.0


def _fold(module: nn.Module, mean: float, spread: float) -> None:
    """Turn a network that was trained on standardised values into one of the values themselves."""
    last = [part for part in module.modules() if isinstance(part, nn.Linear)][-1]
    with torch.no_grad():
        last.weight *= spread
        if last.bias is not None:
            last.bias.mul_(spread).add_(mean)


def fit_estimator(
    model: LoadedModel, rows: Rows, *, seed: int, strength: int, check: Check
) -> LoadedModel:
    """Clone the estimator and fit it; arguments as in ``fit_network``.

    Where it has one, ``random_state`` is the seed; what holds it back (C, alpha,
    min_samples_leaf …) is multiplied with growing strength.

    Raises:
        ModelError: it cannot be fitted on these rows.
    """
    from sklearn.base import clone

    check()
    box: Any = model.module
    estimator = clone(box.estimator)
    known = estimator.get_params(deep=False)
    changed: dict[str, Any] = {"random_state": seed % 2**32} if "random_state" in known else {}
    for name, factors in _HOLDS.items():
        value = known.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value:
            changed[name] = type(value)(value * factors[strength])
    estimator.set_params(**changed)
    truth = np.asarray(rows.truth)
    wanted = truth if model.activation == "identity" else box.estimator.classes_[truth]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it did not reach, its loss tells
            estimator.fit(box.rows(rows.features), wanted)
    except Exception as error:  # the estimator is the user's own
        told = f"{type(estimator).__name__} could not be fitted again: {one_line(error)}"
        raise ModelError(told) from None
    return replace(model, module=BlackBox(estimator, box.spec), _digest=None)
