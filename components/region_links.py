"""Which regions of a picture interact: lines between them, over the picture."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from components import frames, interaction_made_up, mask_picture, picking, saying, sign_agreement
from components.interaction_names import LESS, MORE, pair_named, spread_told
from engine.interaction_results import Interactions

SIDE = 448  # pixels of the picture's longer side
_THIN, _THICK = 2.0, 9.0  # pixels: the weakest link and the strongest
_AROUND = 3.0  # pixels: the light edge of a link
_GREYED = 0.5
_BEND = 0.14  # of a link's length: how far it leaves the straight line
_PIECES = 24
_BELOW = 42


def figure(
    found: Interactions,
    picture: np.ndarray,
    epsilon: float | None = None,
    most: int = 12,
    chosen: int | None = None,
) -> go.Figure:
    """Draw a link for each pair of regions; a click on its middle returns the pair's place.

    Args:
        found: the interactions of regions.
        picture: what the network saw, uint8 ``(height, width, 3)``.
        epsilon: how far above L* a loss may be; by default what was asked for.
        most: links at the most, those with the largest median.
        chosen: place of the pair that is looked at, ringed; or None.

    Raises:
        ValueError: the features are not regions of a picture.
    """
    if found.regions is None:
        raise ValueError("these interactions are of columns: there are no regions to link")
    photo = Image.fromarray(picture)
    size = _shown(photo)
    centres = centres_of(found.regions, size)
    drawn = go.Figure()
    pairs = linked(found, epsilon, most)
    verdicts = sign_agreement.verdicts(found, epsilon)
    middles = found.spread(epsilon)[:, 1]
    for pair in reversed(pairs):  # the strongest on top
        drawn.add_traces(_link(found, pair, centres, middles, verdicts[pair] == "both"))
    drawn.add_trace(_numbers(found, centres))
    spots = _spots(found, pairs, centres)
    texts = [_told(found, pair, epsilon) for pair in pairs]
    drawn.add_trace(
        picking.cells(*_split(spots), [[pair] for pair in pairs], texts, 26)
        if pairs
        else go.Scatter(x=[], y=[], hoverinfo="skip")
    )
    if chosen in pairs:
        at = spots[pairs.index(chosen)]
        drawn.add_traces(picking.rings([float(at[0])], [float(at[1])], 18))
    _picture(drawn, photo, found.regions, size)
    return drawn


def linked(found: Interactions, epsilon: float | None = None, most: int = 12) -> list[int]:
    """Return the pairs that are drawn, the largest median first; those without any are not."""
    middles = np.abs(found.swept(found.spread(epsilon)[:, 1]))
    order = np.argsort(-middles, kind="stable")[: max(0, most)]
    return [int(pair) for pair in order if middles[pair] > 0]


def centres_of(regions: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a pixel within each region, near its middle, float64 ``(regions, 2)``: x and y.

    Args:
        regions: int ``(rows, columns)``.
        size: width and height in which the middles are told.
    """
    found = np.full((int(regions.max()) + 1, 2), np.nan)
    scale = np.array([size[0] / regions.shape[1], size[1] / regions.shape[0]])
    for region in range(len(found)):
        inside = np.argwhere(regions == region)[:, ::-1] + 0.5
        if len(inside):
            nearest = ((inside - inside.mean(axis=0)) ** 2).sum(axis=1).argmin()
            found[region] = inside[nearest] * scale
    return found


def _shown(photo: Image.Image) -> tuple[int, int]:
    scale = SIDE / max(photo.size)
    return max(1, round(photo.width * scale)), max(1, round(photo.height * scale))


def _link(
    found: Interactions, pair: int, centres: np.ndarray, middles: np.ndarray, differ: bool
) -> list[go.Scatter]:
    """Return a link with a light edge, dashed where the sign is disputed."""
    line = arc(*centres[found.pairs[pair]])
    size = abs(float(middles[pair])) / (float(np.abs(middles).max()) or 1.0)
    wide = _THIN + (_THICK - _THIN) * size
    colour = MORE if middles[pair] > 0 else LESS
    dash = "dash" if differ else "solid"
    return [
        go.Scatter(
            x=line[:, 0], y=line[:, 1], mode="lines", hoverinfo="skip",
            line={"color": shade, "width": width, "dash": style}, opacity=opacity,
        )
        for shade, width, style, opacity in (
            ("#FFFFFF", wide + _AROUND, "solid", 0.7), (colour, wide, dash, 1.0)
        )
    ]  # fmt: skip


