"""How a map is looked at: which values, on which scale, up to where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from components.tokens import DIVERGING, SEQUENTIAL
from engine.results import Attribution

Kind = Literal["positive", "signed", "magnitude"]
KINDS: tuple[Kind, ...] = ("positive", "signed", "magnitude")
TITLES = {"positive": "Positive", "signed": "Signed", "magnitude": "Magnitude"}
DEFAULT_CLIP = 99.0


@dataclass(frozen=True, eq=False)
class View:
    """A map ready to be drawn.

    Attributes:
        kind: "positive" (what speaks for), "signed" (for and against) or "magnitude".
        values: float32 ``(rows, columns)``, the attribution's own, nothing cut off.
        limit: the value at the end of the scale, above 0.
        largest: the largest value shown, before clipping.
    """

    kind: Kind
    values: np.ndarray
    limit: float
    largest: float

    @property
    def stops(self) -> tuple[str, ...]:
        """The colour scale: diverging and centred at zero for signed values."""
        return DIVERGING if self.kind == "signed" else SEQUENTIAL

    @property
    def low(self) -> float:
        """The value at the beginning of the scale."""
        return -self.limit if self.kind == "signed" else 0.0

    @property
    def ends(self) -> tuple[str, str]:
        """What the ends of the scale mean, in words."""
        if self.kind == "signed":
            return "against", "for"
        return ("no evidence", "strongest") if self.kind == "positive" else ("none", "strongest")

    def unit(self, values: np.ndarray | None = None) -> np.ndarray:
        """Return values (by default the view's own) as places on the scale, 0 … 1."""
        given = self.values if values is None else values
        return np.clip((given - self.low) / (self.limit - self.low), 0, 1)


def look_at(attribution: Attribution, kind: Kind, clip: float = DEFAULT_CLIP) -> View:
    """Make a view.

    Args:
        attribution: of a picture.
        kind: "positive", "signed" or "magnitude".
        clip: percentile of the shown values that ends the scale, 50 … 100; what lies
            beyond gets the last colour.
    """
    values = attribution.grid(magnitude=kind == "magnitude")
    shown = np.abs(values) if kind == "signed" else np.clip(values, 0, None)
    largest = float(shown.max(initial=0.0))
    limit = float(np.percentile(shown, clip)) if shown.size else 0.0
    if limit <= 0:
        limit = largest or 1.0
    return View(kind, values, limit, largest)


def example() -> View:
    """A view of a made-up map."""
    rows, columns = np.mgrid[-1:1:24j, -1:1:24j]
    values = np.exp(-6 * ((rows - 0.2) ** 2 + columns**2)) - 0.4 * np.exp(
        -8 * ((rows + 0.5) ** 2 + (columns + 0.5) ** 2)
    )
    manifest = {"key": "example", "display": {"fold": "sum", "view": "positive"}}
    return look_at(Attribution(manifest, values.astype(np.float32)), "signed")
