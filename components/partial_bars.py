"""What becomes of the prediction when a part of one head's attention is zero."""

from __future__ import annotations

from typing import Literal

import numpy as np
import plotly.graph_objects as go

from components import fitting, frames, head_made_up, saying
from components.head_names import BLOCKS
from components.tokens import BAR_CHOSEN, BAR_OTHER, VALUES
from engine.head_results import PartialPruning

Output = Literal["logit", "probability"]
WAYS = ("rows as they are left", "rows made to sum to 1")
_WHOLE = "the whole head"
_ROW = 46
_HALF = 0.4  # of a row: one bar
_DIGITS = 3  # after the point: less is rounding
_COLOURS = (BAR_CHOSEN, VALUES[3])


def changes(partial: PartialPruning, output: Output = "probability") -> np.ndarray:
    """Return the changes of blocks that there are: logits, or points of per cent.

    Returns:
        float64 ``(blocks, 2)``, NaN where there is no class token.
    """
    factor = 100.0 if output == "probability" else 1.0
    return np.asarray(factor * partial.blocks[..., int(output == "probability")].astype(np.float64))


def figure(partial: PartialPruning, output: Output = "probability") -> go.Figure:
    """Draw two bars for each block, and one for the whole head.

    Args:
        partial: of one head.
        output: what is followed, "probability" or "logit".
    """
    blocks = changes(partial, output)
    there = np.flatnonzero(np.isfinite(blocks[:, 0]))
    factor, unit = (100.0, " points") if output == "probability" else (1.0, "")
    whole = factor * float(partial.whole[int(output == "probability")])
    names = [BLOCKS[index] for index in there] + [_WHOLE]
    drawn = go.Figure()
    for way, title in enumerate(WAYS):
        rows = np.arange(len(there)) + _HALF * (way - 0.5)
        told = [f"{name}, {title}" for name in names]
        _bars(drawn, rows, blocks[there, way], title, told, unit)
    _bars(drawn, np.array([len(there)]), np.array([whole]), "", [_WHOLE], unit)
    drawn.update_xaxes(
        title={"text": _axis(partial, output), "font": {"size": 13}},
        range=_range([*blocks[there].ravel().tolist(), whole]),
        fixedrange=True,
        zeroline=False,
        showgrid=True,
        nticks=6,
        tickangle=0,
    )
    drawn.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=names,
        range=[len(names) - 0.5, -0.5],
        tickfont={"size": 12},
    )
    frames.finished(drawn, _ROW * len(names) + 84)
    frames.line_at(drawn, 0.0)
    drawn.update_layout(
        barmode="overlay",
        showlegend=True,
        legend={
            "orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom",
            "font": {"size": 12}, "itemclick": False, "itemdoubleclick": False,
        },
    )  # fmt: skip
    return drawn


def _bars(
    drawn: go.Figure, rows: np.ndarray, values: np.ndarray, title: str, told: list[str], unit: str
) -> None:
    drawn.add_bar(
        x=values,
        y=rows,
        orientation="h",
        width=_HALF * 0.9,
        name=title,
        showlegend=bool(title),
        marker={
            "color": _COLOURS[WAYS.index(title)] if title else BAR_OTHER,
            "cornerradius": 3,
            "line": {"width": 0},
        },
        text=[saying.signed(round(float(value), _DIGITS), 2) for value in values],
        textposition="outside",
        textfont={"size": 12},
        cliponaxis=False,
        hovertext=told,
        hovertemplate=f"%{{hovertext}}: %{{text}}{unit}<extra></extra>",
    )


def _range(values: list[float]) -> list[float]:
    """Leave room for the numbers beside the bars."""
    low, high = min(0.0, *values), max(0.0, *values)
    span = (high - low) or 1.0
    edge = 1e-3 * span
    return [
        low - span * (0.2 if low < -edge else 0.08),
        high + span * (0.2 if high > edge else 0.08),
    ]


def _axis(partial: PartialPruning, output: Output) -> str:
    name = saying.named(str(partial.manifest["request"]["target"]["name"]))
    unit = " (points)" if output == "probability" else ""
    return fitting.axis(f"change of the {output} of {name}{unit}")


def example() -> go.Figure:
    """Made-up changes."""
    return figure(head_made_up.partial())
