"""Which figure shows which result."""

from __future__ import annotations

import plotly.graph_objects as go

from components import column_bars, waterfall
from engine.results import Attribution


def contributions(attribution: Attribution) -> tuple[go.Figure, str]:
    """Return the figure of a row's contributions, and its text alternative."""
    if "base" in attribution.manifest["outcome"]:
        built = waterfall.waterfall_of(attribution)
        return waterfall.figure(built), waterfall.alt(built)
    return column_bars.attribution_figure(attribution), column_bars.attribution_alt(attribution)
