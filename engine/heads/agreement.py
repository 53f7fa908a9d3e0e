"""How far each metric foretells what switching heads off does: as measured, not assumed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

RANDOM = "random"


@dataclass(frozen=True)
class Agreement:
    """A metric held against exact ablation, on one model.

    Attributes:
        metric: its name; "random" for orders drawn at random.
        rank: Spearman's rank correlation with the rise of the cross-entropy, heads switched off
            one at a time, −1 to 1.
        accuracy: share of right answers with half the heads off, the least important by this
            metric, on pictures that the ranking has not seen.
        loss: cross-entropy of the same, in nats.
    """

    metric: str
    rank: float
    accuracy: float
    loss: float


@dataclass(frozen=True)
class Measured:
    """All metrics on one model.

    Attributes:
        model: its name.
        digest: of its weights and architecture.
        images: name of the set.
        ranked, tested: how many of its pictures heads were ranked and tested on.
        heads, off: how many there are, and how many were switched off.
        accuracy, loss: with all heads on, of the tested pictures.
        metrics: the best rank agreement first.
    """

    model: str
    digest: str
    images: str
    ranked: int
    tested: int
    heads: int
    off: int
    accuracy: float
    loss: float
    metrics: tuple[Agreement, ...]


@cache
def measured_agreement() -> dict[str, Measured]:
    """Return what was measured, by the model's name; tests/bench/heads.py --write makes it."""
    text = files("assets").joinpath("heads/agreement.json").read_text("utf-8")
    found = {}
    for name, told in json.loads(text).items():
        each = tuple(Agreement(**one) for one in told.pop("metrics"))
        found[name] = Measured(model=name, metrics=each, **told)
    return found
