"""How far above the reference's loss, which pairs, how closely: the widgets and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import streamlit as st

from components.words import plain
from dashboard.interactions.keys import (
    EPSILON,
    MOST_RATE,
    MOST_REGIONS,
    NUMBER,
    PREFIX,
    RATE,
    REGIONS,
    REPEATS,
    SHARE,
)
from dashboard.state import restore
from engine.interactions.asking import LEAST_REPEATS, MOST_REPEATS, USUAL_PAIRS
from engine.interactions.retraining import MOST_RETRAINED
from engine.interactions.table_data import MOST_ASKED, MOST_ROWS

_ALLOWED = {SHARE: "A share of it", NUMBER: "A number"}

Pair = tuple[int, int]


@dataclass(frozen=True)
class Settings:
    """What is asked, hashable.

    Attributes:
        rate: share of the loss that a good model may be above it.
        epsilon: the same as a number, or None.
        pairs: by the places of their features; none: the usual ones.
        repeats, seed: of permutations.
        rows: at the most, or None for the usual.
        retrained: models trained again.
        regions: of a picture, at the most.
    """

    rate: float
    epsilon: float | None
    pairs: tuple[Pair, ...]
    repeats: int
    seed: int
    rows: int | None = None
    retrained: int = 0
    regions: int = REGIONS


def for_table(titles: Sequence[str], *, regression: bool) -> Settings:
    """Show the widgets for a table.

    Args:
        titles: of the model's columns.
        regression: whether the loss is a squared error.
    """
    rate, epsilon = _allowance("" if regression else "nats")
    pairs = _pairs(titles)
    with st.expander("Settings", icon=":material/tune:"):
        rows = _rows()
        repeats = _number("repeats", "Permutations", LEAST_REPEATS, MOST_REPEATS, REPEATS, _DRAWN)
        retrained = _number("retrained", "Models trained again", 0, MOST_RETRAINED, 0, _AGAIN)
        seed = _number("seed", "Seed", 0, 2**31 - 1, 0, "For rows, permutations and training.")
    return Settings(rate, epsilon, pairs, repeats, seed, rows, retrained)


def for_picture() -> Settings:
    """Show the widgets for a picture."""
    regions = _number("regions", "Regions, at the most", 2, MOST_REGIONS, REGIONS, _SUPERPIXELS)
    rate, epsilon = _allowance("nats")
    pairs = _pairs([f"region {place}" for place in range(regions)])
    return Settings(rate, epsilon, pairs, REPEATS, 0, regions=regions)


_DRAWN = (
    "All models share them. Where averaging over all values exactly costs no more, that is done "
    "instead."
)
_AGAIN = (
    "A second way into the set: really trained again, with other seeds, parts of the rows and "
    "regularisation. Our definition."
)
_SUPERPIXELS = "The picture falls into superpixels, often fewer than asked for."
_USUAL = (
    f"None chosen: all pairs of up to six features; of more, the {USUAL_PAIRS} with the largest "
    "score of the reference (our definition)."
)


def _allowance(unit: str) -> tuple[float, float | None]:
    """Show what a good model's loss may be above the reference's; return rate and ε."""
    key = f"{PREFIX}allow"
    restore.valid(key, list(_ALLOWED))
    restore.aloud(key, SHARE)
    way = st.segmented_control(
        "Good models: loss above the reference's",
        list(_ALLOWED),
        format_func=_ALLOWED.__getitem__,
        key=key,
        persist_state="session",
        required=True,
        width="stretch",
        help="The Rashomon set: all models of a kind whose loss is at most ε above that.",
    )
    if way == NUMBER:
        restore.aloud(f"{PREFIX}epsilon", EPSILON)
        epsilon = st.number_input(
            f"ε, {unit}" if unit else "ε",
            1e-9,
            1e9,
            step=0.01,
            format="%g",
            key=f"{PREFIX}epsilon",
            persist_state="session",
            help="Needed where the reference's loss is 0: a share of 0 allows nothing.",
        )
        return 0.1, float(epsilon)
    restore.aloud(f"{PREFIX}rate", RATE)
    rate = st.number_input(
        "Rashomon rate, %",
        0.01,
        MOST_RATE,
        step=1.0,
        format="%g",
        key=f"{PREFIX}rate",
        persist_state="session",
        help="ε as a share of the reference's loss.",
    )
    return float(rate) / 100, None


def _pairs(titles: Sequence[str]) -> tuple[Pair, ...]:
    options = [f"{i}:{j}" for i, j in combinations(range(len(titles)), 2)]
    key = f"{PREFIX}pairs"
    known, asked = set(options), st.session_state.get(key, [])
    for text in asked:
        if text not in known:
            restore.missed(f"there is no pair {text}")
    st.session_state[key] = [text for text in asked if text in known]
    chosen = st.multiselect(
        "Looked at closely",
        options,
        format_func=lambda text: plain(" × ".join(titles[at] for at in _features(text))),
        key=key,
        persist_state="session",
        placeholder="The usual pairs",
        help=_USUAL,
    )
    return tuple(_features(text) for text in chosen)


def _features(text: str) -> Pair:
    i, _, j = text.partition(":")
    return int(i), int(j)


def _rows() -> int | None:
    restore.aloud(f"{PREFIX}rows", None)
    rows = st.number_input(
        "Rows, at the most",
        2,
        MOST_ASKED,
        key=f"{PREFIX}rows",
        persist_state="session",
        placeholder="the usual",
        help=f"Empty: {MOST_ROWS} that differ; of a table whose rows repeat themselves, all.",
    )
    return None if rows is None else int(rows)


def _number(name: str, title: str, low: int, high: int, usual: int, told: str) -> int:
    key = f"{PREFIX}{name}"
    restore.aloud(key, usual)
    return int(st.number_input(title, low, high, key=key, persist_state="session", help=told))
