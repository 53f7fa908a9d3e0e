"""What all figures of tables have in common; colours of text are left to the theme."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from components.tokens import BAR_OTHER, FONT


def finished(drawn: go.Figure, height: int) -> go.Figure:
    """Give a figure what all figures of tables have; colours of text are the theme's."""
    drawn.update_yaxes(
        fixedrange=True,
        showgrid=False,
        zeroline=False,
        ticks="",
        automargin=True,
        ticklabelstandoff=6,
    )
    drawn.update_layout(
        height=height,
        margin={"l": 0, "r": 8, "t": 0, "b": 0},
        dragmode=False,
        showlegend=False,
        separators=".\u00a0",
        font={"family": FONT},
        hoverlabel={"font": {"size": 13}, "align": "left"},
    )
    return drawn


def line_at(
    drawn: go.Figure,
    x: float,
    colour: str = BAR_OTHER,
    dash: str = "solid",
    between: tuple[float, float] | None = None,
    width: float = 1.2,
) -> None:
    """Draw a thin line below the bars: from top to bottom, or between two rows."""
    y0, y1 = between or (0, 1)
    yref = "y" if between else "paper"
    line = {"color": colour, "width": width, "dash": dash}
    drawn.add_shape(type="line", x0=x, x1=x, y0=y0, y1=y1, yref=yref, line=line, layer="below")


def legend_above(drawn: go.Figure, **more: Any) -> None:
    """Tell above a chart what its traces are; a click there does nothing."""
    legend = {
        "orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom",
        "font": {"size": 12}, "itemclick": False, "itemdoubleclick": False, **more,
    }  # fmt: skip
    drawn.update_layout(showlegend=True, hovermode="closest", legend=legend)


def axis_title(text: str) -> dict[str, Any]:
    """Return the title of an axis, as all charts have it."""
    return {"text": text, "font": {"size": 13}}
