"""How long a network takes as it is, gated and cut to size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import plotly.graph_objects as go

from components import fitting, frames, saying
from components.tokens import ACCENT, BAR_CHOSEN, BAR_OTHER

_ROW, _BELOW, _LABEL = 34, 40, 118.0  # pixels
_ROOM = 1.34  # for the numbers beside the bars


class Timing(NamedTuple):
    """What a pass takes, in milliseconds: lower quartile, median, upper quartile."""

    low: float
    median: float
    high: float


def latency(timings: Mapping[str, Timing], chosen: str | None = None) -> go.Figure:
    """Draw a bar to the median for each network, whiskers between the quartiles.

    Args:
        timings: name → milliseconds of a pass, the network that others are held against first.
        chosen: the name that is looked at; by default the last one.
    """
    names = list(timings)
    own = names[-1] if chosen is None and names else chosen
    medians = [timings[name].median for name in names]
    places = list(range(len(names)))
    drawn = go.Figure(
        go.Bar(
            x=[round(value, 4) for value in medians],
            y=places,
            orientation="h",
            width=0.6,
            marker={
                "color": [BAR_CHOSEN if name == own else BAR_OTHER for name in names],
                "cornerradius": 3,
                "line": {"width": 0},
            },
            error_x={
                "array": [round(t.high - t.median, 4) for t in timings.values()],
                "arrayminus": [round(t.median - t.low, 4) for t in timings.values()],
                "color": ACCENT,
                "thickness": 2,
                "width": 4,
            },
            hovertext=[
                saying.drawn(f"{name}: {_said(timing)}") for name, timing in timings.items()
            ],
            hovertemplate="%{hovertext}<extra></extra>",
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
        )
    )
    drawn.add_scatter(
        x=[timing.high for timing in timings.values()], y=places, mode="text",
        text=[f"  {_told(timings, name)}" for name in names], textposition="middle right",
        textfont={"size": 12}, cliponaxis=False, hoverinfo="skip",
    )  # fmt: skip
    frames.finished(drawn, _ROW * len(names) + _BELOW)
    end = _ROOM * max((timing.high for timing in timings.values()), default=1.0)
    drawn.update_xaxes(
        title=frames.axis_title("milliseconds for a pass"), range=[0, end], fixedrange=True,
        showgrid=True, zeroline=False, nticks=6,
    )  # fmt: skip
    drawn.update_yaxes(
        tickvals=places, ticktext=[saying.drawn(fitting.fitted(name, _LABEL)) for name in names],
        range=[len(names) - 0.5, -0.5], tickfont={"size": 12},
    )  # fmt: skip
    return drawn


def alt(timings: Mapping[str, Timing]) -> str:
    """Describe the picture for those who cannot see it."""
    told = "; ".join(f"{name} {_said(timing)}" for name, timing in timings.items())
    return f"Time of a pass: {told}."


def milliseconds(value: float) -> str:
    """Say how long something takes: "17.8 ms"."""
    return f"{saying.number(value)} ms"


def _said(timing: Timing) -> str:
    ends = f"{saying.number(timing.low)} – {saying.number(timing.high)}"
    return f"{milliseconds(timing.median)} (half of the passes: {ends})"


def _told(timings: Mapping[str, Timing], name: str) -> str:
    first, own = next(iter(timings.values())).median, timings[name].median
    times = first / own if own else 1.0
    compared = f", {times:.1f}×" if round(times, 1) != 1.0 else ""
    return f"{milliseconds(own)}{compared}"


def example() -> go.Figure:
    """Made-up times: masks save nothing, cutting does."""
    return latency(
        {
            "untouched": Timing(56.1, 58.6, 60.9),
            "gated": Timing(52.8, 53.6, 55.2),
            "cut to size": Timing(17.2, 17.8, 18.9),
        }
    )
