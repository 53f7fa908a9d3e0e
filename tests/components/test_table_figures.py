"""What all pictures of tables must keep to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import plotly.graph_objects as go
import pytest

from components import (
    beeswarm,
    column_bars,
    effects,
    effects_of_names,
    made_up,
    matrix,
    tokens,
    tree,
    waterfall,
)

FIGURES = {
    "waterfall": waterfall.example,
    "row": lambda: column_bars.attribution_figure(made_up.attribution()),
    "scores": column_bars.example,
    "groups": lambda: column_bars.groups_figure(made_up.groups()),
    "swarm": beeswarm.example,
    "effects": effects.example,
    "names": effects_of_names.example,
    "local": lambda: effects.figure(made_up.effects(measure="accumulated-effects")),
    "agreement": matrix.example,
    "correlation": lambda: matrix.groups_figure(made_up.groups()),
    "tree": tree.example,
}
PLACEHOLDERS = {f"#0000{number:02d}" for number in range(1, 41)}


@pytest.fixture(params=FIGURES, ids=str)
def figure(request: pytest.FixtureRequest) -> go.Figure:
    return FIGURES[request.param]()


def entries(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from entries(value, f"{path}.{name}")
    elif isinstance(node, list):
        for value in node:
            yield from entries(value, path)
    else:
        yield path, node


def told(figure: go.Figure) -> dict[str, Any]:
    """What the figure says itself, without Plotly's own template."""
    found = json.loads(figure.to_json())
    found["layout"].pop("template", None)
    return found


def test_no_colour_is_a_placeholder_of_the_theme(figure: go.Figure) -> None:
    colours = set(re.findall(r"#[0-9A-Fa-f]{6}", json.dumps(told(figure))))
    assert colours.isdisjoint(PLACEHOLDERS)


def test_colours_of_text_and_ground_are_left_to_the_theme(figure: go.Figure) -> None:
    for path, _ in entries(told(figure)):
        assert not re.search(r"font\.color$|bgcolor$", path), path


def test_nothing_can_be_dragged_and_the_height_is_said(figure: go.Figure) -> None:
    layout = told(figure)["layout"]
    assert layout["dragmode"] is False
    assert layout["xaxis"]["fixedrange"] and layout["yaxis"]["fixedrange"]
    assert layout["height"] >= 100


def test_small_pictures_stay_small(figure: go.Figure) -> None:
    assert len(figure.to_json()) < 150_000


def test_scale_of_values_rises_in_lightness() -> None:
    codes = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in tokens.VALUES]
    lightness = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in codes]
    assert lightness == sorted(lightness)


@pytest.mark.parametrize("code", [tokens.POSITIVE, tokens.NEGATIVE])
@pytest.mark.parametrize("ground", ["#FFFFFF", "#101218"])
def test_bars_stand_out_on_light_and_dark(code: str, ground: str) -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
        ]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted([luminance(code), luminance(ground)])
    assert (high + 0.05) / (low + 0.05) >= 3


def test_a_title_with_tags_is_drawn_as_it_is() -> None:
    given = made_up.swarm(20)
    given.manifest["display"]["titles"][0] = "a<b>%{x}"
    drawn = beeswarm.figure(given)
    assert any("a&lt;b&gt;%{x}" in text for text in drawn.layout.yaxis.ticktext)
    assert all("%{x}<" not in trace.hovertemplate for trace in drawn.data if trace.hovertemplate)
