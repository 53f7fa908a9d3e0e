"""Strengths: all pairs as a heatmap and as a table; other measures of them on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import streamlit as st

from components import interaction_words, pair_heatmap, saying
from components.interaction_names import order_of, pair_named, place_of
from components.sign_agreement import SURE
from components.words import plain
from dashboard.heads import asking
from dashboard.interactions import marks
from dashboard.interactions.keys import PREFIX
from dashboard.interactions.looked import Drawn, Looked, beside, chart, take_pair
from dashboard.running import interactions as running
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.interaction_results import PairComparison

if TYPE_CHECKING:
    from components.pair_heatmap import Show
    from engine.interactions.comparing import ComparisonPlan

_SHOWN = {
    "reference": "Reference",
    "min": "Smallest",
    "median": "Median",
    "max": "Largest",
    "agreement": "One sign",
}


def show(looked: Looked) -> Drawn:
    """Draw the view; return the heatmap."""
    found = looked.found
    shown = cast("Show", _shown())
    left, right = beside(3, 4)
    with left, st.container(border=True, key="card-strengths"):
        drawn = pair_heatmap.figure(found, shown, looked.epsilon, looked.pair)
        alt = pair_heatmap.alt(found, shown, looked.epsilon)
        chart(drawn, "strengths", alt, lambda data: take_pair(looked, data))
        words = interaction_words.heatmap_sentence(found, looked.epsilon)
        st.markdown(plain(words))
        _far(looked)
    with right, st.container(border=True, key="card-pairs"):
        st.markdown(
            f"**{saying.counted(len(found.pairs), 'pair')}** :gray[:small[interaction scores over "
            "the good models; one sign: the share of models with the usual sign]]"
        )
        other = _compared(looked)
        st.dataframe(
            table_of(looked, other),
            hide_index=True,
            height="content" if len(found.pairs) <= _ROWS else "auto",
            column_config={
                "pair": st.column_config.TextColumn(width=_WIDE),
                "one sign": st.column_config.NumberColumn(format="%d %%", width=_NARROW),
                **{
                    name: st.column_config.NumberColumn(format="%.2g", width=_NARROW)
                    for name in _NUMBERS
                },
            },
        )
        if other is not None:
            st.caption(
                "H² (Friedman and Popescu, 2008) is the share of what two columns do together that "
                "neither does alone; SHAP, the mean size of the interaction value (Lundberg et "
                "al., 2018). Both are of the reference's output, not of its loss, and know "
                "nothing of other good models: where they disagree, that is why."
            )
    return Drawn(drawn, "Strengths of pairs", words)


_WIDE, _NARROW = 268, 72  # pixels
_ROWS = 15  # shown at once
_NUMBERS = ("reference", "±", "min", "median", "max", "H²", "SHAP")


def table_of(looked: Looked, other: PairComparison | None = None) -> pd.DataFrame:
    """Return a line for each pair, the strongest first."""
    found = looked.found
    agreement = found.agreement(looked.epsilon)
    spread, scores = (found.swept(told) for told in (found.spread(looked.epsilon), found.scores))
    rows: list[dict[str, Any]] = []
    for pair in map(int, order_of(found)):
        low, middle, high = spread[pair].tolist()
        row: dict[str, Any] = {
            "pair": pair_named(found, pair),
            "reference": float(scores[pair, 0]),
            **({"±": SURE * float(found.error[pair, 0, 3])} if found.error.any() else {}),
            "min": low,
            "median": middle,
            "max": high,
            "one sign": int(100 * agreement[pair]),  # 100 % only if it is all
        }
        if other is not None:
            own = (other.pairs == found.pairs[pair]).all(axis=1)
            row |= {"H²": _told(other.h[own]), "SHAP": _told(other.shap[own])}
        rows.append(row)
    return pd.DataFrame(rows)


def _told(value: np.ndarray) -> float:
    """Return a number without the dust that rounding leaves where it is 0."""
    return round(float(value[0]), 9)


def _shown() -> str:
    key = f"{PREFIX}show"
    restore.valid(key, list(_SHOWN))
    restore.aloud(key, "reference")
    chosen = st.segmented_control(
        "What the cells show",
        list(_SHOWN),
        format_func=_SHOWN.__getitem__,
        key=key,
        persist_state="session",
        required=True,
    )
    return str(chosen)


def _far(looked: Looked) -> None:
    """Offer to look closely at a pair that was clicked and is not among them."""
    found, far = looked.found, st.session_state.get("i-far")
    if far is None or max(far) >= len(found.columns) or place_of(found, *far) is not None:
        return
    if not looked.current:  # the features of what is asked for now may be others
        return
    name = " × ".join(found.titles[feature] for feature in far)
    st.info(plain(f"{name} was not looked at closely: this is the reference's score alone."))
    st.button("Look at it too", icon=":material/add:", key="i-add", on_click=_add, args=(looked,))


def _add(looked: Looked) -> None:
    far: tuple[int, int] = st.session_state.pop("i-far")
    there = [f"{min(pair)}:{max(pair)}" for pair in looked.found.pairs.tolist()]
    st.session_state[f"{PREFIX}pairs"] = [*there, f"{far[0]}:{far[1]}"]
    marks.keep(marks.Marks(far))


def _compared(looked: Looked) -> PairComparison | None:
    """Show the switch of other measures; return them once they are there."""
    if looked.asked.table is None:
        return None
    key = f"{PREFIX}compare"
    restore.aloud(key, False)
    if not st.toggle("H² and SHAP beside it", key=key, persist_state="session"):
        return None
    try:
        plan = asking.planned(("compared", looked.found.key), lambda: _plan(looked))
    except HaloscopeError as error:
        st.info(plain(str(error)), icon=":material/info:")
        return None
    seconds = running.seconds(plan)
    job = asking.asked(
        "compare",
        plan.key,
        seconds,
        asking.passes(plan.cost),
        lambda: running.submit_comparison(plan),
        quick=asking.is_quick(seconds, plan.cost) or running.is_kept(plan),
    )
    found = None if job is None else job.result
    return found if isinstance(found, PairComparison) else None


def _plan(looked: Looked) -> ComparisonPlan:
    from engine.interactions.comparing import plan_comparison

    asked = looked.asked
    assert asked.settings is not None
    pairs = looked.found.pairs.tolist()
    return plan_comparison(
        asked.model, asked.table, pairs=pairs, label=asked.label, seed=asked.settings.seed
    )
