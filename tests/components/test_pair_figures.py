"""Strengths of pairs as cells, and as links over a picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from components import interaction_made_up, pair_heatmap, region_links, sign_agreement
from components.interaction_names import LESS, MORE, place_of
from components.pair_heatmap import Show
from engine.interaction_results import Interactions

CLOSE = [(0, 1), (0, 3), (1, 2), (2, 3), (0, 4)]
SOME = interaction_made_up.interactions(pairs=CLOSE)


def with_scores(scores: list[list[float]], error: float = 0.0) -> Interactions:
    """Return interactions of three features whose models have some scores, the rest the first."""
    found = interaction_made_up.interactions(("A", "B", "C"), others=0)
    effects = np.zeros_like(found.effects)
    for pair, some in enumerate(scores):
        effects[pair, :, 2] = some[0]
        effects[pair, found.distinct(pair)[: len(some)], 2] = some
    errors = np.zeros_like(found.error)
    errors[..., 3] = error
    return replace(found, effects=effects, error=errors)


def picks(figure: go.Figure) -> dict[tuple[float, float], list[int]]:
    (cells,) = [t for t in figure.data if t.customdata is not None]
    return {(x, y): list(key) for x, y, key in zip(cells.x, cells.y, cells.customdata, strict=True)}


def scatters(figure: go.Figure, mode: str) -> list[go.Scatter]:
    return [t for t in figure.data if t.type == "scatter" and t.mode == mode]


def test_verdicts() -> None:
    told = sign_agreement.verdicts(with_scores([[1, 2], [-1, -2], [1, -1]], 0.1))
    assert told == ["plus", "minus", "both"]
    told = sign_agreement.verdicts(with_scores([[1, 2], [-1, -2], [1, -1]], 0.6))
    assert told == ["some plus", "some minus", "none"]
    np.testing.assert_array_equal(
        [verdict in ("plus", "minus") for verdict in sign_agreement.verdicts(SOME)],
        SOME.agreement() == 1,
    )


@pytest.mark.parametrize(("show", "place"), [("min", 0), ("median", 1), ("max", 2)])
def test_cells_show_what_is_asked(show: Show, place: int) -> None:
    values, close = pair_heatmap.cells_of(SOME, show)
    for pair, (i, j) in enumerate(CLOSE):
        assert values[i, j] == values[j, i]
        assert values[i, j] == pytest.approx(SOME.spread()[pair, place], abs=1e-15)
        assert close[i, j]
        assert close[j, i]
    assert close.sum() == 2 * len(CLOSE)
    assert values[4, 5] == SOME.strength[4, 5], "not looked at closely: the reference's"
    reference, _ = pair_heatmap.cells_of(SOME)
    assert reference[0, 1] == SOME.scores[0, 0]
    shares, _ = pair_heatmap.cells_of(SOME, "agreement")
    assert shares[0, 1] == SOME.agreement()[0]
    assert np.isnan(shares[4, 5])


def test_scales() -> None:
    for show in ("reference", "median"):
        axis = pair_heatmap.figure(SOME, show).layout.coloraxis
        assert axis.cmin == -axis.cmax, "zero has the colour in the middle"
    axis = pair_heatmap.figure(SOME, "agreement").layout.coloraxis
    assert (axis.cmin, axis.cmax) == (0, 1)


def test_clicks_return_the_pair_or_both_features() -> None:
    told = picks(pair_heatmap.figure(SOME))
    assert len(told) == 30
    for (x, y), key in told.items():
        pair = place_of(SOME, int(x), int(y))
        assert key == (sorted([int(x), int(y)]) if pair is None else [pair])


def test_marks_and_stripes() -> None:
    figure = pair_heatmap.figure(with_scores([[1], [-1], [1, -1]]))
    by_symbol = {t.marker.symbol: t for t in scatters(figure, "markers") if t.hoverinfo == "skip"}
    assert len(by_symbol["circle"].x) == 4, "two pairs, both halves"
    crosses = zip(by_symbol["x"].x, by_symbol["x"].y, strict=True)
    assert {(round(x), round(y)) for x, y in crosses} == {(1, 2), (2, 1)}
    words = [note.text for note in figure.layout.annotations]
    assert "○ all good models agree in the sign" in words
    assert not any("hatched" in word for word in words)
    striped = pair_heatmap.figure(SOME)
    (stripes,) = scatters(striped, "lines")
    ends = [np.array(line, dtype=float).reshape(-1, 3)[:, :2] for line in (stripes.x, stripes.y)]
    middles = np.stack([some.mean(axis=1) for some in ends], axis=1)
    cells = {(int(x), int(y)) for x, y in middles.round()}
    assert cells == {xy for xy, key in picks(striped).items() if len(key) == 2}
    assert any("hatched" in note.text for note in striped.layout.annotations)


def test_numbers_in_cells_have_a_unit() -> None:
    figure = pair_heatmap.figure(with_scores([[0.0123], [-0.0004], [0.00001]]))
    text = figure.data[0].text
    assert (text[0][1], text[0][2], text[1][2]) == ("+12", "−0.4", "0")
    assert any("numbers × 0.001" in note.text for note in figure.layout.annotations)
    large = pair_heatmap.figure(with_scores([[123.4], [-2], [0]]))
    assert (large.data[0].text[0][1], large.data[0].text[0][2]) == ("+123", "−2")
    assert not any("numbers" in note.text for note in large.layout.annotations)
    shares = pair_heatmap.figure(with_scores([[1], [-1], [1, -1]]), "agreement")
    assert shares.data[0].text[0][1] == "100 %"


def test_nothing_is_rounded_up_to_all() -> None:
    found = with_scores([[1, -1], [1], [1]])
    share = found.agreement()[0]
    assert 0.99 < share < 1
    assert pair_heatmap.figure(found, "agreement").data[0].text[0][1] == "99 %"


@pytest.mark.parametrize("show", list(pair_heatmap.TITLES))
def test_edges_are_drawn(show: Show) -> None:
    nothing = replace(SOME, strength=np.full_like(SOME.strength, np.nan))
    two = interaction_made_up.interactions(("A", "<b>B</b>" * 30), others=0)
    many = interaction_made_up.interactions()
    for found in (nothing, two, many, with_scores([[0], [0], [0]])):
        figure = pair_heatmap.figure(found, show, chosen=0)
        assert len(figure.layout.shapes) == 4, "two rings around either half"
        assert pair_heatmap.alt(found, show)
        assert "<b>B" not in figure.to_json()
        assert "\\u003cb\\u003eB" not in figure.to_json()


def links() -> tuple[Interactions, np.ndarray]:
    return interaction_made_up.with_regions()


def coloured(figure: go.Figure) -> list[go.Scatter]:
    """Return the links without their light edges, the weakest first."""
    return [t for t in figure.data if t.mode == "lines" and t.line.color in (LESS, MORE)]


def test_links_show_sign_size_and_dispute() -> None:
    found, picture = links()
    figure = region_links.figure(found, picture)
    pairs = region_links.linked(found)
    middles, told = found.spread()[:, 1], sign_agreement.verdicts(found)
    lines = coloured(figure)[::-1]
    assert len(lines) == len(pairs) > 3
    for pair, line in zip(pairs, lines, strict=True):
        assert line.line.color == (MORE if middles[pair] > 0 else LESS)
        assert line.line.dash == ("dash" if told[pair] == "both" else "solid")
    widths = [line.line.width for line in lines]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > widths[-1]
    assert [key[0] for key in picks(figure).values()] == pairs
    flipped, _ = interaction_made_up.with_regions(flip=-1)
    other = coloured(region_links.figure(flipped, picture))[-1]
    assert (lines[0].line.color, other.line.color) == (MORE, LESS)


def test_links_join_the_regions() -> None:
    found, picture = links()
    assert found.regions is not None
    figure = region_links.figure(found, picture)
    scale = 448 / 64
    for pair, line in zip(region_links.linked(found), coloured(figure)[::-1], strict=True):
        for end, feature in ((0, found.pairs[pair][0]), (-1, found.pairs[pair][1])):
            row, column = int(line.y[end] / scale), int(line.x[end] / scale)
            assert found.regions[row, column] == feature
    assert len(coloured(region_links.figure(found, picture, most=2))) == 2
    assert not coloured(region_links.figure(found, picture, most=0))


def test_centre_of_a_hollow_region_lies_in_it() -> None:
    ring = np.zeros((9, 9), np.int32)
    ring[2:7, 2:7] = 1
    ring[3:6, 3:6] = 0
    x, y = region_links.centres_of(ring, (18, 18))[1]
    assert ring[int(y / 2), int(x / 2)] == 1


def test_columns_have_no_links() -> None:
    with pytest.raises(ValueError, match="of columns: there are no regions"):
        region_links.figure(SOME, np.zeros((8, 8, 3), np.uint8))
