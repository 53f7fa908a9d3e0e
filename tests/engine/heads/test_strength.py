"""Each number against plain loops over queries and keys, and against closed forms."""

from __future__ import annotations

from math import hypot, log

import numpy as np
import pytest

from engine.head_results import MEASURES, HeadMaps
from engine.heads.strength import strength_of
from tests.engine.heads import making

CASES = {
    "class token": making.maps_of(making.drawn(2, 13), grid=(3, 4)),
    "registers": making.maps_of(
        making.drawn(3, 15, 1), making.drawn(3, 15, 2), grid=(4, 3), prefix=2, suffix=1
    ),
    "no class token": making.maps_of(making.drawn(2, 12, 4), grid=(2, 6), prefix=0),
    "windows": making.windowed(6, 3, 0),
    "shifted and padded windows": making.windowed(5, 3, 1),
}
SIZE = (48, 60)


def by_hand(maps: HeadMaps, layer: int, head: int) -> dict[str, float | list[float]]:
    """All measures of one head, in plain Python."""
    a = making.dense(maps, layer, head).tolist()
    reach = making.neighbours(maps, layer)
    rows, columns = maps.grids[layer]
    start, tokens = maps.prefix[layer], len(a)
    patches = range(start, start + rows * columns)

    def at(token: int) -> tuple[int, int]:
        return (token - start) // columns, (token - start) % columns

    hops = [0.0] * max(rows, columns)
    cells = [0.0] * max(rows, columns)
    means = []
    for i in patches:
        far = near = 0.0
        for j in patches:
            (r, c), (s, d) = at(i), at(j)
            k = max(abs(r - s), abs(c - d))
            hops[k] += a[i][j] / len(patches)
            cells[k] += (j in reach[i]) / len(patches)
            far += a[i][j] * hypot((r - s) * SIZE[0] / rows, (c - d) * SIZE[1] / columns)
            near += a[i][j]
        means.append(far / near)
    entropies = [-sum(p * log(p) for p in a[i] if p > 0) for i in range(tokens)]
    shares = [e / log(len(reach[i])) for i, e in enumerate(entropies)]
    needed = []
    for row in a:
        total, count = 0.0, 0
        for p in sorted(row, reverse=True):
            if total >= 0.9:
                break
            total, count = total + p, count + 1
        needed.append(count)
    found: dict[str, float | list[float]] = {
        "hops": hops,
        "cells": cells,
        "distance": sum(means) / len(means),
        "entropy": sum(entropies) / tokens,
        "entropy-share": sum(shares) / tokens,
        "needed": float(np.median(needed)),
        "needed-share": float(np.median([n / len(reach[i]) for i, n in enumerate(needed)])),
    }
    if maps.class_token(layer) == 0:
        found["class-to-class"] = a[0][0]
        found["class-to-patches"] = sum(a[0][j] for j in patches)
        found["patches-to-class"] = sum(a[i][0] for i in patches) / len(patches)
    return found


@pytest.mark.parametrize("name", CASES)
def test_by_hand(name: str) -> None:
    maps = CASES[name]
    found = strength_of(maps, SIZE)
    for layer, heads in enumerate(maps.heads):
        for head in range(heads):
            wanted = by_hand(maps, layer, head)
            hops, cells = np.array(wanted.pop("hops")), np.array(wanted.pop("cells"))
            there = cells > 0
            assert np.allclose(found.profile[layer, head][there], hops[there], atol=1e-12)
            assert np.allclose(found.cells[layer][there], cells[there], atol=1e-12)
            assert np.isnan(found.profile[layer, head][~there]).all()
            for index, measure in enumerate(MEASURES):
                value = found.measures[layer, head, index]
                if measure in wanted:
                    assert value == pytest.approx(wanted[measure], abs=1e-9), measure
                else:
                    assert np.isnan(value), measure


def measured(maps: HeadMaps, name: str, size: tuple[int, int] = SIZE) -> float:
    return float(strength_of(maps, size).measures[0, 0, MEASURES.index(name)])


