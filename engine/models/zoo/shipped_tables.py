"""The networks for tables trained for Haloscope: weights and columns lie in ``assets/models``."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from torch import nn

from engine.models.table_specs import TableSpec
from engine.models.weights import put_weights, read_weights
from engine.models.zoo.table_nets import TableLogistic, TableMLP

# Widths of the hidden layers; a network without any is a logistic regression.
HIDDEN: dict[str, tuple[int, ...]] = {
    "compas-logistic": (),
    "compas-mlp": (16, 8),
    "cancer-mlp": (16, 8),
    "diabetes-mlp": (16, 8),
    "adult-mlp": (64, 32),
}
ARRESTED = ("arrested again within two years",)

Built = tuple[nn.Module, TableSpec, tuple[str, ...]]


def compas_logistic() -> Built:
    """Return network, input spec and class names."""
    return _built("compas-logistic", ARRESTED)


def compas_mlp() -> Built:
    """Return network, input spec and class names."""
    return _built("compas-mlp", ARRESTED)


def cancer_mlp() -> Built:
    """Return network, input spec and class names."""
    return _built("cancer-mlp", ("malignant",))


def diabetes_mlp() -> Built:
    """Return network, input spec and the name of its output."""
    return _built("diabetes-mlp", ("disease progression",))


def adult_mlp() -> Built:
    """Return network, input spec and class names."""
    return _built("adult-mlp", ("earns over 50K",))


def fresh(name: str, features: int) -> nn.Module:
    """Return a network of one of the names in ``HIDDEN``, untrained."""
    hidden = HIDDEN[name]
    return TableMLP(features, hidden) if hidden else TableLogistic(features)


def _built(name: str, classes: tuple[str, ...]) -> Built:
    folder = Path(str(files("assets").joinpath(f"models/{name}")))
    spec = TableSpec.from_dict(json.loads((folder / "columns.json").read_text("utf-8")))
    module = fresh(name, spec.shape[0])
    path = folder / "weights.safetensors"
    put_weights(module, read_weights(path), path.name)
    return module, spec, classes
