"""The dots of a beeswarm: those of a column, and those of the row that is looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from components import fitting, ranks, saying
from components.facts import Facts
from components.tokens import BAR_OTHER, VALUES, colours
from engine.table_results import Swarm

SMALL, LARGE = 5, 8
_HOVER = 160.0
_RINGS = (("#111318", 4.5), ("#FFFFFF", 2))  # light within dark: seen on every colour


def band(swarm: Swarm, told: Facts, column: int, x: np.ndarray, y: np.ndarray) -> list[go.Scatter]:
    """Return the dots of a column: those with a value, coloured by it, and those without.

    Args:
        swarm: the explanations.
        told: how to speak of them.
        column: place of the column.
        x, y: of each row's dot, ``(rows,)``.
    """
    inputs = swarm.inputs[:, column].astype(np.float64)
    there = np.isfinite(inputs)
    colour = np.rint(255 * shades(inputs, told, column)[there]).astype(np.uint8)
    dots: list[tuple[np.ndarray, dict[str, Any]]] = []
    if there.any():
        dots.append((there, {"color": colour, "coloraxis": "coloraxis"}))
    if not there.all():
        dots.append((~there, {"color": BAR_OTHER}))
    names = {value: _name(told, column, value) for value in np.unique(inputs[there])}
    return [
        go.Scatter(
            x=x[which].astype(np.float32),
            y=y[which].astype(np.float32),
            mode="markers",
            marker={"size": SMALL, "opacity": 0.8, "line": {"width": 0}, **marker},
            customdata=_small(swarm.rows[which]),
            text=[names.get(value, "empty") for value in inputs[which]],
            meta=saying.drawn(told.titles[column]),
            hovertemplate=f"row %{{customdata}}<br>%{{meta}} = %{{text}}: {_value(told)}",
            selected={"marker": {"opacity": 0.8}},
            unselected={"marker": {"opacity": 0.8}},
        )
        for which, marker in dots
    ]


def chosen(
    swarm: Swarm, told: Facts, order: np.ndarray, row: int | None, x: np.ndarray, y: np.ndarray
) -> list[go.Scatter]:
    """Return the dots of one row, larger and ringed; none if it is not in the swarm.

    Args:
        swarm: the explanations.
        told: how to speak of them.
        order: places of the columns shown, ``(bands,)``.
        row: its number, or None.
        x, y: of all dots, ``(rows, bands)``.
    """
    places = [] if row is None else np.flatnonzero(swarm.rows == row)[:1].tolist()
    if not places:
        return []
    place = places[0]
    at = {
        "x": x[place],
        "y": y[place],
        "mode": "markers",
        "customdata": np.full(len(order), swarm.rows[place]),
    }
    rings = [
        go.Scatter(
            **at,
            marker={"size": 13, "symbol": "circle-open", "color": colour, "line": {"width": wide}},
            hoverinfo="skip",
        )
        for colour, wide in _RINGS
    ]
    own = [float(swarm.inputs[place, column]) for column in order]
    dots = go.Scatter(
        **at,
        marker={"size": LARGE, "color": _shown(swarm, told, order, place), "line": {"width": 0}},
        text=[
            f"{saying.drawn(told.titles[column])} = {_name(told, column, value)}"
            for column, value in zip(order, own, strict=True)
        ],
        hovertemplate=f"this row, %{{customdata}}<br>%{{text}}: {_value(told)}",
    )
    return [*rings, dots]


def shades(inputs: np.ndarray, told: Facts, column: int) -> np.ndarray:
    """Return where values lie between low and high, 0 … 1: by rank; categories by place."""
    names = told.categories.get(told.columns[column])
    if names is None:
        return ranks.places(inputs)
    return inputs / max(1, len(names) - 1)


def _shown(swarm: Swarm, told: Facts, order: np.ndarray, place: int) -> list[str]:
    """Return the colours of one row's dots."""
    found = [
        float(shades(swarm.inputs[:, column].astype(np.float64), told, int(column))[place])
        for column in order
    ]
    codes = colours(np.array(found), VALUES).tolist()
    return [
        f"rgb({r},{g},{b})" if np.isfinite(shade) else BAR_OTHER
        for shade, (r, g, b) in zip(found, codes, strict=True)
    ]


def _name(told: Facts, column: int, value: float) -> str:
    return saying.drawn(fitting.fitted(told.cell(int(column), float(value)), _HOVER))


def _value(told: Facts) -> str:
    points = told.kind == "probability"
    form, unit = ("+.1f", " points") if points else ("+.3~g", "")
    return f"%{{x:{form}}}{unit}<extra></extra>"


def _small(rows: np.ndarray) -> np.ndarray:
    """Row numbers in as few bytes as they need."""
    return rows.astype(np.int16 if rows.max(initial=0) < 2**15 else np.int32)
