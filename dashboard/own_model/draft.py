"""The model that is being brought: on its way, found, or refused. Kept in the session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import streamlit as st

from dashboard.running import remembered
from dashboard.running.loads import Load

if TYPE_CHECKING:
    from dashboard.own_model.asked import Asked, Found
    from engine.inspection.self_test import SelfTest

# A model that loads this soon is shown at once, without a panel that only flickers.
_PATIENCE = 0.8

Step = Literal["load", "correct"]

_FOUND, _LOADING, _ERROR, _TESTED = "own-found", "own-loading", "own-error", "own-tested"
_COUNT = "own-count"


@dataclass(frozen=True, eq=False)
class Loading:
    """A model on its way.

    Attributes:
        load: the work.
        step: where the user asked for it, and looks for what went wrong.
    """

    load: Load
    step: Step


def begin(asked: Asked, step: Step) -> None:
    """Load a model; what was there before stays until it is here."""
    refuse(step, "")
    st.session_state[_LOADING] = Loading(Load(asked.title, asked.load), step)
    with st.spinner("Loading …"):
        st.session_state[_LOADING].load.wait(_PATIENCE)
    collect()


def collect() -> None:
    """Take over what a load that has ended brought, or why it failed."""
    loading = loading_now()
    if loading is None or loading.load.active:
        return
    give_up()
    if loading.load.error:
        refuse(loading.step, loading.load.error)
    else:
        put(loading.load.result)


def loading_now() -> Loading | None:
    """Return the load that the page waits for."""
    return st.session_state.get(_LOADING)


def give_up() -> None:
    """Wait no longer; what comes of it is dropped."""
    st.session_state.pop(_LOADING, None)


def put(found: Found, tested: SelfTest | None = None) -> None:
    """Show another model; its widgets begin anew."""
    st.session_state[_FOUND] = found
    st.session_state[_COUNT] = count() + 1
    st.session_state[_TESTED] = tested
    remembered.keep(found, tested)


def keep(found: Found) -> None:
    """Show the same model, held otherwise; its widgets stay as they are."""
    st.session_state[_FOUND] = found


def found_now() -> Found | None:
    """Return the model that is shown."""
    return st.session_state.get(_FOUND)


def count() -> int:
    """Return a number that changes with each model shown: part of its widgets' keys."""
    return int(st.session_state.get(_COUNT, 0))


def refuse(step: Step, why: str) -> None:
    """Keep why something was refused, or "" to forget it."""
    st.session_state[_ERROR] = (step, why)


def refusal(step: Step) -> str:
    """Return why something was refused at a step, or ""."""
    known, why = st.session_state.get(_ERROR, ("", ""))
    return why if known == step else ""


def tested() -> SelfTest | None:
    """Return the test that the model which is shown has passed."""
    return st.session_state.get(_TESTED)


def passed(test: SelfTest) -> None:
    """Keep a test that was passed."""
    st.session_state[_TESTED] = test
    found = found_now()
    if found is not None:
        remembered.keep(found, test)
