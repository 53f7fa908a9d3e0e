"""What the model says before and after a change, class by class, as pairs of bars."""

from __future__ import annotations

import plotly.graph_objects as go

from components import fitting, frames, saying
from components.predictions import percent
from components.tokens import BAR_CHOSEN, BAR_OTHER
from engine.results import Prediction

_ROW = 46
_ALONE = 34  # a row of one bar
_HALF = 0.4  # of a row: one bar
_SHOWN = 4
_KEY = 46  # pixels: room for what the colours mean, in two lines where the chart is narrow
_NAME, _ROOM_LEFT, _BESIDE = 13, 130, 20  # pixels: size and width of the names, and beside
_ROOM = 1.22  # for the numbers beside the bars

Row = tuple[str, float, float]


def rows_of(before: Prediction, after: Prediction, count: int = _SHOWN) -> list[Row]:
    """Return name and probability before and after of the classes that lead in one of them."""
    leading: list[int] = []
    for one, other in zip(before.top(count), after.top(count), strict=True):
        leading += [one[0], other[0]]
    leading = list(dict.fromkeys(leading))
    first = sorted(leading[:count], key=lambda index: -before.probabilities[index])
    return [
        (before.classes[i], float(before.probabilities[i]), float(after.probabilities[i]))
        for i in first
    ]


def figure(rows: list[Row], titles: tuple[str, ...]) -> go.Figure:
    """Draw two bars for each class, or one where nothing is changed.

    Args:
        rows: name, probability before and after.
        titles: of before and after, they stand above as a key; of before alone.
    """
    drawn = go.Figure()
    pairs = len(titles) > 1
    for place, (title, colour) in enumerate(zip(titles, (BAR_OTHER, BAR_CHOSEN), strict=False)):
        shares = [(before, after)[place] for _, before, after in rows]
        drawn.add_bar(
            x=shares,
            y=[index + _HALF * (place - 0.5) * pairs for index in range(len(rows))],
            orientation="h",
            width=_HALF * 0.9,
            name=title,
            marker={"color": colour, "cornerradius": 3, "line": {"width": 0}},
            text=[percent(share) for share in shares],
            textposition="outside",
            cliponaxis=False,
            hovertext=[saying.drawn(f"{row[0]}, {title}") for row in rows],
            hovertemplate="%{hovertext}: %{text}<extra></extra>",
        )
    names = [fitting.fitted(name, _ROOM_LEFT, _NAME) for name, _, _ in rows]
    largest = max((share for row in rows for share in row[1:]), default=1.0)
    drawn.update_xaxes(visible=False, range=[0, _ROOM * largest], fixedrange=True)
    drawn.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[saying.drawn(name) for name in names],
        range=[len(rows) - 0.5, -0.5],
        tickfont={"size": _NAME},
    )
    above = _KEY if pairs else 8
    frames.finished(drawn, (_ROW if pairs else _ALONE) * len(rows) + above)
    drawn.update_yaxes(automargin=False)  # which draws twice; a click is waited for
    left = _BESIDE + max((fitting.width(name, _NAME) for name in names), default=0)
    drawn.update_layout(margin={"l": left, "t": above}, margin_autoexpand=False)
    drawn.update_layout(
        barmode="overlay",
        showlegend=pairs,
        legend={
            "orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom",
            "font": {"size": 12}, "itemclick": False, "itemdoubleclick": False,
        },
    )  # fmt: skip
    return drawn


def sentence(before: Prediction, after: Prediction, change: str) -> str:
    """Say what became of the answer; ``change`` as in "with 3 heads off"."""
    one, other = before.best, after.best
    name = saying.named(before.classes[one])
    first, then = (percent(float(said.probabilities[one])) for said in (before, after))
    moved = f"{name} goes from {first} to {then}" if first != then else f"{name} stays at {first}"
    if one == other:
        return f"{saying.begun(change)} the answer stays: {moved}."
    told = saying.named(after.classes[other])
    share = percent(float(after.probabilities[other]))
    return f"{saying.begun(change)} the answer changes to {told} ({share}); {moved}."


def example() -> go.Figure:
    """Made-up predictions."""
    rows = [("tiger cat", 0.81, 0.34), ("tabby", 0.15, 0.6), ("lynx", 0.02, 0.04)]
    return figure(rows, ("all heads on", "3 heads off"))