def _numbers(found: Interactions, centres: np.ndarray) -> go.Scatter:
    there = np.isfinite(centres[:, 0])
    return go.Scatter(
        x=centres[there, 0].tolist(),
        y=centres[there, 1].tolist(),
        mode="markers+text",
        marker={"size": 19, "color": "#111318", "line": {"width": 1.5, "color": "#FFFFFF"}},
        text=[str(at) for at in np.flatnonzero(there)],
        textfont={"color": "#FFFFFF", "size": 11},
        hoverinfo="skip",
    )


def _spots(found: Interactions, pairs: list[int], centres: np.ndarray) -> np.ndarray:
    """Return where links are clicked: their middles, ``(links, 2)``."""
    lines = [arc(*centres[found.pairs[pair]])[_PIECES // 2] for pair in pairs]
    return np.array(lines).reshape(-1, 2)


def arc(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return a bent line, float32 ``(25, 2)``: links along a row of regions stay apart."""
    along = end - start
    aside = np.array([along[1], -along[0]]) * _BEND
    part = np.linspace(0, 1, _PIECES + 1)[:, None]
    return np.asarray(start + part * along + 4 * part * (1 - part) * aside, dtype=np.float32)


def _split(spots: np.ndarray) -> tuple[list[float], list[float]]:
    return spots[:, 0].tolist(), spots[:, 1].tolist()


def _told(found: Interactions, pair: int, epsilon: float | None) -> str:
    told = spread_told(found.swept(found.spread(epsilon)[pair]))
    return f"{saying.drawn(pair_named(found, pair))}<br>{told}"


def _picture(
    drawn: go.Figure, photo: Image.Image, regions: np.ndarray, size: tuple[int, int]
) -> None:
    large = photo.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    grey = large.convert("L").convert("RGB")
    drawn.add_layout_image(
        source=mask_picture.uri(
            mask_picture.bordered(Image.blend(large, grey, _GREYED), regions)
        ),
        xref="x", yref="y", x=0, y=0, sizex=size[0], sizey=size[1], sizing="stretch", layer="below",
    )  # fmt: skip
    frames.finished(drawn, SIDE + _BELOW)
    hidden = {"visible": False, "constrain": "domain", "fixedrange": True}
    drawn.update_xaxes(range=[0, size[0]], **hidden)
    drawn.update_yaxes(range=[size[1], 0], scaleanchor="x", constraintoward="top", **hidden)
    drawn.update_layout(
        margin={"l": 0, "r": 0, "t": 0, "b": _BELOW},
        plot_bgcolor="rgba(0,0,0,0)",
        hoverdistance=-1,
    )
    for at, line in enumerate(
        (
            f"{_stroke(MORE)} together more than the sum &nbsp; {_stroke(LESS)} less",
            "the wider the stronger; dashed: good models differ in the sign",
        )
    ):
        drawn.add_annotation(
            x=0, y=0, xref="paper", yref="paper", xanchor="left", yanchor="top", text=line,
            yshift=-2 - 19 * at, showarrow=False, font={"size": 12}, align="left",
        )  # fmt: skip


def _stroke(colour: str) -> str:
    return f'<span style="color:{colour}"><b>━</b></span>'


def alt(found: Interactions, epsilon: float | None = None, most: int = 12) -> str:
    """Describe the picture for those who cannot see it."""
    pairs = linked(found, epsilon, most)
    first = saying.joined([pair_named(found, pair) for pair in pairs[:3]]) or "none"
    return f"Picture with {saying.counted(len(pairs), 'link')} between regions, strongest: {first}."


def example() -> go.Figure:
    """A made-up picture of six regions."""
    return figure(*interaction_made_up.with_regions(), chosen=0)
