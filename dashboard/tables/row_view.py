"""Why this row: contributions, what the model says, what if, and rows that came out otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from components import table_words, words
from components.words import plain, sentence
from dashboard.explore import link as copy_link
from dashboard.running import explanations
from dashboard.running.predictions import prediction
from dashboard.tables import export, nearest_view, running, telling, trust, what_if
from dashboard.tables.drawing import contributions

if TYPE_CHECKING:
    from dashboard.tables.choosing import Chosen
    from engine.attribution.explain import Plan
    from engine.results import Attribution

# What runs without being asked: rows are cheap, and a long job can be cancelled.
_UNASKED_SECONDS = 10.0
_UNASKED_PASSES = 400_000


def show(chosen: Chosen) -> None:
    """Draw the view."""
    if chosen.plan is None:
        st.title("Why this row?", anchor=False)
        st.error(sentence(chosen.problem))
        return
    found, busy = _found(chosen.plan)
    _header(chosen, found)
    left, right = st.columns([5, 3])
    with left, st.container(border=True, height="stretch", key="card-waterfall"):
        if found is None:
            st.caption("The contributions appear here.")
        else:
            _contributions(found)
    with right:
        _prediction(chosen)
        if found is not None:
            trust.card(found)
    _what_if(chosen, found)
    nearest_view.show(chosen, busy=busy)
    if found is not None:
        st.caption(plain(words.caption(found)))


def _found(plan: Plan) -> tuple[Attribution | None, bool]:
    """Run what is asked for.

    Returns:
        What is known: it, or what was there before; and whether it is still being computed.
    """
    seconds, cost = explanations.seconds(plan), explanations.cost(plan)
    short = cost.total <= _UNASKED_PASSES if seconds is None else seconds <= _UNASKED_SECONDS
    job = running.asked(
        "Explain", plan.key, seconds, cost, lambda: explanations.submit(plan), unasked=short
    )
    if job is not None and job.state == "done":
        st.session_state["t-shown"] = job.result.named_as(plan).attribution
    running.tell(job)
    shown = st.session_state.get("t-shown")
    if shown is not None and not _of_same(shown, plan):
        shown = None
    return shown, job is not None and job.active


def _of_same(shown: Attribution, plan: Plan) -> bool:
    """Whether a picture is of the same model, row and outcome, so that it may stay for a while."""
    then, row = shown.manifest["request"], plan.source()["input"]
    same = all(then[name] == plan.request[name] for name in ("model", "preprocessing", "target"))
    return same and _unchanged(shown.manifest["source"]["input"]) == _unchanged(row)


def _unchanged(name: str) -> str:
    return name.removesuffix(", changed")


def _header(chosen: Chosen, found: Attribution | None) -> None:
    assert chosen.plan is not None and chosen.model is not None and chosen.asked is not None
    target = chosen.plan.readout.target
    what = telling.said(chosen.model, prediction(chosen.model, chosen.asked), target)
    left, right = st.columns([5, 3], vertical_alignment="center")
    with (
        left,
        st.container(horizontal=True, vertical_alignment="center", gap="small", key="headline"),
    ):
        st.title(plain(f"Why {what}?"), anchor=False, width="content")
        if found is not None:
            _badge(found.key == chosen.plan.key)
    with (
        right,
        st.container(horizontal=True, horizontal_alignment="right", key="tools"),
    ):
        if found is not None:
            export.menu(found)
        copy_link.button()
    parts = (chosen.plan.method.title, chosen.model.card.title, chosen.asked.name)
    st.caption(" · ".join(plain(part) for part in parts))


def _badge(current: bool) -> None:
    if current:
        st.badge("Up to date", icon=":material/check_circle:", color="green")
    else:
        st.badge("Out of date", icon=":material/history:", color="orange")


def _contributions(found: Attribution) -> None:
    figure, alt = contributions(found)
    slope = found.manifest["display"]["view"] == "magnitude"
    st.markdown("**How the answer would move**" if slope else "**What each column adds**")
    with st.container(key="contributions"):
        st.plotly_chart(figure, config={"displayModeBar": False}, alt=alt)
    st.markdown(plain(table_words.waterfall_sentence(found)))


def _prediction(chosen: Chosen) -> None:
    assert chosen.plan is not None and chosen.model is not None
    assert chosen.asked is not None and chosen.row is not None
    model, target = chosen.model, chosen.plan.readout.target
    now = prediction(model, chosen.asked)
    before = prediction(model, chosen.row)
    with st.container(border=True, key="card-prediction"):
        st.markdown("**Prediction**")
        changed = chosen.asked is not chosen.row
        moved = float(now.probabilities[target] - before.probabilities[target])
        st.metric(
            plain(model.classes[target]),
            telling.number(model, now, target),
            _moved(moved, model.activation == "identity") if changed else None,
            delta_color="off",
        )
        said = telling.truth(chosen.row, model, chosen.label)
        if said:
            st.caption(f"The table's own answer for this row: **{plain(said)}**")
        if changed:
            st.caption(f"As it stands in the table: {telling.number(model, before, target)}")


def _moved(by: float, value: bool) -> str:
    return f"{by:+,.3g}" if value else f"{100 * by:+.1f} points"


def _what_if(chosen: Chosen, found: Attribution | None) -> None:
    assert chosen.model is not None and chosen.row is not None
    model, row = chosen.model, chosen.row
    with st.container(border=True, key="card-what-if"):
        head, tool = st.columns([4, 1], vertical_alignment="center")
        head.markdown(
            "**What if** :gray[:small[change a value and see prediction and contributions move]]"
        )
        tool.button(
            "Reset",
            icon=":material/undo:",
            disabled=not chosen.changes,
            on_click=lambda: what_if.reset(model, row),
            width="stretch",
            key="t-reset",
        )
        what_if.controls(model, row, _order(chosen, found))


def _order(chosen: Chosen, found: Attribution | None) -> list[int]:
    """Return the columns' places by size for the row as it stands: changes do not reorder."""
    assert chosen.model is not None and chosen.row is not None
    known = st.session_state.setdefault("t-orders", {})
    key = (chosen.model.digest, chosen.row.digest)
    current = chosen.plan is not None and found is not None and found.key == chosen.plan.key
    if found is not None and current and key not in known:
        known[key] = [int(place) for place in np.argsort(-np.abs(found.values), kind="stable")]
    return known.get(key, list(range(len(chosen.model.table_spec.columns))))
