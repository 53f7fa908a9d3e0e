"""Which heads matter: scores of all heads by a metric, and two metrics against each other."""

from __future__ import annotations

import re
from dataclasses import replace

import streamlit as st

from components import head_heatmap, head_scatter, head_words, partial_bars
from components.words import plain
from dashboard.heads import agreement, asking, exporting, selecting
from dashboard.heads.choosing import Side
from dashboard.heads.link import PREFIX
from dashboard.heads.looking import own_off
from dashboard.heads.marks import Marks
from dashboard.running import explanations
from dashboard.running import heads as running
from dashboard.running.models import identity
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.head_results import HeadScores
from engine.heads.judging import plan_heads
from engine.heads.metric import HeadMetric
from engine.heads.planning import HeadPlan
from engine.heads.registry import head_metrics

_FIRST, _SECOND = "gradient", "cross-entropy"
_ON = {"this": None, "24": 24, "96": 96, "300": 300}
_OUTPUTS = {"probability": "Probability", "logit": "Score (logit)"}


def choose(side: Side) -> None:
    """Show the choosers of metric and pictures that the heads are judged by."""
    left, right = st.columns([3, 2])
    with left:
        metric = _metric("Metric", "metric", _FIRST, side)
    with right:
        _pictures(side)
    told = agreement.told(side.ref, metric.name)
    st.caption(plain(f"{metric.summary} {told}".strip()), help=plain(metric.caveat))


def _metric(label: str, name: str, first: str, side: Side) -> HeadMetric:
    known = head_metrics()
    names = sorted(known, key=lambda one: (one != first, known[one].title.lower()))
    key = f"{PREFIX}{name}"
    restore.valid(key, names)
    chosen = st.selectbox(
        label,
        names,
        format_func=lambda one: agreement.titled(known[one].title, side.ref, one),
        key=key,
        persist_state="session",
    )
    return known[chosen]


def _pictures(side: Side) -> None:
    restore.valid(f"{PREFIX}on", list(_ON))
    st.session_state.setdefault(f"{PREFIX}on", "this")
    st.selectbox(
        "Judged on",
        list(_ON) if side.home else ["this"],
        format_func=lambda on: "this picture" if on == "this" else f"{on} pictures",
        key=f"{PREFIX}on",
        persist_state="session",
        help="Of the picture alone, or of a set like it; only a set has standard errors.",
    )


def scores(side: Side, name: str) -> HeadScores | None:
    """Return scores by the metric of a chooser, or so far; show what goes on.

    Args:
        side: whose heads.
        name: of the chooser, "metric" or "second".
    """
    state = st.session_state
    metric = state.get(f"{PREFIX}{name}", _FIRST if name == "metric" else _SECOND)
    try:
        plan = _plan(side, metric, _ON[state.get(f"{PREFIX}on", "this")])
    except HaloscopeError as error:
        st.info(plain(str(error)), icon=":material/info:")
        return None
    found = _instant(plan) if running.is_instant(plan) else _as_job(plan, f"{name}-{side.name}")
    if found is None:
        return None
    return replace(found, manifest={**found.manifest, "source": plan.source()})


def _instant(plan: HeadPlan) -> HeadScores | None:
    try:
        return running.at_once(plan)
    except HaloscopeError as error:
        st.error(plain(str(error)))
        return None


def _as_job(plan: HeadPlan, name: str) -> HeadScores | None:
    seconds = running.seconds(plan)
    job = asking.asked(
        name,
        plan.key,
        seconds,
        asking.passes(plan.cost),
        lambda: running.submit(plan),
        quick=asking.is_quick(seconds, plan.cost),
    )
    found = None if job is None else job.result or explanations.so_far(plan.key)
    return found if isinstance(found, HeadScores) else None


def _plan(side: Side, metric: str, count: int | None) -> HeadPlan:
    assert side.model is not None and side.picture is not None
    model, picture = side.model, side.picture
    if count is None:
        return plan_heads(model, picture, metric)
    key = (identity(model), side.home, count, metric, picture.fit)
    return asking.planned(
        key, lambda: plan_heads(model, side.pictures(count), metric, fit=picture.fit)
    )


def short_unit(unit: str) -> str:
    """Return the short name of a unit that a metric tells in full, or "".

    >>> short_unit("rise of the cross-entropy (nats)"), short_unit("1 − cosine of the embedding")
    ('nats', '')
    """
    found = re.search(r"\((nats²?)\b[^)]*\)", unit)
    return found.group(1) if found else ""


def heatmap(side: Side, now: Marks) -> HeadScores | None:
    """Show all heads by the chosen metric; return the scores."""
    with st.container(border=True, height="stretch", key=f"card-heatmap-{side.name}"):
        if side.name == "one":
            st.markdown("**Which heads matter** :gray[:small[click one]]")
            choose(side)
        else:
            st.markdown("**Which heads matter** :gray[:small[by the same metric]]")
        found = scores(side, "metric")
        if found is None:
            return None
        unit = short_unit(found.manifest["display"]["unit"])
        said = head_words.scores_sentence(found, unit)
        drawn = head_heatmap.figure(found, unit, now.within(side.heads).head, own_off(side, now))
        selecting.chart(drawn, f"heatmap-{side.name}", said, selecting.pick_head)
        st.markdown(plain(said))
        with st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
        ):
            st.caption(_how(found), width="content")
            if side.name == "one":
                exporting.menu(side, found, now)
    return found


def _how(found: HeadScores) -> str:
    """Tell in one line how scores were made."""
    outcome, display = found.manifest["outcome"], found.manifest["display"]
    count = outcome["images"]
    told = "one picture" if count == 1 else f"{count} pictures"
    so_far = " · so far" if outcome.get("partial") else ""
    return plain(f"{display['unit']} · {told} · {outcome['seconds']:.2g}\u00a0s{so_far}")


def scatter(side: Side, now: Marks, first: HeadScores | None) -> None:
    """Show the chosen metric against another."""
    with st.container(border=True, height="stretch", key="card-scatter"):
        st.markdown("**Do metrics agree?** :gray[:small[a dot is a head]]")
        left, right = st.columns([3, 2], vertical_alignment="bottom")
        with left:
            _metric("Against", "second", _SECOND, side)
        by_rank = right.toggle("By rank", True, key=f"{PREFIX}rank", persist_state="session")
        second = scores(side, "second")
        if first is None or second is None:
            return
        titles = (first.manifest["display"]["title"], second.manifest["display"]["title"])
        said = head_words.agreement_sentence(first, second, titles)
        drawn = head_scatter.figure(
            first, second, titles, now.head, own_off(side, now), by_rank=by_rank
        )
        selecting.chart(drawn, "scatter", said, selecting.pick_head)
        st.markdown(plain(said))


def partial(side: Side, now: Marks) -> None:
    """Show what becomes of the answer without a part of the head's attention."""
    assert side.model is not None and side.picture is not None
    with st.container(border=True, height="stretch", key="card-partial"):
        st.markdown("**Which part of its attention counts** :gray[:small[put to zero]]")
        output = st.segmented_control(
            "Change of the",
            list(_OUTPUTS),
            default=None if f"{PREFIX}output" in st.session_state else "probability",
            format_func=_OUTPUTS.__getitem__,
            key=f"{PREFIX}output",
            label_visibility="collapsed",
            persist_state="session",
            required=True,
        )
        found = running.blocks(side.model, side.picture, now.head, own_off(side, now))
        said = head_words.partial_sentence(found)
        selecting.chart(
            partial_bars.figure(found, output or "probability"),  # type: ignore[arg-type]
            "partial",
            said,
        )
        st.markdown(plain(said))
