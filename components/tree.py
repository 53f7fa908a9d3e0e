"""A small decision tree, read from top to bottom: questions, answers, predictions."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import fitting, frames, made_up, saying
from components.facts import Facts, facts_of
from components.tokens import BAR_OTHER, VALUES, colours
from components.tree_nodes import Node, nodes_of, question
from engine.table_results import Surrogate

_ROW = 32  # pixels
_INDENT = 0.085  # of the width, for each level
_WIDEST = 0.34  # of the width: a leaf with all rows
_BOX = 24  # pixels
_NARROW = 380  # pixels: the picture on a telephone


def figure(surrogate: Surrogate) -> go.Figure:
    """Draw the tree: leaves are coloured by their prediction and as wide as their share."""
    told, nodes = facts_of(surrogate), nodes_of(surrogate)
    leaves = [node for node in nodes if surrogate.feature[node.place] < 0]
    drawn = go.Figure(_leaves(surrogate, told, leaves))
    drawn.add_trace(_branches(nodes))
    drawn.add_trace(_hovers(surrogate, told, nodes))
    for node in nodes:
        if surrogate.feature[node.place] >= 0:
            _box(drawn, node, question(surrogate, told, node.place, _room(node)))
        if node.answer:
            drawn.add_annotation(
                x=node.depth * _INDENT, y=node.line, text=node.answer, xanchor="right", xshift=-2,
                showarrow=False, yshift=7, font={"size": 11},
            )  # fmt: skip
    drawn.update_xaxes(visible=False, range=[-0.01, 1], fixedrange=True)
    drawn.update_yaxes(visible=False, range=[len(nodes) - 0.4, -0.6])
    frames.finished(drawn, _ROW * len(nodes))
    return drawn.update_layout(margin={"r": 0}, hovermode="closest")


def alt(surrogate: Surrogate) -> str:
    """Describe the picture for those who cannot see it."""
    told, nodes = facts_of(surrogate), nodes_of(surrogate)
    leaves = sum(bool(surrogate.feature[node.place] < 0) for node in nodes)
    if len(nodes) == 1:
        return "Decision tree without a question."
    first = question(surrogate, told, nodes[0].place)
    return f"Decision tree with {leaves} leaves; its first question: {first}"


def _leaves(surrogate: Surrogate, told: Facts, leaves: list[Node]) -> go.Bar:
    share = np.array([surrogate.share[leaf.place] for leaf in leaves], dtype=np.float64)
    means = np.array([surrogate.prediction[leaf.place] for leaf in leaves], dtype=np.float64)
    named = told.kind == "probability" and not told.versus
    name = f" {saying.drawn(fitting.fitted(told.target, 80.0))}" if named else ""
    texts = [
        f"<b>{told.level(float(mean))}</b>{name} · {saying.share(float(part))} of rows"
        for mean, part in zip(means, share, strict=True)
    ]
    shades = colours(_shade(means, told), VALUES)
    return go.Bar(
        base=[leaf.depth * _INDENT for leaf in leaves],
        x=np.maximum(0.012, _WIDEST * share),
        y=[leaf.line for leaf in leaves],
        orientation="h",
        width=0.6,
        marker={
            "color": [f"rgb({r},{g},{b})" for r, g, b in shades.tolist()],
            "cornerradius": 6,
            "line": {"width": 0},
        },
        text=texts,
        textposition="outside",
        textfont={"size": 12},
        cliponaxis=False,
        hoverinfo="skip",
    )


def _shade(means: np.ndarray, told: Facts) -> np.ndarray:
    """Return where predictions lie on the scale: of probabilities all of 0 … 1, else theirs."""
    if told.kind == "probability" and not told.versus:
        return means
    low, high = float(means.min()), float(means.max())
    return (means - low) / ((high - low) or 1.0)


def _branches(nodes: list[Node]) -> go.Scatter:
    """An elbow from each question down to its answers."""
    x: list[float | None] = []
    y: list[float | None] = []
    for node in nodes[1:]:
        trunk = (node.depth - 1) * _INDENT + 0.02
        x += [trunk, trunk, node.depth * _INDENT, None]
        y += [node.parent + 0.38, node.line, node.line, None]
    line = {"color": BAR_OTHER, "width": 1.4}
    return go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip")


def _hovers(surrogate: Surrogate, told: Facts, nodes: list[Node]) -> go.Scatter:
    texts = [
        f"{saying.share(float(surrogate.share[n.place]))} of the rows<br>"
        f"on average {told.level(float(surrogate.prediction[n.place]))}"
        for n in nodes
    ]
    return go.Scatter(
        x=[n.depth * _INDENT + 0.05 for n in nodes],
        y=[n.line for n in nodes],
        mode="markers",
        marker={"size": 24, "opacity": 0, "color": BAR_OTHER},
        text=texts,
        hovertemplate="%{text}<extra></extra>",
    )


def _room(node: Node) -> float:
    """Return how wide a question may be, in pixels, so that it fits on a narrow screen."""
    return max(120.0, _NARROW * (1 - node.depth * _INDENT) - 40)


def _box(drawn: go.Figure, node: Node, text: str) -> None:
    """A box with round corners, as wide as its text, at a question's place."""
    x = node.depth * _INDENT
    wide, half, r = fitting.width(text) * 1.04 + 18, _BOX / 2, 7
    path = (
        f"M {r},{-half} H {wide - r} Q {wide},{-half} {wide},{r - half} V {half - r} "
        f"Q {wide},{half} {wide - r},{half} H {r} Q 0,{half} 0,{half - r} V {r - half} "
        f"Q 0,{-half} {r},{-half} Z"
    )
    drawn.add_shape(
        type="path", path=path, xsizemode="pixel", ysizemode="pixel", xanchor=x,
        yanchor=node.line, line={"color": BAR_OTHER, "width": 1.2},
        fillcolor="rgba(154,160,174,0.14)",
    )  # fmt: skip
    drawn.add_annotation(
        x=x, y=node.line, text=saying.drawn(text), showarrow=False, xanchor="left", xshift=8,
        font={"size": 12},
    )  # fmt: skip


def example() -> go.Figure:
    """A made-up tree of seven questions."""
    return figure(made_up.surrogate())
