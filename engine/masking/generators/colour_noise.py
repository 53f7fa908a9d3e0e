"""Masks from noise of a colour (hinojosa2024colormae)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.execution.draws import generator
from engine.masking.generators.generator import Generator, Wanted
from engine.masking.generators.ranking import hide_lowest
from engine.parameters import Parameter, Value

# In cells. The paper's ranges are not public: these are ours.
SIGMAS = {"red": (1.0,), "blue": (1.0,), "green": (1.0, 2.0), "purple": (0.5, 2.0)}
COLOURS = tuple(SIGMAS)
_CUT = 4  # a Gaussian ends at so many σ


class ColourNoise(Generator):
    """White noise W through a filter; the highest values stay visible.

    With G the Gaussian of σ cells, red = G∗W, blue = W − G∗W, green = G₁∗W − G₂∗W and
    purple = W − green. σ is ours: red 1, blue 1, green (1, 2), purple (0.5, 2). The noise is
    drawn larger than the grid, and cut to it after filtering, so that nothing wraps around or is
    mirrored, and every cell is as likely as any other (ours; the paper does not say).
    White noise is the generator "uniform".
    """

    name = "colour-noise"
    title = "Colour noise"
    summary = "Hides lumps (red), scattered cells (blue), or spots of one size (green, purple)."
    parameters = (
        Parameter(
            "colour", "Colour", "choice", "green",
            "Red: large lumps. Green: smaller ones of one size. Blue: evenly scattered. Purple: "
            "white without green.",
            choices=COLOURS,
        ),
    )  # fmt: skip
    paper = "hinojosa2024colormae"
    caveat = "The widths of the filters are ours: the paper's are not public."
    paper_hidden = 0.75

    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``."""
        return hide_lowest(wanted, coloured(wanted, str(parameters["colour"])))


def coloured(wanted: Wanted, colour: str) -> np.ndarray:
    """Return noise of a colour on the grid, float64 ``(count, rows, columns)``."""
    sigmas = SIGMAS[colour]
    margin = max(_radius(sigma) for sigma in sigmas)
    white = _white(wanted, margin)
    inner = white[:, margin : margin + wanted.grid[0], margin : margin + wanted.grid[1]]
    smooth = [_smoothed(white, sigma, margin) for sigma in sigmas]
    if colour == "red":
        return smooth[0]
    if colour == "blue":
        return np.asarray(inner - smooth[0])
    between = smooth[0] - smooth[1]
    return np.asarray(between if colour == "green" else inner - between)


def _white(wanted: Wanted, margin: int) -> np.ndarray:
    rows, columns = (length + 2 * margin for length in wanted.grid)
    drawn = [
        generator(wanted.seed, i).standard_normal((rows, columns)) for i in range(wanted.count)
    ]
    return np.stack(drawn)


def _radius(sigma: float) -> int:
    return int(_CUT * sigma + 0.5)


def _smoothed(noise: np.ndarray, sigma: float, margin: int) -> np.ndarray:
    """Filter along both axes and cut the margin off."""
    down, across = (_filter(length, sigma, margin) for length in noise.shape[1:])
    return np.asarray(down @ noise @ across.T)


def _filter(length: int, sigma: float, margin: int) -> np.ndarray:
    """Return a Gaussian as a matrix ``(length − 2 margin, length)``; its rows sum to 1."""
    places = np.arange(margin, length - margin)[:, None]
    offsets = np.arange(length)[None] - places
    weights = np.exp(-0.5 * (offsets / sigma) ** 2) * (np.abs(offsets) <= _radius(sigma))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
