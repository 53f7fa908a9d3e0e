"""The models that a user has added on the page "Own model": they live and die with the session."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import streamlit as st

from dashboard.running import naming, remembered

if TYPE_CHECKING:
    from dashboard.own_model.asked import Found
    from engine.inspection.self_test import SelfTest
    from engine.models.loaded import LoadedModel

_KEY = "own-models"
_REMOVED = "own-removed"
# Prefixes of the widgets of pages that look at one model.
_PAGES = ("", "t.", "h.", "m.", "i.", "pr.")

Kind = Literal["pictures", "tables", "tensors"]


@dataclass(frozen=True, eq=False)
class OwnModel:
    """A model that has passed its test.

    Attributes:
        title: what the choosers call it; no two models have the same.
        model: ready to be used; held by this session alone.
        found: what the page "Own model" knows of it, to show its card again.
        tested: what it did when it was tried; None where that was in another session.
    """

    title: str
    model: LoadedModel
    found: Found
    tested: SelfTest | None

    @property
    def ref(self) -> str:
        """Its reference, with what was corrected."""
        return self.model.ref

    @property
    def kind(self) -> Kind:
        """What it takes."""
        return taken_by(self.model)


def taken_by(model: LoadedModel) -> Kind:
    """Return what a loaded model takes."""
    from engine.models.specs import ImageSpec
    from engine.models.table_specs import TableSpec

    if isinstance(model.spec, TableSpec):
        return "tables"
    return "pictures" if isinstance(model.spec, ImageSpec) else "tensors"


def every() -> list[OwnModel]:
    """Return the models of this session, in the order in which they were added."""
    return list(_known().values())


def find(ref: str) -> OwnModel | None:
    """Return a model of this session, or None."""
    return _known().get(ref)


def add(own: OwnModel) -> None:
    """Put a model into all choosers of this session."""
    st.session_state[_KEY] = {**_known(), own.ref: own}
    remembered.keep(own.found, own.tested, added=True)


def rejoin(ref: str, taken: Container[str]) -> bool:
    """Put a model that was added in this process before into this session's list too.

    Args:
        ref: its reference; nothing is loaded for it.
        taken: titles that it may not have.

    Returns:
        Whether it is in the list now.
    """
    known = remembered.find(ref)
    if known is None or not known.added:
        return False
    found = known.found
    title = naming.title_for(found.inspection.title, ref, taken)
    add(OwnModel(title, found.model, found, known.tested))
    return True


def remove(ref: str) -> None:
    """Take a model out of all choosers, and let go of what is shown of it."""
    state, own = st.session_state, find(ref)
    if own is not None and ref in [state.get(f"{page}model") for page in _PAGES]:
        state[_REMOVED] = (*state.get(_REMOVED, ()), (ref, own.title))
    st.session_state[_KEY] = {known: own for known, own in _known().items() if known != ref}
    remembered.leave_out(ref)
    shown = st.session_state.get("shown")
    if shown is not None and shown.plan.model.ref == ref:
        del st.session_state["shown"]
        st.session_state["run"] = True  # "Explore" explains the model that takes its place


def removed_title(ref: str) -> str:
    """Return once what a model was called that a page was showing and that was removed, or ""."""
    gone = dict(st.session_state.get(_REMOVED, ()))
    title = gone.pop(ref, "")
    st.session_state[_REMOVED] = tuple(gone.items())
    return title


def _known() -> dict[str, OwnModel]:
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    if get_script_run_ctx(suppress_warning=True) is None:  # a thread of the server's own
        return {}
    known: dict[str, OwnModel] = st.session_state.get(_KEY, {})
    return known
