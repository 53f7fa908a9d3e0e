"""Colour noise and FMix: fields by slow roads, distances and spectra as published or measured."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import cdist

from engine.masking.generators.colour_noise import coloured
from engine.masking.generators.fmix import landscape
from engine.masking.generators.generator import Wanted
from engine.masking.generators.registry import make_masks

MASKS = 600


def mean_distance(keep: np.ndarray) -> float:
    """From a hidden cell to the nearest visible one, in cells, on average."""
    each = [cdist(np.argwhere(~one), np.argwhere(one)).min(axis=1).mean() for one in keep]
    return float(np.mean(each))


@pytest.fixture(scope="module")
def distances() -> dict[str, float]:
    asked = {"white": ("uniform", {})}
    for colour in ("red", "blue", "green", "purple"):
        asked[colour] = ("colour-noise", {"colour": colour})
    return {
        name: mean_distance(make_masks(generator, (14, 14), 0.75, count=MASKS, **parameters))
        for name, (generator, parameters) in asked.items()
    }


def test_the_order_of_distances(distances: dict[str, float]) -> None:
    blue, white, purple, green, red = (
        distances[name] for name in ("blue", "white", "purple", "green", "red")
    )
    assert blue + 0.04 < white
    assert abs(white - purple) < 0.02
    assert max(white, purple) + 0.2 < green
    assert green + 0.2 < red


@pytest.mark.parametrize(
    ("name", "measured"),
    [("blue", 1.17), ("white", 1.24), ("purple", 1.24), ("green", 1.58), ("red", 1.94)],
)
def test_distances_as_measured(name: str, measured: float, distances: dict[str, float]) -> None:
    assert distances[name] == pytest.approx(measured, abs=0.03)


def by_scipy(seed: int, index: int, grid: tuple[int, int], colour: str) -> np.ndarray:
    """The same field by another implementation of the Gaussian, on the noise of the draws."""
    margin = {"red": 4, "blue": 4, "green": 8, "purple": 8}[colour]
    size = (grid[0] + 2 * margin, grid[1] + 2 * margin)
    white = np.random.default_rng([seed, index]).standard_normal(size)

    def smooth(sigma: float) -> np.ndarray:
        return gaussian_filter(white, sigma, mode="constant", truncate=4)

    fields = {
        "red": lambda: smooth(1),
        "blue": lambda: white - smooth(1),
        "green": lambda: smooth(1) - smooth(2),
        "purple": lambda: white - (smooth(0.5) - smooth(2)),
    }
    return fields[colour]()[margin:-margin, margin:-margin]


@pytest.mark.parametrize("colour", ["red", "blue", "green", "purple"])
@pytest.mark.parametrize("grid", [(14, 14), (3, 9), (1, 1)])
def test_filters_agree_with_scipy(colour: str, grid: tuple[int, int]) -> None:
    # A margin of 4 σ, rounded, makes the field independent of how the filter ends.
    found = coloured(Wanted(grid, 0.5, 3, 7), colour)
    for index in range(3):
        assert np.allclose(found[index], by_scipy(7, index, grid, colour), atol=1e-12)


@pytest.mark.parametrize("colour", ["red", "blue", "green", "purple"])
def test_every_cell_is_as_likely_as_any_other(colour: str) -> None:
    keep = make_masks("colour-noise", (8, 8), 0.75, count=4000, seed=5, colour=colour)
    hidden = (~keep).mean(axis=0)
    border = np.ones((8, 8), dtype=bool)
    border[2:-2, 2:-2] = False
    # The field is stationary, but the threshold is that of a finite grid: corners, with fewer
    # neighbours in it, go along with it a little less.
    assert np.abs(hidden - 0.75).max() < 0.05
    assert abs(hidden[border].mean() - hidden[~border].mean()) < 0.03


def slow_landscape(parts: np.ndarray, decay: float) -> np.ndarray:
    """The formula as sums over all frequencies and places."""
    rows, columns = parts.shape[1:]
    field = np.zeros((rows, columns))
    for u in range(rows):
        for v in range(columns):
            f = [w / n - (w >= (n + 1) // 2) for w, n in ((u, rows), (v, columns))]
            fade = max(math.hypot(*f), 1 / max(rows, columns)) ** decay
            height = complex(parts[0, u, v], parts[1, u, v]) / fade
            for i in range(rows):
                for j in range(columns):
                    turn = 2j * math.pi * (u * i / rows + v * j / columns)
                    field[i, j] += (height * np.exp(turn)).real / (rows * columns)
    return field


@pytest.mark.parametrize("grid", [(4, 6), (5, 5), (1, 7), (3, 1), (1, 1)])
@pytest.mark.parametrize("decay", [0.0, 1.5, 3.0])
def test_fmix_follows_the_formula(grid: tuple[int, int], decay: float) -> None:
    found = landscape(Wanted(grid, 0.5, 2, 11), decay)
    for index in range(2):
        parts = np.random.default_rng([11, index]).standard_normal((2, *grid))
        expected = slow_landscape(parts, decay)
        assert np.allclose(found[index], expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("decay", [0.0, 1.0, 2.0, 3.0])
def test_radial_power_falls_with_twice_the_decay(decay: float) -> None:
    side = 64
    fields = landscape(Wanted((side, side), 0.5, 100, 1), decay)
    power = (np.abs(np.fft.fft2(fields)) ** 2).mean(axis=0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    inside = (frequency > 1.5 / side) & (frequency < 0.5)
    slope, _ = np.polyfit(np.log(frequency[inside]), np.log(power[inside]), 1)
    assert slope == pytest.approx(-2 * decay, abs=0.05)


def test_the_highest_of_fmix_stay_and_pieces_are_large() -> None:
    keep = make_masks("fmix", (14, 14), 0.5, count=200, seed=4)
    fields = landscape(Wanted((14, 14), 0.5, 200, 4), 3.0)
    for one, field in zip(keep, fields, strict=True):
        assert field[one].min() >= field[~one].max()
    white = make_masks("fmix", (14, 14), 0.5, count=200, seed=4, decay=0)
    assert mean_distance(keep) > 2 * mean_distance(white)
