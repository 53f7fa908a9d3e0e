"""How a smaller network stands what is done to pictures: corruption by severity."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import fitting, frames, prune_made_up, saying
from components.prune_names import value_title
from components.tokens import DIVERGING, SEQUENTIAL, plotly_scale
from engine.prune_results import PruneSweep

_ROW, _ABOVE = 32, 50  # pixels
_LABEL, _SIZE = 126.0, 12
_LEAST = 10.0  # points that the scale of differences reaches at least


def names_of(found: PruneSweep) -> list[str]:
    """Return the titles of the corruptions: "Gaussian noise"; results of old have names alone."""
    titles = found.display.get("corruption_titles", {})
    return [
        str(titles.get(name, name.replace("_", " ").capitalize()))
        for name in found.display["corruptions"]
    ]


def values(found: PruneSweep, way: int, ratio: int, difference: bool) -> np.ndarray:
    """Return percent, or points of change, clean pictures first, ``(corruptions, 1 + severities)``.

    NaN where it was not asked. The sweep must have been asked for corruptions.
    """
    own = _with_clean(found.corrupted, (way, ratio), found.accuracy(way, ratio).value)
    if not difference:
        return own
    return own - _with_clean(found.dense_corrupted, (), found.dense_accuracy().value)


def _with_clean(given: np.ndarray | None, at: tuple[int, ...], clean: float) -> np.ndarray:
    assert given is not None, "the sweep has no corruptions"
    asked = given[at].astype(np.float64)  # (corruptions, severities)
    return 100 * np.column_stack([np.full(len(asked), clean), asked])


def figure(found: PruneSweep, way: int, ratio: int, *, difference: bool = False) -> go.Figure:
    """Draw accuracy under each corruption at each severity.

    Args:
        found: a sweep that was asked for corruptions.
        way, ratio: places of what is looked at.
        difference: minus the untouched network's, in points.
    """
    z = values(found, way, ratio, difference)
    names = names_of(found)
    severities = [str(place) for place in range(1, z.shape[1])]
    drawn = go.Figure(
        go.Heatmap(
            z=z.astype(np.float32),
            **_scale(z, difference),
            showscale=False,
            xgap=2,
            ygap=2,
            text=[[_cell(one, difference) for one in row] for row in z],
            texttemplate="%{text}",
            hovertext=_hovers(found, z, names, difference),
            hovertemplate="%{hovertext}<extra></extra>",
            hoverongaps=False,
        )
    )
    frames.finished(drawn, _ROW * len(names) + _ABOVE)
    drawn.update_xaxes(
        title={**frames.axis_title("severity"), "standoff": 4},
        tickvals=list(range(z.shape[1])), ticktext=["clean", *severities], tickangle=0,
        side="top", ticks="", fixedrange=True, showgrid=False, zeroline=False,
    )  # fmt: skip
    labels = [saying.drawn(fitting.fitted(name, _LABEL)) for name in names]
    drawn.update_yaxes(
        tickvals=list(range(len(names))), ticktext=labels, range=[len(names) - 0.5, -0.5],
        tickfont={"size": _SIZE}, automargin=False,
    )  # fmt: skip
    left = 14 + max((fitting.width(label) for label in labels), default=0.0)
    margin = {"l": left, "r": 0, "t": _ABOVE, "b": 0}
    drawn.update_layout(margin=margin, margin_autoexpand=False)
    return drawn


def alt(found: PruneSweep, way: int, ratio: int, *, difference: bool = False) -> str:
    """Describe the picture for those who cannot see it: its ends, at the highest severity."""
    last = values(found, way, ratio, difference)[:, -1]
    title = value_title(found, "accuracy")
    what = f"Change of {title}" if difference else saying.begun(title)
    begin = f"{what} by corruption and severity"
    if not np.isfinite(last).any():
        return f"{begin}."
    names = names_of(found)
    ends = [
        f"{word} {_cell(float(last[at]), difference)}{'' if difference else ' %'} under {names[at]}"
        for word, at in (("lowest", int(np.nanargmin(last))), ("highest", int(np.nanargmax(last))))
    ]
    return f"{begin}; at the highest severity {' and '.join(ends)}."


def _scale(z: np.ndarray, difference: bool) -> dict[str, object]:
    if not difference:
        return {"zmin": 0, "zmax": 100, "colorscale": plotly_scale(SEQUENTIAL)}
    end = max(_LEAST, float(np.nanmax(np.abs(z), initial=0.0)))
    return {"zmin": -end, "zmax": end, "colorscale": plotly_scale(DIVERGING)}


def _cell(value: float, difference: bool) -> str:
    if not np.isfinite(value):
        return ""
    return saying.signed(round(value)) if difference else saying.number(round(value))


def _hovers(
    found: PruneSweep, z: np.ndarray, names: list[str], difference: bool
) -> list[list[str]]:
    what = value_title(found, "accuracy")
    unit = "points against the untouched network" if difference else f"% {what}"
    return [
        [
            saying.drawn(
                f"{name}{f', severity {place}' if place else ': clean pictures'}: "
                f"{_cell(float(one), difference)} {unit}"
            )
            for place, one in enumerate(row)
        ]
        for name, row in zip(names, z, strict=True)
    ]


def example() -> go.Figure:
    """A made-up network of which some went."""
    return figure(prune_made_up.sweep(), 5, 5)


def example_difference() -> go.Figure:
    """The same, minus the untouched network."""
    return figure(prune_made_up.sweep(), 5, 6, difference=True)
