"""Where pictures lie at the classifier: networks × benchmarks, all views linked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import streamlit as st

from components import (
    geometry_map,
    geometry_parallel,
    geometry_scatter,
    geometry_table,
    prune_words,
)
from components.geometry_names import MEASURES, of_class
from components.geometry_names import picture as picture_name
from components.words import plain, sentence
from dashboard.heads import asking
from dashboard.prune import sample_view
from dashboard.prune.keys import PREFIX
from dashboard.prune.looked import Looked, chart
from dashboard.prune.robustness_view import chosen_names
from dashboard.running import pruning as running
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.prune_results import Geometry
from engine.pruning.geometry.study import GeometryPlan, plan_geometry

if TYPE_CHECKING:
    from components.geometry_names import Measure

_BESIDE = (0.3, 0.6)
_SEVERITY = 3
_CELL, _PICTURE = "pr-cell", "pr-geometry-picture"
_TITLES = {"margin": "Margin", "angle": "Angle to the class", "norm": "Norm"}


@dataclass(frozen=True, eq=False)
class Seen:
    """What all charts of the view look at.

    Attributes:
        found: the geometry.
        measure: in histograms.
        cell: places of network and benchmark.
        of: place of the class.
        picture: place of the picture, or None.
    """

    found: Geometry
    measure: Measure
    cell: tuple[int, int]
    of: int
    picture: int | None


def show(looked: Looked) -> None:
    """Draw the view, or say what it costs."""
    st.caption(
        "X is what comes to the last layer, W its weights: a picture's angle to its class, its "
        "norm ‖X‖, and its margin – how far it lies inside the region of its class "
        "(Li et al., 2022, “Understanding Robustness Lottery”)."
    )
    try:
        plan = _plan(looked)
    except HaloscopeError as error:
        st.info(sentence(str(error)), icon=":material/info:")
        return
    spent = running.seconds(looked.model, plan.cost)
    job = asking.asked(
        "geometry", plan.key, spent, f"{asking.passes(plan.cost)} · corruptions as under "
        "Robustness, at severity 3",
        lambda: running.submit_geometry(plan),
        quick=asking.is_quick(spent, plan.cost) or running.is_kept(plan),
    )  # fmt: skip
    if job is not None and isinstance(job.result, Geometry):
        _linked(looked, _bar(job.result, looked.settings.ratio))


def _plan(looked: Looked) -> GeometryPlan:
    own, names = looked.settings, chosen_names()
    ratios = sorted({one for one in (*_BESIDE, own.ratio) if one > 0})
    return asking.planned(
        ("geometry", looked.plan.key, tuple(ratios), names),
        lambda: plan_geometry(
            looked.model, looked.judging, calibration=looked.calibrating,
            criterion=own.criterion, ratios=ratios, scope=own.scope, repair=own.repair,
            overrides=dict(own.overrides), corruptions=names, severities=(_SEVERITY,),
            fit=looked.plan.fit, seed=own.seed,
        ),
    )  # fmt: skip


def _bar(found: Geometry, ratio: float) -> Seen:
    """Show what is looked at, and the widgets that choose it."""
    state = st.session_state
    usual = int(np.abs(np.asarray(found.manifest["display"]["ratios"]) - ratio).argmin())
    model, mark = state.get(_CELL, (usual, 0))
    state[_CELL] = (min(model, len(found.models) - 1), min(mark, len(found.benchmarks) - 1))
    there = [place for place in range(len(found.classes)) if len(of_class(found, place))]
    with st.container(border=True, key="pr-geometry-bar"):
        one, two, three, four, five = st.columns([3, 3, 2, 3, 3])
        network = _chosen(one, "Network", "pr-g-model", list(found.models), state[_CELL][0])
        benchmark = _chosen(two, "Pictures", "pr-g-mark", list(found.benchmarks), state[_CELL][1])
        state[_CELL] = (network, benchmark)
        names = [found.classes[place] for place in there]
        before = str(state.get(f"{PREFIX}of") or names[0])
        first = names.index(before) if before in names else 0
        of = there[_chosen(three, "Class", "pr-g-class", names, first)]
        state[f"{PREFIX}of"] = found.classes[of]
        own = of_class(found, of).tolist()
        chosen = state.get(_PICTURE)
        at = own.index(chosen) if chosen in own else 0
        titles = [picture_name(found, place) for place in own]
        picture = own[_chosen(four, "Picture", "pr-g-picture", titles, at)]
        state[_PICTURE] = picture
        with five:
            key = f"{PREFIX}measure"
            restore.valid(key, list(_TITLES))
            measure = st.selectbox(
                "Measure", list(_TITLES), format_func=_TITLES.__getitem__, key=key,
                persist_state="session",
            )  # fmt: skip
    assert measure in MEASURES
    return Seen(found, cast("Measure", measure), (network, benchmark), of, picture)


def _chosen(column: object, label: str, key: str, titles: list[str], at: int) -> int:
    """Show a chooser that tells what was clicked as well; return the place."""
    if st.session_state.get(f"{key}-told") != (at, titles):  # something else has changed it
        st.session_state[key] = at
    chosen = column.selectbox(  # type: ignore[attr-defined]
        label, range(len(titles)), format_func=titles.__getitem__, key=key
    )
    st.session_state[f"{key}-told"] = (int(chosen), titles)
    return int(chosen)


def _linked(looked: Looked, seen: Seen) -> None:
    found, (network, benchmark) = seen.found, seen.cell
    st.markdown(plain(prune_words.geometry_sentence(found, network, benchmark)))
    left, right = st.columns(2)
    with left, st.container(border=True, key="card-pr-table"):
        st.markdown("**Every network on every benchmark** :gray[:small[right answers, %]]")
        chart(
            geometry_table.figure(found, seen.measure, seen.cell), "g-table",
            geometry_table.alt(found), _take_cell,
        )  # fmt: skip
    with right, st.container(border=True, key="card-pr-similar"):
        st.markdown("**Which are alike** :gray[:small[and the tree that joins them]]")
        chart(geometry_map.figure(found, seen.cell), "g-map", geometry_map.alt(found), _take_cell)
    with left, st.container(border=True, key="card-pr-scatter"):
        st.markdown(
            f"**Pictures of {plain(found.classes[seen.of])}** "
            ":gray[:small[arrows: from the untouched network, clean]]"
        )
        to = None if seen.cell == (0, 0) else seen.cell
        upward = "margin" if seen.measure == "margin" else "norm"
        chart(
            geometry_scatter.figure(
                found, seen.of, (0, 0), to=to, upward=upward, chosen=seen.picture  # type: ignore[arg-type]
            ),
            "g-scatter", geometry_scatter.alt(found, seen.of, (0, 0), to=to), _take_picture,
        )  # fmt: skip
    with right, st.container(border=True, height="stretch", key="card-pr-parallel"):
        st.markdown("**From network to network** :gray[:small[a line is a picture]]")
        chart(
            geometry_parallel.figure(found, seen.of, benchmark, chosen=seen.picture),
            "g-parallel", geometry_parallel.alt(found, seen.of, benchmark), _take_picture,
        )  # fmt: skip
    if seen.picture is None:
        return
    with left, st.container(border=True, height="stretch", key="card-pr-sample"):
        sample_view.card(looked, found, seen.picture)
    ratio = float(np.asarray(found.manifest["display"]["ratios"])[network])
    with st.container(border=True, key="card-pr-pixels"):
        sample_view.behind(looked, found, seen.picture, ratio, seen.measure)


def _take_cell(data: list[int]) -> None:
    st.session_state[_CELL] = (data[0], data[1])


def _take_picture(data: list[int]) -> None:
    st.session_state[_PICTURE] = data[0]
