from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from components import export, head_made_up, head_mosaic, head_on_image, tokens
from engine.head_results import HeadMaps


def rgb(code: str) -> tuple[int, ...]:
    return tuple(int(code[i : i + 2], 16) for i in (1, 3, 5))


def one_bright(side: int = 4, heads: int = 3, layers: int = 2) -> HeadMaps:
    """Each head's class token gives all to one patch: the one of the head's own number."""
    maps = head_made_up.maps(layers, heads, side)
    for layer, one in enumerate(maps.maps):
        one[:, :, 0] = 0
        for head in range(heads):
            one[0, head, 0, 1 + layer * heads + head] = 1
    return maps


def test_mosaic_shows_each_head_at_its_place() -> None:
    maps = one_bright()
    mosaic, picture = head_mosaic.layout_of(maps), head_mosaic.picture(maps)
    assert picture.size == mosaic.size
    pixels = np.asarray(picture.convert("RGBA"))
    cell = mosaic.side // 4
    for layer in range(2):
        for head in range(3):
            bright = np.argwhere((pixels[..., :3] == rgb(tokens.SEQUENTIAL[-1])).all(axis=-1))
            own = [tuple(p) for p in bright if mosaic.at(p[1], p[0]) == (layer, head)]
            assert len(own) == cell**2
            step = mosaic.side + 3
            row, column = (np.array(own).min(axis=0) - (layer * step, head * step)) // cell
            assert 4 * row + column == layer * 3 + head


def test_mosaic_of_a_patch_that_asks() -> None:
    maps = head_made_up.maps()
    assert head_mosaic.picture(maps).tobytes() != head_mosaic.picture(maps, (0.9, 0.1)).tobytes()


def test_each_map_reaches_its_own_largest_weight() -> None:
    maps = one_bright()
    weak = replace(maps, maps=tuple(one * 0.01 for one in maps.maps))
    assert head_mosaic.picture(weak).tobytes() == head_mosaic.picture(maps).tobytes()


def test_where_there_is_no_head_the_mosaic_is_empty() -> None:
    maps = one_bright(heads=3)
    ragged = replace(maps, maps=(maps.maps[0], maps.maps[1][:, :2]))
    mosaic = head_mosaic.layout_of(ragged)
    read = Image.open(io.BytesIO(export.png(head_mosaic.picture(ragged)))).convert("RGBA")
    seen = np.asarray(read)[..., 3]
    for y in range(0, read.height, 7):
        for x in range(0, read.width, 7):
            assert (seen[y, x] > 0) == (mosaic.at(x, y) is not None)
    assert mosaic.at(mosaic.size[0] - 1, mosaic.size[1] - 1) is None
    assert mosaic.at(mosaic.size[0] - 1, 0) == (0, 2)
    for outside in ((-1, 5), (5, -1), (10_000, 5), (5, 10_000), (mosaic.side + 1, 5)):
        assert mosaic.at(*outside) is None


@pytest.mark.parametrize("place", [None, (0.5, 0.5)])
def test_144_heads_are_one_small_picture(place) -> None:
    maps = head_made_up.maps(12, 12, 14)
    assert len(export.png(head_mosaic.picture(maps, place))) <= 120_000
    figure = head_mosaic.figure(maps, place, (3, 4))
    assert len(figure.to_json()) <= 120_000
    assert len(figure.data) == 1
    assert len(figure.layout.images) == 1


def test_fine_grids_are_averaged_down() -> None:
    maps = head_made_up.maps(1, 12, 24)
    fine = HeadMaps(
        tuple(one[:, :, 1:, 1:] for one in maps.maps),
        (np.arange(576)[None],),
        ((24, 24),),
        (0,),
        (0,),
        ("block",),
    )
    tall = replace(fine, maps=(fine.maps[0].repeat(2, axis=1),))
    assert head_mosaic.layout_of(tall).side == 24
    values = np.zeros((80, 80))
    values[::2] = 1.0
    assert np.unique(head_mosaic._tile(values, 40)).tolist() == [127]


def test_clicks_on_the_mosaic() -> None:
    maps = head_made_up.maps()
    figure = head_mosaic.figure(maps, None, (4, 2), {(0, 1)})
    (trace,) = [t for t in figure.data if t.customdata is not None]
    assert [tuple(key) for key in trace.customdata] == [(a, b) for a in range(6) for b in range(6)]
    (picture,) = figure.layout.images
    mosaic = head_mosaic.layout_of(maps)
    for key, x, y in zip(trace.customdata, trace.x, trace.y, strict=True):
        across = (x - picture.x) / picture.sizex * mosaic.size[0]
        down = (y - picture.y) / picture.sizey * mosaic.size[1]
        assert mosaic.at(across, down) == tuple(key)
    assert trace.marker.opacity == 0
    assert "layer 1, head 1: at most " in trace.text[0]
    rings = [((s.x0 + s.x1) / 2, (s.y0 + s.y1) / 2) for s in figure.layout.shapes]
    assert set(rings) == {(2, 4)}
    source = base64.b64decode(picture.source.partition(",")[2])
    shown = Image.open(io.BytesIO(source))
    assert shown.size == mosaic.size


def photo(width: int = 64, height: int = 64) -> Image.Image:
    drawn = np.random.default_rng(0).integers(60, 200, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(drawn)


def test_patches_on_the_picture() -> None:
    values = np.arange(12.0).reshape(3, 4) / 100
    figure = head_on_image.figure(photo(), values, (1, 3))
    (trace,) = figure.data
    assert [tuple(key) for key in trace.customdata] == [(r, c) for r in range(3) for c in range(4)]
    assert list(zip(trace.y, trace.x, strict=True)) == [tuple(key) for key in trace.customdata]
    assert trace.text[7] == "row 2, column 4: 7 %"
    assert {((s.x0 + s.x1) / 2, (s.y0 + s.y1) / 2) for s in figure.layout.shapes} == {(3, 1)}
    assert not head_on_image.figure(photo(), values).layout.shapes
    (picture,) = figure.layout.images
    assert (picture.x, picture.y, picture.sizex, picture.sizey) == (-0.5, -0.5, 4, 3)
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]


def test_what_gets_most_is_coloured_most() -> None:
    values = np.zeros((4, 4))
    values[1, 2] = 0.01
    grey = Image.new("RGB", (64, 64), "#808080")
    pixels = np.asarray(head_on_image.picture(grey, values), dtype=float)
    change = np.abs(pixels - 128).sum(axis=2)
    rows, columns = (np.flatnonzero(change.max(axis=axis) > 20) for axis in (1, 0))
    assert (rows.min(), rows.max()) == (112, 223)
    assert (columns.min(), columns.max()) == (224, 335)
    even = np.asarray(head_on_image.picture(grey, np.zeros((4, 4))), dtype=float)
    assert np.abs(even - 128).max() <= 1


def test_pictures_keep_their_proportions() -> None:
    wide = photo(128, 64)
    assert head_on_image.picture(wide, np.ones((2, 4))).size == (448, 224)
    figure = head_on_image.figure(wide, np.ones((2, 8)))
    assert figure.layout.yaxis.scaleratio == 2  # patches of 16 × 32 pixels


def test_picture_of_a_head_is_small() -> None:
    values = np.random.default_rng(0).random((14, 14))
    assert len(head_on_image.figure(photo(224, 224), values).to_json()) <= 200_000
