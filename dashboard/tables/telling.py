"""What a model says of a row, in words."""

from __future__ import annotations

import pandas as pd

from components.predictions import percent
from engine.errors import HaloscopeError
from engine.inputs.tables import Row, Table
from engine.models.labels import truth_of
from engine.models.loaded import LoadedModel
from engine.results import Prediction
from engine.tables.outcomes import outcome_names


def said(model: LoadedModel, prediction: Prediction, target: int = 0) -> str:
    """Say a prediction: "93 % malignant", "83 % “earns over 50K”", "disease progression 208"."""
    name, told = model.classes[target], number(model, prediction, target)
    if model.activation == "identity":
        return f"{name} {told}"
    return f"{told} {name}" if name.isalpha() else f"{told} “{name}”"


def number(model: LoadedModel, prediction: Prediction, target: int = 0) -> str:
    """Say its number alone: "93 %", "208"."""
    return percent_or_value(model, float(prediction.probabilities[target]))


def percent_or_value(model: LoadedModel, value: float) -> str:
    """Say a probability as a percentage, and the value of a regression as it is."""
    return f"{value:.4g}" if model.activation == "identity" else percent(value)


def truth(row: Row, model: LoadedModel, label: str | None) -> str:
    """Return what the label's column says of a row, in the words of the model's outcomes, or ""."""
    if label is None or row.values.get(label) is None:
        return ""
    told = str(row.values[label])
    if model.activation == "identity":
        return told
    alone = Table(pd.DataFrame([dict(row.values)]), row.name)
    try:
        found = truth_of(alone, model.table_spec, label)
    except HaloscopeError:
        return told
    return told if found is None else outcome_names(model)[int(found[0])]
