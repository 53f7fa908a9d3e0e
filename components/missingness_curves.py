"""A study of missing parts: what is left of the answers as ever more is hidden."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import frames, saying, study_made_up
from components.study_lines import TITLES, Line, Measure, lines, told
from components.tokens import ACCENT, BAR_OTHER, faded
from engine.mask_results import MissingnessStudy

_HEIGHT = 330
_ROOM = 36  # pixels of the picture's height that are not the chart
_APART = 16  # pixels between two names
_END = 104.0  # where the names begin, in percent hidden
_CHARACTER = 6.6  # pixels, of 12
_BAND = 0.13


def figure(
    study: MissingnessStudy, measure: Measure = "accuracy", marked: float | None = 0.5
) -> go.Figure:
    """Draw a line for each fill with its 95 % band, its name at its end.

    Args:
        study: of some fills.
        measure: "accuracy", "entropy" or "unchanged".
        marked: a hidden share that is marked, or None.
    """
    found = lines(study, measure)
    x = 100 * study.shares.astype(np.float64)
    level = None if marked is None else study.level(marked)
    drawn = go.Figure()
    for line in found:
        drawn.add_trace(_band(x, line))
    for line in found:
        drawn.add_trace(_curve(x, line, measure, level))
    frames.finished(drawn, _HEIGHT)
    top = _top(study, measure, found)
    _axes(drawn, measure, top)
    if level is not None:
        frames.line_at(drawn, float(x[level]), ACCENT, "dot")
    _chance(drawn, study, measure)
    _names(drawn, found, top)
    return drawn


def alt(study: MissingnessStudy, measure: Measure) -> str:
    """Describe the picture for those who cannot see it."""
    found = lines(study, measure)
    ends = [
        f"{line.title} from {told(measure, line.values[0])} to {told(measure, line.values[-1])}"
        for line in found
    ]
    return (
        f"{TITLES[measure]} of {saying.counted(study.count, 'picture')} against the hidden share: "
        f"{'; '.join(ends)}."
    )


def _band(x: np.ndarray, line: Line) -> go.Scatter:
    return go.Scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([line.high, line.low[::-1]]),
        fill="toself",
        fillcolor=faded(line.colour, _BAND),
        line={"width": 0, "color": line.colour},
        mode="lines",
        hoverinfo="skip",
    )


def _curve(x: np.ndarray, line: Line, measure: Measure, level: int | None) -> go.Scatter:
    texts = [
        f"{line.title}, {saying.number(float(at))} % hidden: {told(measure, float(value))} "
        f"({_ends(measure, float(low), float(high))})"
        for at, value, low, high in zip(x, line.values, line.low, line.high, strict=True)
    ]
    return go.Scatter(
        x=x,
        y=line.values,
        mode="lines+markers",
        line={"color": line.colour, "width": 2.4, "dash": line.dash},
        marker={"size": [8 if i == level else 4 for i in range(len(x))], "color": line.colour},
        text=[saying.drawn(text) for text in texts],
        hovertemplate="%{text}<extra></extra>",
    )


def _ends(measure: Measure, low: float, high: float) -> str:
    digits = 2 if measure == "entropy" else 3
    return f"{saying.number(round(low, 2), digits)} – {saying.number(round(high, 2), digits)}"


def _top(study: MissingnessStudy, measure: Measure, found: list[Line]) -> float:
    if measure != "entropy":
        return 100.0
    return max(0.5, *(float(np.nanmax(line.high)) for line in found))


def _axes(drawn: go.Figure, measure: Measure, top: float) -> None:
    drawn.update_xaxes(
        title={"text": "hidden (%)", "font": {"size": 13}},
        range=[-1.5, _END],
        tickvals=[0, 25, 50, 75, 100],
        fixedrange=True,
        showgrid=False,
        zeroline=False,
    )
    unit = "bits" if measure == "entropy" else "%"
    drawn.update_yaxes(
        title={"text": f"{TITLES[measure]} ({unit})", "font": {"size": 13}},
        range=[0, 1.04 * top],
        showgrid=True,
        nticks=6,
    )
    drawn.update_layout(hovermode="closest")


def _chance(drawn: go.Figure, study: MissingnessStudy, measure: Measure) -> None:
    """Draw what guessing would get right."""
    if measure != "accuracy":
        return
    at = 100 / len(study.manifest["display"]["classes"])
    if at < 2:  # too near the axis to be seen
        return
    line = {"color": BAR_OTHER, "width": 1.2, "dash": "dash"}
    drawn.add_shape(type="line", x0=0, x1=100, y0=at, y1=at, line=line, layer="below")
    drawn.add_annotation(
        x=0, y=at, text="chance", showarrow=False, xanchor="left", yanchor="bottom",
        font={"size": 11},
    )  # fmt: skip


def _names(drawn: go.Figure, found: list[Line], top: float) -> None:
    """Write each line's name beside its end, none over another, in the order of the lines."""
    order = sorted(found, key=lambda line: -float(np.nanmean(line.values)))
    ends = [float(line.values[-1]) for line in order]
    high = 1.04 * top
    places = spread(ends, _APART * high / (_HEIGHT - _ROOM), high)
    for line, end, place in zip(order, ends, places, strict=True):
        drawn.add_shape(
            type="line",
            x0=100,
            x1=_END,
            y0=end,
            y1=place,
            line={"color": line.colour, "width": 2, "dash": line.dash},
        )
        drawn.add_annotation(
            x=_END, y=place, text=saying.drawn(line.title), showarrow=False, xanchor="left",
            xshift=3, font={"size": 12},
        )  # fmt: skip
    drawn.update_layout(
        margin={"r": round(8 + _CHARACTER * max(len(line.title) for line in found)), "t": 6}
    )


def spread(ends: list[float], apart: float, top: float) -> list[float]:
    """Return where names stand, from the top down: near their ends, at least ``apart`` apart.

    >>> [round(place, 1) for place in spread([5, 5, 0], 2, 10)]
    [5, 3, 1.0]
    """
    places: list[float] = []
    for end in ends:
        places.append(min(end, places[-1] - apart) if places else min(end, top - apart / 2))
    floor = apart / 2
    for index in range(len(places) - 1, -1, -1):
        places[index] = max(places[index], floor)
        floor = places[index] + apart
    return places


def example() -> go.Figure:
    """A made-up study."""
    return figure(study_made_up.study(), "accuracy")
