"""Two probes of fills: whether an outline tells what was hidden, and whether parts add up."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import fitting, frames, prediction_pairs, saying
from components.tokens import BAR_CHOSEN, BAR_OTHER
from engine.mask_results import Linearity, ShapeLeak

_ROW = 34
_ERRORS = 2.0  # standard errors that count as a difference


def leak_figure(found: ShapeLeak) -> go.Figure:
    """Draw the share of right answers with the object hidden, and with its shape elsewhere."""
    right = found.right.mean(axis=-1)
    rows = [
        (title, float(elsewhere), float(gone))
        for title, (gone, elsewhere) in zip(found.titles, right, strict=True)
    ]
    return prediction_pairs.figure(rows, ("the same shape hidden elsewhere", "the object hidden"))


def leak_sentence(found: ShapeLeak) -> str:
    """Say with which fill the outline of what is hidden tells the most, and the least."""
    gone = found.right[:, 0].mean(axis=-1)
    count = found.right.shape[-1]
    chance = 1 / len(found.manifest["display"]["classes"])
    error = np.sqrt(chance * (1 - chance) / count)
    most, least = int(gone.argmax()), int(gone.argmin())
    level = f"all of them are without a mask, and chance is {saying.share(chance)}"
    of = f"of {saying.counted(count, 'answer')}"
    if gone[most] <= chance + _ERRORS * error:
        return (
            f"No outline tells what was there: with the object hidden at most "
            f"{saying.share(float(gone[most]))} {of} are right ({level})."
        )
    told = (
        f"With the object hidden, {saying.inside(found.titles[most])} leaves "
        f"{saying.share(float(gone[most]))} {of} right ({level}): what is left of the picture, "
        "the outline of the hole included, tells what was there."
    )
    if most == least:
        return told
    fill = saying.begun(saying.inside(found.titles[least]))
    return f"{told} {fill} tells the least: {saying.share(float(gone[least]))}."


def adding_figure(found: Linearity) -> go.Figure:
    """Draw how far the directions agree: the mean cosine of each fill, with two standard errors."""
    mean, error = _mean_and_error(found.cosine)
    places = list(range(len(mean)))
    texts = [f"{saying.number(float(one), 2)}" for one in mean]
    drawn = go.Figure(
        go.Bar(
            x=mean,
            y=places,
            orientation="h",
            width=0.6,
            marker={"color": BAR_CHOSEN, "cornerradius": 3, "line": {"width": 0}},
            error_x={"array": _ERRORS * error, "color": BAR_OTHER, "thickness": 2, "width": 4},
            customdata=texts,
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    titles = [saying.drawn(fitting.fitted(title, 150, 13)) for title in found.titles]
    frames.finished(drawn, _ROW * len(mean) + 50)
    drawn.update_xaxes(
        title="cosine: parts added up, against all at once",
        range=[min(0, float(mean.min())), 1.02], fixedrange=True,
    )  # fmt: skip
    drawn.update_yaxes(tickvals=places, ticktext=titles, range=[len(mean) - 0.5, -0.5])
    return drawn


def adding_sentence(found: Linearity) -> str:
    """Say with which fill the scores of parts come nearest to adding up."""
    mean, error = _mean_and_error(found.cosine)
    distance = found.distance.mean(axis=-1)
    best = int(mean.argmax())
    worst = int(mean.argmin())
    first = (
        f"What four patches say alone adds up best with {saying.inside(found.titles[best])}: "
        f"cosine {saying.number(float(mean[best]), 2)}, off by "
        f"{saying.share(float(distance[best]))} of the length."
    )
    if best == worst:
        return first
    apart = float(mean[best] - mean[worst])
    both = float(np.hypot(error[best], error[worst]))
    if apart <= _ERRORS * both:
        return f"{first} No fill is measurably worse."
    return (
        f"{first} The worst is {saying.inside(found.titles[worst])} "
        f"({saying.number(float(mean[worst]), 2)}): sums of scores mislead most there."
    )


def _mean_and_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and its standard error over pictures, each ``(fills,)``."""
    count = values.shape[-1]
    spread = values.std(axis=-1, ddof=1) if count > 1 else np.zeros(len(values))
    return values.mean(axis=-1), spread / np.sqrt(count)


def made_up_leak(gone: tuple[float, ...] = (0.6, 0.1), count: int = 40) -> ShapeLeak:
    """Return made-up answers: so many stay right with the object gone."""
    labels = np.arange(count) % 10
    turn = np.arange(count) / count
    hidden = np.stack([np.where(turn < share, labels, (labels + 1) % 10) for share in gone])
    elsewhere = np.where(turn < 0.9, labels, (labels + 1) % 10)
    both = np.stack([hidden, np.broadcast_to(elsewhere, hidden.shape)], axis=1)
    area = np.full(count, 0.2, dtype=np.float32)
    return ShapeLeak(_manifest(len(gone)), both.astype(np.int32), labels.astype(np.int32), area)


def made_up_adding(means: tuple[float, ...] = (0.5, 0.9), count: int = 40) -> Linearity:
    """Return made-up cosines around some means."""
    draw = np.random.default_rng(0).normal(0, 0.05, (len(means), count))
    cosine = (np.array(means)[:, None] + draw).clip(-1, 1).astype(np.float32)
    return Linearity(_manifest(len(means)), cosine, (1 - cosine).astype(np.float32))


def _manifest(fills: int) -> dict[str, dict[str, list[str]] | str]:
    titles = ["Black", "Layer masking", "Grey", "Blurred"][:fills]
    classes = [f"class {n}" for n in range(10)]
    return {"key": "x", "display": {"fills": titles, "fill_titles": titles, "classes": classes}}


def example() -> go.Figure:
    """Made-up cosines."""
    return adding_figure(made_up_adding())