def test_all_attention_is_told() -> None:
    maps = CASES["class token"]
    found = strength_of(maps, SIZE)
    whole = np.nansum(found.profile, axis=-1) + found.measures[..., 2]
    assert np.allclose(whole, 1, atol=1e-9)


def test_even_attention() -> None:
    maps = making.maps_of(np.full((1, 17, 17), 1 / 17), grid=(4, 4))
    assert measured(maps, "entropy") == pytest.approx(log(17), abs=1e-6)
    assert measured(maps, "entropy-share") == pytest.approx(1, abs=1e-7)
    assert measured(maps, "needed") == 16  # 15 of 17 hold 88 %
    assert measured(maps, "class-to-patches") == pytest.approx(16 / 17)
    found = strength_of(maps, SIZE)
    per_cell = found.profile[0, 0] / found.cells[0]
    assert np.allclose(per_cell, 1 / 17)
    assert found.cells[0].sum() == pytest.approx(16)


def test_distance_of_even_attention_along_a_line() -> None:
    # Mean distance of two of n places in a line, each drawn alike: (n² − 1) / 3n steps.
    maps = making.maps_of(np.full((1, 8, 8), 1 / 8), grid=(1, 8), prefix=0)
    assert measured(maps, "distance", (10, 80)) == pytest.approx(10 * (64 - 1) / 24)
    assert measured(maps, "distance", (10, 160)) == pytest.approx(20 * (64 - 1) / 24)
    assert measured(maps, "distance", (90, 80)) == pytest.approx(10 * (64 - 1) / 24)


def test_every_token_looks_at_itself() -> None:
    found = strength_of(making.maps_of(np.eye(17)[None], grid=(4, 4)), SIZE)
    assert np.allclose(found.profile[0, 0], [1, 0, 0, 0])
    assert np.allclose(found.measures[0, 0], [1, 0, 0, 0, 0, 0, 1, 1 / 17], atol=1e-7)


def test_every_patch_looks_two_columns_to_the_right() -> None:
    shifted = np.zeros((1, 16, 16))
    for patch in range(16):
        row, column = divmod(patch, 4)
        shifted[0, patch, 4 * row + (column + 2) % 4] = 1
    maps = making.maps_of(shifted, grid=(4, 4), prefix=0)
    assert np.allclose(strength_of(maps, (40, 80)).profile[0, 0], [0, 0, 1, 0])
    assert measured(maps, "distance", (40, 80)) == pytest.approx(40)


def test_layers_of_several_sizes_are_padded() -> None:
    wide = making.maps_of(making.drawn(3, 16), grid=(4, 4), prefix=0)
    small = making.maps_of(making.drawn(2, 4), grid=(2, 2), prefix=0)
    both = HeadMaps(*(getattr(wide, n) + getattr(small, n) for n in HeadMaps.__dataclass_fields__))
    found = strength_of(both, SIZE)
    assert found.profile.shape == (2, 3, 4)
    assert np.isfinite(found.profile[0]).all()
    assert np.isfinite(found.profile[1, :2, :2]).all()
    assert np.isnan(found.profile[1, 2]).all()
    assert np.isnan(found.profile[1, :, 2:]).all()
    assert np.isnan(found.measures[1, 2]).all()
    assert np.array_equal(found.measures[1, :2], strength_of(small, SIZE).measures[0], True)


def test_what_goes_to_padding_is_shared_out() -> None:
    maps = CASES["shifted and padded windows"]
    assert (maps.layouts[0] < 0).any()
    changed = HeadMaps(**{**vars(maps), "maps": (maps.maps[0].copy(),)})
    padded = maps.layouts[0] < 0
    rows = np.broadcast_to(padded[:, None, :, None], changed.maps[0].shape)
    changed.maps[0][rows] = 7.0  # what padding itself attends to is nobody's business
    assert np.array_equal(
        strength_of(maps, SIZE).measures, strength_of(changed, SIZE).measures, equal_nan=True
    )
