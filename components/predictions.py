"""What the model says, as bars; a click picks the class."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from components import saying
from components.tokens import BAR_CHOSEN, BAR_OTHER

Row = tuple[int, str, float]
_LONGEST = 22


def figure(rows: Sequence[Row], chosen: int | None) -> go.Figure:
    """Draw predictions.

    Args:
        rows: (class index, name, probability), best first.
        chosen: index of the class that is explained.
    """
    names = [saying.drawn(short(name)) for _, name, _ in rows]
    shares = [probability for _, _, probability in rows]
    colours = [BAR_CHOSEN if index == chosen else BAR_OTHER for index, _, _ in rows]
    places = list(range(len(rows)))
    bars = go.Bar(
        x=shares,
        y=places,
        orientation="h",
        text=[percent(share) for share in shares],
        textposition="outside",
        cliponaxis=False,
        marker={"color": colours, "cornerradius": 4},
        customdata=[[index, saying.drawn(name)] for index, name, _ in rows],
        hovertemplate="%{customdata[1]}: %{text}<extra>click to explain</extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        width=0.62,
    )
    drawn = go.Figure(bars)
    room = 1.18 * max(shares, default=1.0)
    drawn.update_xaxes(visible=False, range=[0, room], fixedrange=True)
    drawn.update_yaxes(
        tickvals=places,
        ticktext=names,
        range=[len(rows) - 0.5, -0.5],
        fixedrange=True,
        showgrid=False,
        ticks="",
        automargin=True,
        tickfont={"size": 13},
    )
    drawn.update_layout(
        height=max(90, 38 * len(rows) + 8),
        margin={"l": 0, "r": 8, "t": 0, "b": 0},
        dragmode=False,
        bargap=0.3,
    )
    return drawn


def percent(share: float) -> str:
    """Say a probability.

    >>> [percent(p) for p in (0.3945, 0.0004, 0.99999, 1.0)]
    ['39.5 %', 'under 0.1 %', 'over 99.9 %', '100 %']
    """
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return f"{100 * share:.1f} %" if share < 1 else "100 %"


def short(name: str) -> str:
    """Cut a class name to what there is room for beside a bar."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def example() -> go.Figure:
    """Made-up predictions."""
    return figure([(0, "tiger cat", 0.39), (1, "tabby", 0.2), (2, "lynx", 0.02)], chosen=0)
