"""Which heads matter: scores of all heads by a metric, and two metrics against each other."""

from __future__ import annotations

import re
from dataclasses import replace

import streamlit as st

from components import head_heatmap, head_scatter, head_words, partial_bars
from components.words import plain
from dashboard.heads import asking, exporting, judging, selecting
from dashboard.heads.choosing import Side
from dashboard.heads.link import PREFIX
from dashboard.heads.looking import own_off
from dashboard.heads.marks import Marks
from dashboard.running import explanations
from dashboard.running import heads as running
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.head_results import HeadScores
from engine.heads.planning import HeadPlan

_OUTPUTS = {"probability": "Probability", "logit": "Score (logit)"}


def scores(side: Side, name: str) -> HeadScores | None:
    """Return scores by the metric of a chooser, or so far; show what goes on.

    Args:
        side: whose heads.
        name: of the chooser, "metric" or "second".
    """
    try:
        plan = judging.asked(name).plan(side)
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
            with st.container(
                horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
            ):
                st.markdown("**Which heads matter** :gray[:small[click one]]", width="content")
                settings = st.container(width="content")
            judging.choose(side, settings)
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
    request, so_far = found.manifest["request"], " · so far" if outcome.get("partial") else ""
    if request.get("only_class"):
        told += f" of {request['only_class']['name']}"
    if request.get("keep_one"):
        told += " · each as the only head of its layer"
    return plain(f"{display['unit']} · {told} · {outcome['seconds']:.2g}\u00a0s{so_far}")


def scatter(side: Side, now: Marks, first: HeadScores | None) -> None:
    """Show the chosen metric against another."""
    with st.container(border=True, height="stretch", key="card-scatter"):
        st.markdown("**Do metrics agree?** :gray[:small[a dot is a head]]")
        left, right = st.columns([3, 2], vertical_alignment="bottom")
        with left:
            judging.choose_second(side)
        restore.aloud(f"{PREFIX}rank", True)
        by_rank = right.toggle("By rank", key=f"{PREFIX}rank", persist_state="session")
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
        st.markdown(
            "**Which part of its attention counts** :gray[:small[put to zero, in this picture]]"
        )
        restore.valid(f"{PREFIX}output", list(_OUTPUTS))
        restore.aloud(f"{PREFIX}output", "probability")
        output = st.segmented_control(
            "Change of the",
            list(_OUTPUTS),
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
