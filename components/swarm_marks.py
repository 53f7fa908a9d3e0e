"""The marks of a swarm of models: dots by loss, grey ones out of bound, stars, boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from components import picking, saying
from components.interaction_names import masks_told
from components.swarm_places import MARK, STAR, Placed
from components.swarm_values import Band
from components.tokens import ACCENT, BAR_OTHER
from engine.interaction_results import Interactions

_GREYED = 0.4
_BOX = 11.0  # pixels to each side of a band's middle
_INK = "#111318"


def dots(found: Interactions, one: Placed, *, inside: bool) -> list[go.Scatter]:
    """Return the dots of a band that are in the set, coloured by loss, or those that are not."""
    wanted = (one.band.member == inside) & ~one.band.reference
    kinds = ((wanted & ~one.band.retrained, "circle"), (wanted & one.band.retrained, "diamond"))
    return [_dots(found, one, which, symbol, inside) for which, symbol in kinds if which.any()]


def _dots(
    found: Interactions, one: Placed, which: np.ndarray, symbol: str, inside: bool
) -> go.Scatter:
    shown = one.band.some(which)
    colour: dict[str, Any] = {"color": BAR_OTHER}
    if inside:
        colour = {"color": shown.loss.astype(np.float32), "coloraxis": "coloraxis"}
    opacity = 1.0 if inside else _GREYED
    return go.Scatter(
        x=shown.values.astype(np.float32),
        y=one.y[which].astype(np.float32),
        mode="markers",
        marker={
            "size": float(one.sizes[which][0]), "symbol": symbol, "opacity": opacity,
            "line": {"width": 0.8 if symbol == "diamond" else 0, "color": _INK}, **colour,
        },
        customdata=np.column_stack([shown.pair, shown.model]).astype(np.int16),
        text=_told(found, shown),
        meta=saying.drawn(shown.title),
        hovertemplate=f"%{{meta}}: %{{x:.3~g}}<br>%{{text}}{'' if inside else ', out of bound'}"
        "<extra></extra>",
        selected={"marker": {"opacity": opacity}},
        unselected={"marker": {"opacity": opacity}},
    )  # fmt: skip


def _told(found: Interactions, band: Band) -> list[str]:
    """Say which model each dot is, in few letters: there are thousands."""
    masks = {int(pair): found.pair_masks(int(pair)) for pair in np.unique(band.pair)}
    mixed = len(masks) > 1
    told = []
    for pair, model, loss in zip(band.pair, band.model, band.loss, strict=True):
        if model < 0:
            what = f"trained again, number {-model}"
        elif mixed:
            titles = [found.titles[i] for i in found.pairs[pair]]
            what = masks_told(titles, masks[int(pair)][model])
        else:
            what = "m " + ", ".join(saying.number(float(m)) for m in masks[int(pair)][model])
        told.append(saying.drawn(f"{what}; loss {saying.number(float(loss), 4)}"))
    return told


def stars(placed: list[Placed]) -> go.Scatter:
    """Return the reference of each band; a band of a feature's scores has one for each pair."""
    spots = [
        (float(one.band.values[at]), float(one.y[at]), int(one.band.pair[at]), one.band.title)
        for one in placed
        for at in np.flatnonzero(one.band.reference)
    ]
    return go.Scatter(
        x=np.array([spot[0] for spot in spots], np.float32),
        y=np.array([spot[1] for spot in spots], np.float32),
        mode="markers",
        marker={
            "symbol": "star", "size": STAR - 2, "color": ACCENT, "line": {"width": 1, "color": _INK}
        },
        customdata=np.array([(spot[2], 0) for spot in spots], np.int16).reshape(-1, 2),
        text=[saying.drawn(spot[3]) for spot in spots],
        hovertemplate="%{text}: %{x:.3~g}<br>the reference<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )  # fmt: skip


def ringed(placed: list[Placed], chosen: tuple[int, int]) -> list[go.Scatter]:
    """Return rings around the dots of one model, told by pair and model; none without any."""
    x, y, size = [], [], 0.0
    for one in placed:
        for at in np.flatnonzero((one.band.pair == chosen[0]) & (one.band.model == chosen[1])):
            x.append(float(one.band.values[at]))
            y.append(float(one.y[at]))
            size = float(one.sizes[at])
    return picking.rings(x, y, size + MARK) if x else []


def boxes(placed: list[Placed], bands: list[Band]) -> go.Scatter:
    """Return the quartiles of the models in the set as frames, the median as a line in them."""
    x: list[float | None] = []
    y: list[float | None] = []
    for one, band in zip(placed, bands, strict=True):
        inside = band.values[band.member & ~band.retrained]
        if not len(inside):
            continue
        low, middle, high = (float(v) for v in np.quantile(inside, [0.25, 0.5, 0.75]))
        top, foot = one.middle - _BOX, one.middle + _BOX
        x += [low, high, high, low, low, None, middle, middle, None]
        y += [top, top, foot, foot, top, None, top, foot, None]
    return go.Scatter(
        x=x, y=y, mode="lines", line={"color": BAR_OTHER, "width": 2}, hoverinfo="skip",
        connectgaps=False,
    )  # fmt: skip
