"""How each picture of a class fares from network to network: parallel coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from components import fitting, frames, prune_made_up, saying
from components.geometry_names import (
    MEASURES,
    RIGHT,
    WRONG,
    Measure,
    of_class,
    picture,
    said,
    values,
)
from components.tokens import ACCENT, BAR_OTHER
from engine.prune_results import Geometry

_HIGH, _APART, _LABEL = 130, 26, 92.0  # pixels
_KEY = 44  # what the colours mean, in two lines where the chart is narrow


def figure(
    found: Geometry,
    of: int,
    benchmark: int = 0,
    *,
    measures: Sequence[Measure] = MEASURES,
    chosen: int | None = None,
) -> go.Figure:
    """Draw a line for each picture over all networks; a click returns the picture's place.

    Args:
        found: the geometry.
        of: place of the class.
        benchmark: place of the benchmark.
        measures: one row of lines for each.
        chosen: the picture that is looked at, drawn thick; or None.
    """
    pictures = of_class(found, of)
    drawn = go.Figure()
    for row, measure in enumerate(measures):
        heights = _heights(values(found, measure)[:, benchmark, pictures].astype(np.float64))
        drawn.add_traces(_lines(found, pictures, benchmark, heights - row * _step()))
        drawn.add_trace(_dots(found, pictures, benchmark, measure, heights - row * _step()))
        if chosen is not None and chosen in pictures:
            own = heights[:, pictures == chosen][:, 0] - row * _step()
            drawn.add_trace(_line([own], ACCENT, 3, 1))
    for name, colour in (("named right by all", RIGHT), ("named wrong by some", WRONG)):
        key = {"color": colour, "width": 2.4}  # the lines themselves are pale
        drawn.add_scatter(x=[None], y=[None], mode="lines", name=name, line=key)
    _axes(drawn, found, pictures, benchmark, measures)
    return drawn


def alt(found: Geometry, of: int, benchmark: int = 0) -> str:
    """Describe the lines for those who cannot see them."""
    pictures = of_class(found, of)
    count = found.right[:, benchmark][:, pictures].sum(axis=-1)
    told = [f"{name} {int(right)}" for name, right in zip(found.models, count, strict=True)]
    return (
        f"Measures of {saying.counted(len(pictures), 'picture')} of {found.classes[of]} over "
        f"networks, on {found.benchmarks[benchmark]}; named right: {', '.join(told)}."
    )


def _step() -> float:
    """How far rows are apart, in heights of a row."""
    return 1 + _APART / _HIGH


def _ends(given: np.ndarray) -> tuple[float, float]:
    there = given[np.isfinite(given)]
    low, high = (float(there.min()), float(there.max())) if len(there) else (0.0, 1.0)
    return low, high if high > low else low + 1


def _heights(given: np.ndarray) -> np.ndarray:
    """Return places between the ends of a row, 0 … 1, ``(models, pictures)``."""
    low, high = _ends(given)
    return (given - low) / (high - low)


def _lines(
    found: Geometry, pictures: np.ndarray, benchmark: int, heights: np.ndarray
) -> list[go.Scatter]:
    """Lines of pictures that stay right, and of those that are lost somewhere."""
    right = found.right[:, benchmark][:, pictures].all(axis=0)
    return [
        _line(heights[:, which].T, colour, 1.2, 0.55)
        for which, colour in ((right, RIGHT), (~right, WRONG))
    ]


def _line(
    rows: Sequence[np.ndarray] | np.ndarray, colour: str, width: float, opacity: float
) -> go.Scatter:
    x = [v for row in rows for v in (*range(len(row)), None)]
    y = [v for row in rows for v in (*np.round(row, 4).tolist(), None)]
    return go.Scatter(
        x=x, y=y, mode="lines", line={"color": colour, "width": width}, opacity=opacity,
        hoverinfo="skip", connectgaps=False, showlegend=False,
    )  # fmt: skip


def _dots(
    found: Geometry, pictures: np.ndarray, benchmark: int, measure: Measure, heights: np.ndarray
) -> go.Scatter:
    """A dot for each picture and network: told, clicked; a cross where it is named wrong."""
    given = values(found, measure)[:, benchmark]
    right = found.right[:, benchmark]
    places = [(model, k) for model in range(len(found.models)) for k in range(len(pictures))]
    fine = [bool(right[model, pictures[k]]) for model, k in places]
    return go.Scatter(
        x=[model for model, _ in places],
        y=[round(float(heights[place]), 4) for place in places],
        mode="markers",
        marker={
            "size": 6,
            "color": [RIGHT if one else WRONG for one in fine],
            "symbol": ["circle" if one else "x" for one in fine],
            "line": {"width": 0},
        },
        customdata=[[int(pictures[k])] for _, k in places],
        text=[
            saying.drawn(
                f"{picture(found, int(pictures[k]))}, {found.models[model]}: "
                f"{said(measure, float(given[model, pictures[k]]))}"
            )
            for model, k in places
        ],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )


def _axes(
    drawn: go.Figure,
    found: Geometry,
    pictures: np.ndarray,
    benchmark: int,
    measures: Sequence[Measure],
) -> None:
    names = [fitting.fitted(name, _LABEL) for name in found.models]
    flat = len(names) <= 3
    below = 24 if flat else round(max(fitting.width(name) for name in names)) + 16
    rows = len(measures)
    frames.finished(drawn, _HIGH * rows + _APART * rows + below + _KEY)
    last = len(names) - 1
    drawn.update_xaxes(
        tickvals=list(range(last + 1)), ticktext=[saying.drawn(name) for name in names],
        tickangle=0 if flat else -90, range=[-0.06 * max(1, last), last + 0.06 * max(1, last)],
        fixedrange=True, showgrid=True, zeroline=False, ticks="", tickfont={"size": 12},
    )  # fmt: skip
    bottom = -(rows - 1) * _step()
    drawn.update_yaxes(visible=False, range=[bottom - 0.05, _step()], automargin=False)
    for row, measure in enumerate(measures):
        low, high = _ends(values(found, measure)[:, benchmark, pictures].astype(np.float64))
        unit = "°" if measure == "angle" else ""
        told = f"{measure}: {saying.number(low, 2)}{unit} … {saying.number(high, 2)}{unit}"
        drawn.add_annotation(
            x=0, xref="paper", y=1 - row * _step(), yanchor="bottom", xanchor="left",
            yshift=5, text=told, showarrow=False, font={"size": 12},
        )  # fmt: skip
        if low < 0 < high and measure == "margin":
            _boundary(drawn, -low / (high - low) - row * _step())
    frames.legend_above(drawn)
    ends = [14 + fitting.width(names[place]) / 2 if flat else 0.0 for place in (0, -1)]
    margin = {"l": ends[0], "r": ends[1], "t": _KEY, "b": below}
    drawn.update_layout(margin=margin, margin_autoexpand=False)


def _boundary(drawn: go.Figure, at: float) -> None:
    line = {"color": BAR_OTHER, "width": 1.2, "dash": "dash"}
    drawn.add_shape(type="line", xref="paper", x0=0, x1=1, y0=at, y1=at, line=line, layer="below")


def example() -> go.Figure:
    """Pictures of a made-up class over five networks."""
    return figure(prune_made_up.geometry(pictures=120), 2, 0, chosen=18)
