"""What ``columns.json`` says of a table: its columns as they were in the training rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

_SCHOOLING = (
    "Preschool", "1st-4th", "5th-6th", "7th-8th", "9th", "10th", "11th", "12th", "HS-grad",
    "Some-college", "Assoc-voc", "Assoc-acdm", "Bachelors", "Masters", "Prof-school", "Doctorate",
)  # fmt: skip
# What people call a column, where its name does not say it already; and its unit.
_TOLD = {
    "age_under_21": ("Younger than 21", ""),
    "race_african_american": ("African-American", ""),
    "priors_any": ("Any prior offence", ""),
    "juvenile_any": ("Any juvenile offence", ""),
    "charge_felony": ("Charged with a felony", ""),
    "age": ("Age", "years"),
    "workclass": ("Work class", ""),
    "capital-gain": ("Capital gain", "$"),
    "capital-loss": ("Capital loss", "$"),
    "hours-per-week": ("Hours per week", "h"),
    "native-country": ("Country of birth", ""),
    "sex (number)": ("Sex (1 or 2)", ""),
    "bmi": ("Body mass index", "kg/m²"),
    "bp": ("Blood pressure", ""),
    "s1": ("Total cholesterol", ""),
    "s2": ("LDL", ""),
    "s3": ("HDL", ""),
    "s4": ("Total cholesterol / HDL", ""),
    "s5": ("Log of triglycerides", ""),
    "s6": ("Blood sugar", ""),
}


def described(
    rows: pd.DataFrame, held_out: pd.DataFrame, labels: Sequence[str], *, scaled: bool = True
) -> dict[str, Any]:
    """Return what ``TableSpec.from_dict`` takes.

    Args:
        rows: the training rows, label last.
        held_out: the others; they say no more than whether a column holds fractions.
        labels: the negative outcome, then the positive one; empty for a regression.
        scaled: whether numbers are standardised; else they are taken as they are.
    """
    label = str(rows.columns[-1])
    told: dict[str, Any] = {"label": label}
    if labels:
        told["labels"] = list(labels)
    told["task"] = "classification" if labels else "regression"
    told["columns"] = [_column(rows[name], held_out[name], scaled) for name in rows.columns[:-1]]
    return told


def as_text(told: dict[str, Any]) -> str:
    """Return it as JSON, one column a line."""
    columns = ",\n".join(
        f"  {json.dumps(column, ensure_ascii=False)}" for column in told["columns"]
    )
    head = [f' "{key}": {json.dumps(value)}' for key, value in told.items() if key != "columns"]
    return "{\n" + ",\n".join([*head, f' "columns": [\n{columns}\n ]']) + "\n}\n"


def _column(cells: pd.Series, others: pd.Series, scaled: bool) -> dict[str, Any]:
    name = str(cells.name)
    number = cells.dtype.kind in "if"
    title, unit = _TOLD.get(f"{name} (number)" if name == "sex" and number else name, ("", ""))
    found = _number(cells.to_numpy(), _whole(cells, others), scaled) if number else _category(cells)
    told = {"name": name, **found, "title": title or _sentence(name)}
    return told | ({"unit": unit} if unit else {})


def _whole(*parts: pd.Series) -> bool:
    return all(bool((part % 1 == 0).all()) for part in parts)


def _number(values: np.ndarray, whole: bool, scaled: bool) -> dict[str, Any]:
    low, high = float(values.min()), float(values.max())
    return {
        "kind": "number",
        "mean": _short(values.mean()) if scaled else 0,
        "std": _short(values.std()) if scaled else 1,
        "low": int(low) if low.is_integer() else low,
        "high": int(high) if high.is_integer() else high,
        "whole": whole,
    }


def _category(cells: pd.Series) -> dict[str, Any]:
    known = set(cells)
    ordered = known <= set(_SCHOOLING)
    names = [name for name in _SCHOOLING if name in known] if ordered else sorted(known)
    shares = cells.value_counts(normalize=True)
    return {
        "kind": "category",
        "categories": names,
        "shares": [_short(shares[name]) for name in names],
    }


def _short(value: float) -> float:
    """Six digits: what is written is what the network is trained with."""
    return float(f"{value:.6g}")


def _sentence(name: str) -> str:
    return name.replace("-", " ").replace("_", " ").capitalize()
