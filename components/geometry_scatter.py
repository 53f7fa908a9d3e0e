"""Pictures of one class at the classifier, and where they go in another network."""

from __future__ import annotations

from typing import Literal

import numpy as np
import plotly.graph_objects as go

from components import frames, picking, prune_made_up, saying
from components.geometry_names import RIGHT, TITLES, WRONG, Measure, of_class, picture, said, values
from components.tokens import BAR_OTHER
from engine.prune_results import Geometry

_HEIGHT = 380
Upward = Literal["norm", "margin"]
Place = tuple[int, int]


def figure(
    found: Geometry,
    of: int,
    at: Place,
    *,
    to: Place | None = None,
    upward: Upward = "norm",
    chosen: int | None = None,
) -> go.Figure:
    """Draw a dot for each picture of a class; a click returns the picture's place.

    Args:
        found: the geometry.
        of: place of the class.
        at: places of network and benchmark.
        to: places of those that arrows lead to; or None.
        upward: "norm" or "margin", against the angle.
        chosen: the picture that is looked at, ringed; or None.
    """
    pictures = of_class(found, of)
    drawn = go.Figure()
    if to is not None:
        drawn.add_traces(_arrows(found, pictures, at, to, upward))
    for name, rights in (("named right", True), ("named wrong", False)):
        own = pictures[found.right[at][pictures] == rights]
        drawn.add_trace(_dots(found, own, at, to, upward, name))
    if chosen is not None and chosen in pictures:
        x, y = _points(found, np.array([chosen]), at, upward)
        drawn.add_traces(picking.rings(x.tolist(), y.tolist(), 15))
    frames.finished(drawn, _HEIGHT)
    drawn.update_xaxes(
        title=frames.axis_title(TITLES["angle"]), fixedrange=True, showgrid=True,
        zeroline=False, nticks=7, ticks="",
    )  # fmt: skip
    drawn.update_yaxes(title=frames.axis_title(TITLES[upward]), showgrid=True, nticks=7)
    if upward == "margin":
        line = {"color": BAR_OTHER, "width": 1.2, "dash": "dash"}
        drawn.add_shape(type="line", xref="paper", x0=0, x1=1, y0=0, y1=0, line=line, layer="below")
    frames.legend_above(drawn)
    return drawn


def alt(found: Geometry, of: int, at: Place, *, to: Place | None = None) -> str:
    """Describe the picture for those who cannot see it."""
    pictures = of_class(found, of)
    right = int(found.right[at][pictures].sum())
    begin = (
        f"Angle and norm of {saying.counted(len(pictures), 'picture')} of "
        f"{found.classes[of]} in {_named(found, at)}: {right} named right"
    )
    if to is None:
        return f"{begin}."
    then = int(found.right[to][pictures].sum())
    return f"{begin}; arrows to {_named(found, to)}: {then} named right."


def _named(found: Geometry, at: Place) -> str:
    return f"{found.models[at[0]]} on {found.benchmarks[at[1]]}"


def _points(
    found: Geometry, pictures: np.ndarray, at: Place, upward: Measure
) -> tuple[np.ndarray, np.ndarray]:
    across, up = (values(found, name)[at][pictures] for name in ("angle", upward))
    return across.astype(np.float64).round(3), up.astype(np.float64).round(4)


def _arrows(
    found: Geometry, pictures: np.ndarray, at: Place, to: Place, upward: Upward
) -> list[go.Scatter]:
    """From where pictures are to where they go: those named right then, and those named wrong."""
    right = found.right[to][pictures]
    traces = []
    for own, colour, fate in ((right, BAR_OTHER, "right"), (~right, WRONG, "wrong")):
        if not own.any():
            continue
        first, last = (_points(found, pictures[own], place, upward) for place in (at, to))
        x, y = (_gapped(one, other) for one, other in zip(first, last, strict=True))
        traces.append(
            go.Scatter(
                x=x, y=y, mode="lines+markers", name=f"{fate} then ({int(own.sum())})",
                line={"color": colour, "width": 1.3},
                marker={
                    "symbol": "arrow", "angleref": "previous", "color": colour,
                    "size": [0, 9, 0] * int(own.sum()), "line": {"width": 0},
                },
                opacity=0.75, hoverinfo="skip", connectgaps=False,
            )
        )  # fmt: skip
    return traces


def _gapped(first: np.ndarray, last: np.ndarray) -> list[float | None]:
    return [
        v for one, other in zip(first, last, strict=True) for v in (float(one), float(other), None)
    ]


def _dots(
    found: Geometry, own: np.ndarray, at: Place, to: Place | None, upward: Upward, name: str
) -> go.Scatter:
    right = name == "named right"
    x, y = _points(found, own, at, upward)
    return go.Scatter(
        x=x.tolist(),
        y=y.tolist(),
        mode="markers",
        name=f"{name} ({len(own)})",
        marker={
            "size": 9 if right else 8,
            "symbol": "circle" if right else "x",
            "color": RIGHT if right else WRONG,
            "line": {"width": 0},
        },
        customdata=[[int(place)] for place in own],
        text=[saying.drawn(_told(found, int(place), at, to)) for place in own],
        hovertemplate="%{text}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )


def _told(found: Geometry, place: int, at: Place, to: Place | None) -> str:
    parts = [f"{picture(found, place)}: {_measures(found, place, at)}"]
    if to is not None:
        parts.append(f"then {_measures(found, place, to)}")
    return ", ".join(parts)


def _measures(found: Geometry, place: int, at: Place) -> str:
    named = found.classes[int(found.predicted[at][place])]
    told = ", ".join(
        said(name, float(values(found, name)[at][place])) for name in ("angle", "norm", "margin")
    )
    return f"named {named}, {told}"


def example() -> go.Figure:
    """Pictures of a made-up class, and where they go when most of the network went."""
    return figure(
        prune_made_up.geometry(pictures=200), 2, (0, 0), to=(3, 0), upward="margin", chosen=10
    )
