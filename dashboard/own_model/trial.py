"""Step 3: one prediction and one map, before the model joins the list."""

from __future__ import annotations

import streamlit as st

from components import words
from components.words import plain
from dashboard.own_model import draft, joining, result, sample
from dashboard.own_model.asked import Found
from dashboard.running import explanations, models, panel
from dashboard.running.watching import watch
from engine.execution.jobs import Job
from engine.inputs.images import ImageInput
from engine.inspection.self_test import SelfTest, self_test
from engine.models.loaded import ModelInput

_PATIENCE = 0.6
_KEY = "own-trial"


def show(found: Found) -> None:
    """Show the card of the step."""
    with st.container(border=True, key="own-trial-card"):
        st.markdown("**3 · Try it** :gray[:small[one prediction and one map]]")
        given, ready = sample.choose(found.model)
        job = _job(found, given, ready)
        if job is not None and job.active:
            panel.show(job)
        elif job is not None and job.state == "failed":
            st.error(plain(f"It does not work here: {job.error}"))
        elif job is not None and job.state == "cancelled":
            st.info("Cancelled. Press Try it to start again.", icon=":material/stop_circle:")
        test = draft.tested()
        if test is not None:
            _told(found, test)
        joining.show(found, test)


def _job(found: Found, given: ModelInput | None, ready: bool) -> Job | None:
    """Show the button, start what was asked for, return the last job of this model."""
    clicked = st.button(
        "Try it",
        icon=":material/play_arrow:",
        key="own-try",
        type="primary" if draft.tested() is None else "secondary",
        disabled=not ready,
    )
    if clicked:
        job = _submit(found, given)
        st.session_state[_KEY] = (draft.count(), job)
        job.wait(_PATIENCE)
    count, job = st.session_state.get(_KEY, (0, None))
    if job is None or count != draft.count():
        return None
    if job.active:
        watch().join(job)
    elif job.state == "done":
        draft.passed(job.result)
        del st.session_state[_KEY]
        st.rerun()
    return job


def _submit(found: Found, given: ModelInput | None) -> Job:
    model = found.model
    key = f"self-test {model.ref} {models.identity(model)} {getattr(given, 'digest', 'noise')}"
    if explanations.is_uploaded(model) or not getattr(given, "origin", ""):
        explanations.own(key)
    return explanations.queue().submit(
        key,
        f"Trying {plain(model.card.title)}",
        lambda progress, cancel: self_test(model, given, progress=progress, cancel=cancel),
    )


def _told(found: Found, test: SelfTest) -> None:
    """Show what came out."""
    with st.container(key="own-result"):
        if isinstance(test.given, ImageInput):
            result.of_picture(found.model, test, test.given)
        else:
            result.of_numbers(found.model, test)
    method = test.attribution.manifest["source"]["method_title"]
    on = plain(test.sample_told)
    st.caption(f"{method} on {on} · both together in {words.seconds(test.seconds)}")
    for warning in test.warnings:
        st.warning(f"{warning[0].upper()}{plain(warning[1:])}.", icon=":material/warning:")
