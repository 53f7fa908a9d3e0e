"""All good models at once: what each says of a pair or a feature, one dot for each model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from components import (
    fitting,
    frames,
    interaction_made_up,
    layer_key,
    packing,
    picking,
    saying,
    swarm_values,
)
from components.interaction_names import masks_told
from components.swarm_values import Band, Of, Value
from components.tokens import ACCENT, BAR_OTHER, VALUES, plotly_scale
from engine.interaction_results import Interactions

WIDTH = 560  # pixels between the ends of the axis at which the dots lie as declared
DOT, MARK, STAR = 5.0, 9.0, 14.0  # pixels across: a model, one trained again, the reference
MOST = 4000  # dots
_BAND, _TALLEST = 26.0, 150.0  # pixels: the least room of a band, and the most for its dots
_TITLE, _APART = 22.0, 8.0
_EDGE = 0.03  # of the axis, to each side
_ABOVE, _BELOW = 48, 62
_LABEL = 340.0


@dataclass(frozen=True, eq=False)
class Placed:
    """Where the dots of a band lie.

    Attributes:
        band: the models that are drawn.
        x, y: pixels, float64 ``(models,)``, down from the top of the first band.
        top, middle: of the band, pixels.
        there: how many models there are, drawn or not.
    """

    band: Band
    x: np.ndarray
    y: np.ndarray
    top: float
    middle: float
    there: int


def positions(
    bands: list[Band],
    *,
    wide: float = WIDTH,
    most: int | None = None,
    keep: tuple[int, int] | None = None,
) -> list[Placed]:
    """Return where the dots lie, in pixels: no two of them overlap.

    Args:
        bands: as ``swarm_values.bands_of`` returns them.
        wide: of the axis, from end to end.
        most: dots at the most; by default ``MOST``. Of the others every so manieth in the order
            of the values is drawn, and always the reference and both ends.
        keep: pair and model that is drawn in any case.
    """
    low, high = ends_of(bands)
    share = min(1.0, (MOST if most is None else max(1, most)) / max(1, _count(bands)))
    placed, top = [], 0.0
    for band in bands:
        part = share
        while True:
            shown = _thinned(band, part, keep)
            x = (shown.values - low) / (high - low) * wide
            y = packing.aside(x, sizes_of(shown), np.select(
                [_is_reference(shown), shown.retrained, shown.member], [0, 1, 2], 3
            ))
            tall = float(np.abs(y).max(initial=0.0)) * 2 + STAR
            if tall <= _TALLEST or len(shown.values) <= 12:
                break
            part = 0.9 * part * _TALLEST / tall
        room = max(_BAND, tall)
        middle = top + _TITLE + room / 2
        placed.append(Placed(shown, x, middle + y, top, middle, len(band.values)))
        top += _TITLE + room + _APART
    return placed


def ends_of(bands: list[Band]) -> tuple[float, float]:
    """Return the ends of the axis, a little beyond the outermost dots."""
    values = np.concatenate([band.values for band in bands] or [np.zeros(1)])
    low, high = (float(v) for v in (values.min(initial=np.inf), values.max(initial=-np.inf)))
    if not low < high:
        half = 0.1 * abs(low) if np.isfinite(low) and low else 1.0
        middle = low if np.isfinite(low) else 0.0
        return middle - half, middle + half
    return low - _EDGE * (high - low), high + _EDGE * (high - low)


def sizes_of(band: Band) -> np.ndarray:
    """Return how large each dot is drawn, pixels across, float64 ``(models,)``."""
    return np.where(_is_reference(band), STAR, np.where(band.retrained, MARK, DOT))


def _is_reference(band: Band) -> np.ndarray:
    return np.asarray(band.model == 0)


def _count(bands: list[Band]) -> int:
    return sum(len(band.values) for band in bands)


def _thinned(band: Band, share: float, keep: tuple[int, int] | None) -> Band:
    """Return about a share of the dots, evenly in the order of the values."""
    count = len(band.values)
    if share >= 1 or count <= 3:
        return band
    order = np.argsort(band.values, kind="stable")
    chosen = np.zeros(count, dtype=bool)
    chosen[order[np.linspace(0, count - 1, max(3, int(share * count))).round().astype(int)]] = True
    chosen |= band.retrained | _is_reference(band)
    if keep is not None:
        chosen |= (band.pair == keep[0]) & (band.model == keep[1])
    names = ("values", "loss", "member", "pair", "model")
    return Band(band.title, *(getattr(band, name)[chosen] for name in names))


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
    most: int | None = None,
    wide: float = WIDTH,
) -> go.Figure:
    """Draw a band for each pair or feature; a click on a dot returns its pair and model.

    Args:
        found: the interactions.
        of, value, epsilon, absolute: as in ``swarm_values.bands_of``.
        box: quartiles of the models in the set.
        threshold: a line at this value, and at its negative where values have signs.
        chosen: pair and model of the dot that is ringed, or None.
        most: dots at the most.
        wide: pixels of the axis at which the dots lie as they should.
    """
    bands = swarm_values.bands_of(found, of, value, epsilon, absolute=absolute)
    placed = positions(bands, wide=wide, most=most, keep=chosen)
    drawn = go.Figure()
    for inside in (False, True):
        for one in placed:
            which = (one.band.member == inside) & (one.band.model != 0)
            if which.any():
                drawn.add_trace(_dots(found, one, which, inside, of == "columns"))
    drawn.add_trace(_stars(placed))
    if chosen is not None:
        drawn.add_traces(_ringed(placed, chosen))
    if box:
        drawn.add_trace(_boxes(placed, bands))
    _axes(drawn, found, placed, value, ends_of(bands), absolute=absolute)
    _lines(drawn, value, threshold, absolute=absolute)
    _key(drawn, found, placed, epsilon)
    return drawn


def _dots(
    found: Interactions, one: Placed, which: np.ndarray, inside: bool, titled: bool
) -> go.Scatter:
    """Return the dots of a band that are in the set, coloured by loss, or those that are not."""
    band = one.band
    colour = {"color": BAR_OTHER, "opacity": 0.45}
    if inside:
        colour = {"color": band.loss[which].astype(np.float32), "coloraxis": "coloraxis"}
    return go.Scatter(
        x=band.values[which].astype(np.float32),
        y=one.y[which].astype(np.float32),
        mode="markers",
        marker={
            "size": sizes_of(band)[which].astype(np.uint8),
            "symbol": np.where(band.retrained[which], "diamond", "circle").tolist()
            if band.retrained[which].any()
            else "circle",
            "line": {"width": 0},
            **colour,
        },
        customdata=np.column_stack([band.pair[which], band.model[which]]).astype(np.int16),
        text=[_told(found, band, at, titled) for at in np.flatnonzero(which)],
        meta=saying.drawn(band.title),
        hovertemplate=f"%{{meta}}: %{{x:.3~g}}<br>%{{text}}{'' if inside else ', out of bound'}"
        "<extra></extra>",
        selected={"marker": {"opacity": 1.0 if inside else 0.45}},
        unselected={"marker": {"opacity": 1.0 if inside else 0.45}},
    )


def _told(found: Interactions, band: Band, at: int, titled: bool) -> str:
    """Say which model a dot is, in few letters: there are thousands."""
    model, pair = int(band.model[at]), int(band.pair[at])
    loss = f"loss {saying.number(float(band.loss[at]), 4)}"
    if model < 0:
        return f"trained again, number {-model}; {loss}"
    masks = found.pair_masks(pair)[model]
    if not titled:
        return f"m {saying.number(float(masks[0]))}, {saying.number(float(masks[1]))}; {loss}"
    titles = [found.titles[i] for i in found.pairs[pair]]
    return saying.drawn(f"{masks_told(titles, masks)}; {loss}")


def _stars(placed: list[Placed]) -> go.Scatter:
    """Return the reference of each band; a band of a feature's scores has one for each pair."""
    spots = [
        (float(one.band.values[at]), float(one.y[at]), int(one.band.pair[at]), one.band.title)
        for one in placed
        for at in np.flatnonzero(_is_reference(one.band))
    ]
    return go.Scatter(
        x=np.array([spot[0] for spot in spots], np.float32),
        y=np.array([spot[1] for spot in spots], np.float32),
        mode="markers",
        marker={
            "symbol": "star", "size": STAR, "color": ACCENT,
            "line": {"width": 1, "color": "#111318"},
        },
        customdata=np.array([(spot[2], 0) for spot in spots], np.int16).reshape(-1, 2),
        text=[saying.drawn(spot[3]) for spot in spots],
        hovertemplate="%{text}: %{x:.3~g}<br>the reference<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )  # fmt: skip


def _ringed(placed: list[Placed], chosen: tuple[int, int]) -> list[go.Scatter]:
    """Return rings around the dots of one model, in every band where it lies."""
    x, y = [], []
    for one in placed:
        for at in np.flatnonzero((one.band.pair == chosen[0]) & (one.band.model == chosen[1])):
            x.append(float(one.band.values[at]))
            y.append(float(one.y[at]))
    return picking.rings(x, y) if x else []


def _boxes(placed: list[Placed], bands: list[Band]) -> go.Scatter:
    """Return quartiles of the models in the set as frames, the median as a line."""
    x: list[float | None] = []
    y: list[float | None] = []
    for one, band in zip(placed, bands, strict=True):
        inside = band.values[band.member & ~band.retrained]
        if not len(inside):
            continue
        low, middle, high = (float(v) for v in np.quantile(inside, [0.25, 0.5, 0.75]))
        half = float(np.abs(one.y - one.middle).max(initial=0.0)) + DOT
        top, foot = one.middle - half, one.middle + half
        x += [low, high, high, low, low, None, middle, middle, None]
        y += [top, top, foot, foot, top, None, top, foot, None]
    return go.Scatter(
        x=x, y=y, mode="lines", line={"color": BAR_OTHER, "width": 1.6}, hoverinfo="skip",
        connectgaps=False,
    )  # fmt: skip


def _axes(
    drawn: go.Figure,
    found: Interactions,
    placed: list[Placed],
    value: Value,
    ends: tuple[float, float],
    *,
    absolute: bool,
) -> None:
    title = swarm_values.VALUES[value]
    if absolute:
        title = f"distance of the {title} from 1" if value == "ratio" else f"size of the {title}"
    unit = "" if value == "ratio" else f", {found.manifest['display']['unit']}"
    high = placed[-1].top + _height_of(placed[-1]) if placed else _BAND
    for one in placed:
        drawn.add_annotation(
            x=0, xref="paper", xanchor="left", y=one.top + _TITLE, yanchor="bottom", align="left",
            text=f"<b>{saying.drawn(fitting.fitted(one.band.title, _LABEL, 13))}</b>",
            showarrow=False, font={"size": 13},
        )  # fmt: skip
    frames.finished(drawn, round(high) + _ABOVE + _BELOW)
    drawn.update_xaxes(
        title={"text": saying.drawn(saying.begun(f"{title}{unit}")), "font": {"size": 13}},
        range=list(ends), fixedrange=True, showgrid=True, zeroline=False, nticks=7, tickangle=0,
    )  # fmt: skip
    drawn.update_yaxes(range=[high, 0], visible=False)
    drawn.update_layout(
        margin={"l": 4, "r": 4, "t": _ABOVE, "b": _BELOW, "autoexpand": False}, hovermode="closest"
    )


def _height_of(one: Placed) -> float:
    return 2 * (one.middle - one.top) - _TITLE + _APART


def _lines(drawn: go.Figure, value: Value, threshold: float | None, *, absolute: bool) -> None:
    base = 0.0 if absolute else swarm_values.neutral(value)
    frames.line_at(drawn, base)
    if threshold is not None:
        both = value == "score" and not absolute
        for at in {threshold, -threshold} if both else {threshold}:
            frames.line_at(drawn, at, ACCENT, "dash")


def _key(
    drawn: go.Figure, found: Interactions, placed: list[Placed], epsilon: float | None
) -> None:
    """Tell above the bands what colours and marks mean."""
    most = found.base_loss + (found.epsilon if epsilon is None else epsilon)
    low = min(
        (float(one.band.loss[one.band.member].min(initial=np.inf)) for one in placed),
        default=found.base_loss,
    )
    low = min(low, found.base_loss)
    layer_key.between(
        drawn, (low, most), (f"loss {saying.number(low)}", saying.number(most)),
        plotly_scale(VALUES),
    )  # fmt: skip


def alt(
    found: Interactions, *, of: Of = "pairs", value: Value = "score", epsilon: float | None = None
) -> str:
    """Describe the picture for those who cannot see it."""
    bands = swarm_values.bands_of(found, of, value, epsilon)
    what = "pair" if of == "pairs" else "feature"
    first = bands[0].title if bands else "none"
    return (
        f"Beeswarm of {saying.counted(len(bands), what)}, {swarm_values.VALUES[value]}: "
        f"{saying.counted(_count(bands), 'dot')}, {swarm_values.counted_out(bands)} of them out of "
        f"bound; on top: {first}."
    )


def example() -> go.Figure:
    """Made-up models."""
    return figure(interaction_made_up.interactions(), box=True, chosen=(0, 30))
