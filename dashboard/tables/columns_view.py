"""Which columns matter: one measure at a time, its picture, and a sentence."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from components.saying import counted, exact
from components.words import passes_told, plain
from dashboard.explore import link as copy_link
from dashboard.running import measures as running_measures
from dashboard.tables import export, figures, measure_choice, running

if TYPE_CHECKING:
    from dashboard.tables.choosing import Chosen
    from engine.table_results import Measured
    from engine.tables.measuring import MeasurePlan

# What begins without a click: by the estimate, or, before there is one, by the passes; a small
# network takes a million rows a second, an estimator perhaps a hundredth of that.
_UNASKED_SECONDS = 20.0
_UNASKED_PASSES = {True: 4_000_000, False: 50_000}


def show(chosen: Chosen) -> None:
    """Draw the view."""
    assert chosen.model is not None
    st.title("Which columns matter?", anchor=False)
    plan, problem = measure_choice.choose(chosen)
    if plan is None:
        st.info(plain(problem), icon=":material/info:")
        return
    found = _found(plan)
    if found is None:
        return
    with st.container(border=True, key="card-measure"):
        _head(found, plan)
        figures.show(found, chosen)
    st.caption(plain(_how(found)))


def _found(plan: MeasurePlan) -> Measured | None:
    seconds = running_measures.seconds(plan)
    network = plan.model is None or plan.model.differentiable
    few = plan.cost.total <= _UNASKED_PASSES[network]
    short = few if seconds is None else seconds <= _UNASKED_SECONDS
    steps = plan.measure.steps(plan.rows, plan.parameters)
    told = f"{exact(steps)} {plan.measure.steps_told}" if steps else ""
    job = running.asked(
        "Measure", plan.key, seconds, plan.cost, lambda: running_measures.submit(plan),
        unasked=short and not running_measures.trains(plan), steps=told,
    )  # fmt: skip
    running.tell(job)
    if job is None or job.state != "done":
        return None
    # Two sessions may ask the same of tables with other names; each sees its own.
    return replace(job.result, manifest={**job.result.manifest, "source": plan.source()})


def _head(found: Measured, plan: MeasurePlan) -> None:
    left, right = st.columns([5, 3], vertical_alignment="center")
    left.markdown(f"**{plain(plan.measure.title)}** :gray[:small[{plain(plan.measure.summary)}]]")
    with right, st.container(horizontal=True, horizontal_alignment="right", key="tools"):
        with st.popover("Export", icon=":material/download:"):
            export.data(found, _file_name(found), "measure-")
        copy_link.button()


def _file_name(found: Measured) -> str:
    source = found.manifest["source"]
    words = f"{source['measure']} {source['table']} {found.key[:8]}".lower()
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-")


def _background(found: Measured) -> str:
    """Say what the rows of a swarm are held against: fewer rows than one row on its own."""
    parameters = found.manifest["request"]["measure"]["parameters"]
    if found.kind != "swarm":
        return ""
    return f"{parameters['method']} against {parameters['background']} rows (one row alone: 100)"


def _how(found: Measured) -> str:
    """Tell in one line how a finding was made."""
    source, outcome = found.manifest["source"], found.manifest["outcome"]
    rows, of = outcome["rows"], outcome["of"]
    told = f"{exact(rows)} of {counted(of, 'row')}" if rows < of else f"all {counted(of, 'row')}"
    parts = [
        source["model_title"],
        source["measure_title"],
        _background(found),
        told,
        passes_told(**outcome["passes"]),
        f"{outcome['seconds']:.2g} s",
        f"seed {found.manifest['request']['seed']}",
    ]
    return " · ".join(part for part in parts if part)
