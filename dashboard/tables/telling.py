"""What a model says of a row, in words."""

from __future__ import annotations

from components.predictions import percent
from engine.inputs.tables import Row
from engine.models.loaded import LoadedModel
from engine.models.table_specs import TableSpec
from engine.results import Prediction


def said(model: LoadedModel, prediction: Prediction, target: int = 0) -> str:
    """Say a prediction: "93 % malignant", "208 disease progression"."""
    return f"{number(model, prediction, target)} {model.classes[target]}"


def number(model: LoadedModel, prediction: Prediction, target: int = 0) -> str:
    """Say its number alone: "93 %", "208"."""
    return percent_or_value(model, float(prediction.probabilities[target]))


def percent_or_value(model: LoadedModel, value: float) -> str:
    """Say a probability as a percentage, and the value of a regression as it is."""
    return f"{value:.4g}" if model.activation == "identity" else percent(value)


def truth(row: Row, spec: TableSpec, label: str | None) -> str:
    """Return what the label's column says of a row, or ""."""
    if label is None or row.values.get(label) is None:
        return ""
    return str(row.values[label])
