"""What a model says under the same mask with every fill: one row each, the classes side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from components import fitting, frames, saying
from components.mask_words import Filled
from components.predictions import percent
from components.tokens import BAR_OTHER, KINDS
from engine.results import Prediction

_ROW = 34
_SHOWN = 5
_LEAST = 0.09  # of the row: narrower parts are not written on
_OTHERS = "#C3C7D1"
_PALE = (_OTHERS, KINDS[3], KINDS[5], KINDS[6])  # written on in black


def leading(before: Prediction, filled: Sequence[Filled], count: int = _SHOWN) -> list[int]:
    """Return the classes that are drawn, by index: those that lead somewhere, largest first."""
    every = np.stack([one.said.probabilities for one in filled])
    wanted = {before.best, *(one.said.best for one in filled)}
    order = np.argsort(-every.max(axis=0), kind="stable").tolist()
    found = sorted(wanted, key=order.index)
    found += [index for index in order if index not in wanted]
    return found[:count]


def figure(before: Prediction, filled: Sequence[Filled]) -> go.Figure:
    """Draw the whole picture's row, and one for each fill; each adds up to one.

    Models whose classes do not exclude each other have rows beyond one.

    Args:
        before: what the model says of the whole picture.
        filled: the fills, from top to bottom.
    """
    rows = [Filled("The whole picture", before), *filled]
    drawn = go.Figure()
    shares = np.stack([row.said.probabilities.astype(np.float64) for row in rows])
    shown = leading(before, filled)
    for place, index in enumerate(shown):
        name = before.classes[index]
        drawn.add_trace(_part(name, shares[:, index], KINDS[place % len(KINDS)]))
    rest = np.clip(shares.sum(axis=1) - shares[:, shown].sum(axis=1), 0, None)
    if rest.max(initial=0) > 0.005:
        drawn.add_trace(_part("all others", rest, _OTHERS))
    titles = [saying.drawn(fitting.fitted(row.title, 150, 13)) for row in rows]
    titles[0] = f"<b>{titles[0]}</b>"
    frames.finished(drawn, _ROW * len(rows) + 44)
    drawn.update_xaxes(visible=False, range=[0, max(1.0, float(shares.sum(axis=1).max()))])
    drawn.update_xaxes(fixedrange=True)
    drawn.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=titles, range=[len(rows) - 0.5, -0.5],
        tickfont={"size": 13},
    )  # fmt: skip
    drawn.update_layout(
        barmode="stack",
        showlegend=True,
        legend={
            "orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom",
            "font": {"size": 12}, "itemclick": False, "itemdoubleclick": False,
            "traceorder": "normal",
        },
    )  # fmt: skip
    frames.line_at(drawn, 0, BAR_OTHER)
    return drawn


def _part(name: str, shares: np.ndarray, colour: str) -> go.Bar:
    told = [percent(min(1.0, float(share))) for share in shares]
    return go.Bar(
        x=shares,
        y=list(range(len(shares))),
        orientation="h",
        width=0.68,
        name=saying.drawn(fitting.fitted(name, 130, 12)),
        marker={"color": colour, "line": {"width": 0}},
        text=[text if share >= _LEAST else "" for text, share in zip(told, shares, strict=True)],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        constraintext="none",
        textfont={"color": "#111318" if colour in _PALE else "#FFFFFF"},
        customdata=told,
        hovertemplate=f"{saying.drawn(name)}: %{{customdata}}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )


def alt(before: Prediction, filled: Sequence[Filled]) -> str:
    """Describe the picture for those who cannot see it."""
    rows = [Filled("The whole picture", before), *filled]
    return "; ".join(
        f"{row.title}: {row.said.classes[row.said.best]} "
        f"{percent(float(row.said.probabilities[row.said.best]))}"
        for row in rows
    )


def made_up() -> tuple[Prediction, list[Filled]]:
    """Return made-up answers of three fills, one of them apart."""
    shares = ((0.9, 0.06, 0.04), (0.72, 0.2, 0.08), (0.2, 0.71, 0.09), (0.84, 0.1, 0.06))
    said = [_said(one) for one in shares]
    titles = ("Mean colour", "Black", "Layer masking")
    return said[0], [Filled(t, one) for t, one in zip(titles, said[1:], strict=True)]


def _said(shares: Sequence[float]) -> Prediction:
    probabilities = np.array(shares, dtype=np.float32)
    return Prediction(np.log(probabilities), probabilities, ("cat", "dog", "hen"), 0.01)


def example() -> go.Figure:
    """Made-up answers."""
    return figure(*made_up())
