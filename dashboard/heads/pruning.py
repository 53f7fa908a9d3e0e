"""How many heads can go: the model with ever more of them off, on pictures of a set."""

from __future__ import annotations

import streamlit as st

from components import head_curve
from components.words import plain
from dashboard.heads import asking, judging, selecting
from dashboard.heads.choosing import Side
from dashboard.heads.link import PREFIX
from dashboard.running import head_curves
from dashboard.running.models import identity
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.head_results import HeadScores, PruningCurve
from engine.heads.curve import CurvePlan, plan_curve
from engine.inputs.image_sets import ImageSet

_TESTED = ["24", "96", "300"]
_FOLLOWED = {"accuracy": "Right answers", "loss": "Loss"}


def show(side: Side, scores: HeadScores | None) -> None:
    """Show the curve of the chosen metric's order, or what it costs."""
    with st.container(border=True, key="card-curve"):
        st.markdown("**How many heads can go** :gray[:small[off in the chosen metric's order]]")
        if not side.home:
            st.caption("Of pictures of a set at hand only: this model has none.")
            return
        count, followed = _choices()
        if scores is None or scores.manifest["outcome"].get("partial"):
            st.caption("When the heads have been judged, above.")
            return
        try:
            plan = _plan(side, scores, count)
        except HaloscopeError as error:
            st.info(plain(str(error)), icon=":material/info:")
            return
        found = _measured(plan)
        if found is None:
            return
        said = head_curve.sentence(found, followed)  # type: ignore[arg-type]
        selecting.chart(head_curve.figure(found, followed), "curve", said)  # type: ignore[arg-type]
        st.markdown(plain(said))
        st.caption(plain(_how(found, _shared(side, count))))


def _choices() -> tuple[int, str]:
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    for name, options in (("tested", _TESTED), ("followed", list(_FOLLOWED))):
        restore.valid(f"{PREFIX}{name}", options)
        restore.aloud(f"{PREFIX}{name}", options[0])
    count = left.selectbox(
        "Tested on", _TESTED, format_func=lambda many: f"{many} pictures",
        key=f"{PREFIX}tested", persist_state="session",
    )  # fmt: skip
    followed = right.segmented_control(
        "What is followed", list(_FOLLOWED), format_func=_FOLLOWED.__getitem__,
        key=f"{PREFIX}followed", label_visibility="collapsed", required=True,
        persist_state="session",
    )  # fmt: skip
    return int(count), followed or "accuracy"


def _plan(side: Side, scores: HeadScores, count: int) -> CurvePlan:
    assert side.model is not None and side.picture is not None
    model, fit = side.model, side.picture.fit
    ranking = tuple(scores.ranking)
    key = ("curve", identity(model), side.home, count, fit, ranking)
    return asking.planned(
        key, lambda: plan_curve(model, side.pictures(count, after=1), ranking, fit=fit)
    )


def _measured(plan: CurvePlan) -> PruningCurve | None:
    job = asking.asked(
        "curve",
        plan.key,
        head_curves.seconds(plan),
        asking.passes(plan.cost),
        lambda: head_curves.submit(plan),
        quick=False,
    )
    found = None if job is None else job.result
    return found if isinstance(found, PruningCurve) else None


def _shared(side: Side, count: int) -> int | None:
    """Return how many pictures the heads were judged on too; None if they were on one alone."""
    judged = judging.asked("metric").count
    if judged is None:
        return None
    sets = [side.pictures(judged), side.pictures(count, after=1)]
    names = [{entry.name for entry in one.entries} for one in sets if isinstance(one, ImageSet)]
    return len(set.intersection(*names))


def _how(found: PruningCurve, shared: int | None) -> str:
    """Tell in one line how the curve was made."""
    outcome, source = found.manifest["outcome"], found.manifest["source"]
    told = f"{outcome['images']} pictures of {source['images']}"
    if shared is None:
        told += " · the order is that of one picture"
    elif shared:
        told += f", {shared} of which the heads were judged on too"
    return f"{told} · at random: the mean of 5 orders · {outcome['seconds']:.2g} s"
