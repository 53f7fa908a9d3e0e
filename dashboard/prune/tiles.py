"""The numbers of the network that is looked at, each with its change from the whole one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from components import prune_names, saying
from components.prune_words import amount
from components.words import plain
from dashboard.prune.looked import Looked

Colour = Literal["green", "red", "gray"]


@dataclass(frozen=True)
class Tile:
    """One number.

    Attributes:
        label, value: as they stand there.
        change: from the untouched network, or "".
        colour: of the change: better, worse, or neither.
        told: what it is, in a line.
    """

    label: str
    value: str
    change: str = ""
    colour: Colour = "gray"
    told: str = ""


def show(looked: Looked) -> None:
    """Draw the tiles."""
    with st.container(border=True, height="stretch", key="card-pr-tiles"):
        for first, second in zip(*[iter(tiles(looked))] * 2, strict=True):
            for column, tile in zip(st.columns(2), (first, second), strict=True):
                column.metric(
                    tile.label,
                    plain(tile.value),
                    tile.change or None,
                    delta_color=tile.colour,
                    delta_arrow="off",
                    help=plain(tile.told),
                )


def tiles(looked: Looked) -> list[Tile]:
    """Return what the tiles say."""
    found, way, ratio = looked.found, looked.way, looked.ratio
    display, costs = found.display, looked.costs
    change = found.change(way, ratio)
    name = "Accuracy" if found.labelled else "Same answer"
    accuracy = found.accuracy(way, ratio)
    sure, dense = found.certainty(way, ratio), found.dense_certainty()
    error, before = (
        one.error for one in (found.calibration(way, ratio), found.dense_calibration())
    )
    return [
        Tile(
            name,
            saying.share(accuracy.value),
            _points(change.value),
            "red" if change.high < 0 else "green" if change.low > 0 else "gray",
            f"{prune_names.told(accuracy)}, {saying.counted(accuracy.count, 'picture')}; "
            f"change {prune_names.points(change)}",
        ),
        Tile(
            "Confidence",
            saying.share(sure.value),
            _points(sure.value - dense.value),
            "gray",
            "Mean probability of the answers.",
        ),
        Tile(
            "Calibration error" if found.labelled else "Confidence gap",
            f"{100 * error:.1f} %",
            _points(error - before),
            "red" if error > before else "green",
            "Expected calibration error: confidence apart from "
            f"{prune_names.value_title(found, 'accuracy')}, mean over 15 bins.",
        ),
        _less("Parameters", costs.parameters, display["parameters"], "", "Of the cut network."),
        _less(
            "MACs", costs.macs, display["macs"], "",
            "Multiply–accumulates of a pass, by formula; times 2 for FLOPs.",
        ),
        _less("On disk", costs.size, display["bytes"], "B", "Weights and running statistics."),
        Tile(
            "Units gone",
            saying.number(looked.gone, 9),
            f"of {saying.number(found.kept.shape[-1], 9)}",
            "gray",
            "Channels, hidden units and heads.",
        ),
        _time(looked),
    ]  # fmt: skip


def _time(looked: Looked) -> Tile:
    from dashboard.prune import small

    measured = small.known(looked)
    told = "A pass of one picture, median; by the button under Export."
    if measured is None:
        return Tile("Time of a pass", "–", "not measured", "gray", told)
    dense, own = measured["untouched"].median, measured["cut to size"].median
    change = f"{saying.signed(100 * (own / dense - 1), 2)} %"
    colour: Colour = "green" if own < dense else "red"
    return Tile("Time of a pass", f"{saying.number(own)} ms", change, colour, told)


def _less(label: str, after: float, before: float, what: str, told: str) -> Tile:
    change = f"{saying.signed(100 * (after / before - 1), 2)} %" if after != before else ""
    return Tile(label, amount(after, what), change, "green" if after < before else "red", told)


def _points(change: float) -> str:
    """Say a change in points; nothing where there is none.

    >>> _points(-0.123), _points(0.004), _points(0.425 - 1), _points(0.0)
    ('−12 points', '+0.4 points', '−58 points', '')
    """
    if math.isnan(change):
        return ""
    percent = round(100 * change, 6)
    told = saying.signed(round(percent, 0 if abs(change) >= 0.1 else 1), 2)
    return "" if told == "0" else f"{told} point{'s' if told not in ('+1', '−1') else ''}"
