"""FMix masks (harris2020fmix)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.execution.draws import generator
from engine.masking.generators.generator import Generator, Wanted
from engine.masking.generators.ranking import hide_lowest
from engine.parameters import Parameter, Value


class FMix(Generator):
    """Low frequencies of noise, cut at the height that leaves the wanted share.

    A complex Gaussian spectrum is divided by max(frequency, 1/n)^δ, with n the longer side, and
    brought back by an inverse Fourier transform; the highest values of its real part stay.
    This is the paper's formula (its code takes the wrong axis). Frequencies are in cycles a cell,
    and the pattern wraps around at the edges.
    """

    name = "fmix"
    title = "FMix"
    summary = "Hides a few large pieces of irregular shape."
    parameters = (
        Parameter(
            "decay", "Decay", "float", 3.0,
            "How fast high frequencies fade (δ): 0 is white noise, 3 the paper's.",
            low=0, high=6,
        ),
    )  # fmt: skip
    paper = "harris2020fmix"
    caveat = "Pieces that leave the picture at one edge come in at the other."

    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``."""
        return hide_lowest(wanted, landscape(wanted, float(parameters["decay"])))


def landscape(wanted: Wanted, decay: float) -> np.ndarray:
    """Return the field before it is cut, float64 ``(count, rows, columns)``."""
    rows, columns = wanted.grid
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None])
    fade = np.maximum(frequency, 1 / max(rows, columns)) ** decay  # (rows, columns)
    parts = np.stack(
        [generator(wanted.seed, i).standard_normal((2, rows, columns)) for i in range(wanted.count)]
    )
    spectrum = (parts[:, 0] + 1j * parts[:, 1]) / fade
    return np.asarray(np.fft.ifft2(spectrum).real)
