"""All good models at once: what each says of a pair or a feature, one dot for each model."""

from __future__ import annotations

from itertools import chain

import plotly.graph_objects as go

from components import (
    fitting,
    frames,
    interaction_made_up,
    layer_key,
    saying,
    swarm_marks,
    swarm_values,
)
from components.swarm_places import DOT, MARK, MOST, STAR, WIDTH, Placed, ends_of, laid
from components.swarm_values import Band, Of, Value
from components.tokens import ACCENT, VALUES, plotly_scale
from engine.interaction_results import Interactions

_KEY, _LINE, _BELOW, _SIDE = 26, 18, 56, 4  # pixels around the bands
_LABEL = 340.0


def figure(
    found: Interactions,
    *,
    of: Of = "pairs",
    value: Value = "score",
    epsilon: float | None = None,
    absolute: bool = False,
    box: bool = False,
    threshold: float | None = None,
    chosen: tuple[int, int] | None = None,
    placed: list[Placed] | None = None,
) -> go.Figure:
    """Draw a band for each pair or feature; a click on a dot returns its pair and model.

    Args:
        found: the interactions.
        of, value, epsilon, absolute: as in ``swarm_values.bands_of``.
        box: quartiles of the models in the set.
        threshold: a line at this value, and at its negative where values have signs.
        chosen: pair and model of the dot that is ringed, or None.
        placed: where the dots lie, as ``swarm_places.laid`` returns it of the same; by default
            it is asked. At the width for which they are laid, and at larger ones, no two overlap.
    """
    bands = swarm_values.bands_of(found, of, value, epsilon, absolute=absolute)
    if placed is None:
        placed = laid(found, of, value, absolute=absolute, keep=chosen)
    placed = [one.within(found, epsilon) for one in placed]
    drawn = go.Figure()
    layers = [(inside, one) for inside in (False, True) for one in placed]
    dots = [swarm_marks.dots(found, one, inside=inside) for inside, one in layers]
    drawn.add_traces(list(chain.from_iterable(dots)))
    if box:
        drawn.add_trace(swarm_marks.boxes(placed, bands))
    drawn.add_trace(swarm_marks.stars(placed))
    if chosen is not None:
        drawn.add_traces(swarm_marks.ringed(placed, chosen))
    _axes(drawn, placed, ends_of(bands), _title(found, value, absolute=absolute))
    frames.line_at(drawn, 0.0 if absolute else swarm_values.neutral(value))
    if threshold is not None:
        signed = value != "ratio" and not absolute
        for at in {threshold, -threshold} if signed else {threshold}:
            frames.line_at(drawn, at, ACCENT, "dash", width=2)
    _key(drawn, found, bands, epsilon)
    _words(drawn, placed, bands)
    _titles(drawn, placed)
    return drawn


def _title(found: Interactions, value: Value, *, absolute: bool) -> str:
    title = swarm_values.VALUES[value]
    if value == "ratio":
        return f"distance of {title} from 1" if absolute else title
    title = f"size of the {title}" if absolute else title
    return f"{title}, {found.manifest['display']['unit']}"


def _axes(drawn: go.Figure, placed: list[Placed], ends: tuple[float, float], title: str) -> None:
    high = placed[-1].end if placed else 40.0
    frames.finished(drawn, round(high) + _BELOW)
    drawn.update_xaxes(
        title={"text": saying.drawn(saying.begun(title)), "font": {"size": 13}, "standoff": 8},
        range=list(ends), fixedrange=True, showgrid=True, zeroline=False, nticks=8, tickangle=0,
    )  # fmt: skip
    drawn.update_yaxes(range=[high, 0], visible=False)
    margin = {"l": _SIDE, "r": _SIDE, "t": 0, "b": _BELOW, "autoexpand": False}
    drawn.update_layout(margin=margin, hovermode="closest")


def _titles(drawn: go.Figure, placed: list[Placed]) -> None:
    """Tell what the bands are, all at once: one after the other, each looks at all again."""
    titles = [
        {
            "x": 0, "xref": "paper", "xanchor": "left", "y": one.top + 22, "yanchor": "bottom",
            "text": f"<b>{saying.drawn(fitting.fitted(one.band.title, _LABEL, 13))}</b>",
            "align": "left", "showarrow": False, "font": {"size": 13},
        }
        for one in placed
    ]  # fmt: skip
    drawn.update_layout(annotations=[*drawn.layout.annotations, *titles])


def _key(drawn: go.Figure, found: Interactions, bands: list[Band], epsilon: float | None) -> None:
    """Tell above the bands what the colours mean."""
    low = min([float(b.loss[b.member].min(initial=found.base_loss)) for b in bands], default=0.0)
    most = found.base_loss + (found.epsilon if epsilon is None else epsilon)
    ends = (low, most if most > low else low + 1.0)
    told = (f"loss {saying.number(low)}", saying.number(most))
    layer_key.between(drawn, ends, told, plotly_scale(VALUES))


def _words(drawn: go.Figure, placed: list[Placed], bands: list[Band]) -> None:
    """Tell above the key what the marks mean, and how many dots there are."""
    out, there = swarm_values.out_of_bound(bands)
    shown = sum(len(one.band.values) for one in placed)
    marks = ["★ reference"]
    if any(band.retrained.any() for band in bands):
        marks.append("◆ trained again")
    if out:
        marks.append(f"grey: {saying.number(out, 9)} out of bound")
    lines = [" · ".join(marks)]
    if shown < there:
        lines.append(f"{saying.number(shown, 9)} of {saying.counted(there, 'dot')} drawn")
    for at, line in enumerate(reversed(lines)):
        drawn.add_annotation(
            x=0, y=1, xref="paper", yref="paper", xanchor="left", yanchor="bottom", text=line,
            yshift=_KEY + _LINE * at, showarrow=False, font={"size": 12}, align="left",
        )  # fmt: skip
    above = _KEY + _LINE * len(lines) + 4
    drawn.update_layout(height=drawn.layout.height + above, margin={"t": above})


def alt(
    found: Interactions, *, of: Of = "pairs", value: Value = "score", epsilon: float | None = None
) -> str:
    """Describe the picture for those who cannot see it."""
    bands = swarm_values.bands_of(found, of, value, epsilon)
    out, there = swarm_values.out_of_bound(bands)
    first = bands[0].title if bands else "none"
    return (
        f"Beeswarm of {saying.counted(len(bands), 'pair' if of == 'pairs' else 'feature')}, "
        f"{swarm_values.VALUES[value]}: {saying.counted(there, 'dot')}, {out} of them out of "
        f"bound; on top: {first}."
    )


def example() -> go.Figure:
    """Made-up models."""
    return figure(interaction_made_up.interactions(), box=True, chosen=(0, 30))


__all__ = ["DOT", "MARK", "MOST", "STAR", "WIDTH", "alt", "example", "figure", "laid"]
