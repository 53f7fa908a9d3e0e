"""The page "Own model" from top to bottom: where it is → what was found → try it → the list."""

from __future__ import annotations

import streamlit as st

from dashboard.own_model import draft, links
from dashboard.running import warmth

EXPLORE = "pages/explore.py"


def show() -> None:
    """Draw the page."""
    goal = st.session_state.pop("own-go-to", "")
    if goal:
        st.switch_page(goal)
    st.title("Which model would you like to add?", anchor=False)
    st.caption(
        "Your own, or one from a library. It is looked at and tried here before it joins the list."
    )
    opening = st.empty()
    if not warmth.is_ready():
        opening.caption("Starting the engine …")
        warmth.wait()
        opening.empty()
    from dashboard.own_model import card, examples, listing, trial, where

    links.take_up()
    links.fill_in()
    draft.collect()
    links.write()
    with st.container(key="own-steps"):
        first, second, third = st.columns([4, 6, 5])
    with second:
        told = st.empty()
    with first:
        where.show(told)
    loading, found = draft.loading_now(), draft.found_now()
    with second:
        if loading is not None:
            _panel(loading)
        if found is not None:
            card.show(found)
        elif loading is None:
            examples.show()
    with third:
        if found is not None:
            trial.show(found)
        elif loading is None:
            examples.what_comes_next()
    listing.show()


def _panel(loading: draft.Loading) -> None:
    """Show that a model is on its way; when it is here, the page runs again."""
    st.fragment(_waiting, run_every=0.5)(loading)


def _waiting(loading: draft.Loading) -> None:
    from components.words import plain
    from dashboard.own_model.where import may_fetch

    if not loading.load.active:
        st.rerun()
    with st.container(border=True, key="own-loading-panel"):
        st.markdown(
            f":material/hourglass_top: Loading {plain(loading.load.title)} · "
            f"{loading.load.seconds:.0f} s"
        )
        fetched = may_fetch(loading.load.title)
        slow = "A download takes as long as the network lets it. " if fetched else ""
        st.caption(f"{slow}Other pages go on meanwhile.")
        if st.button("Give up", icon=":material/stop_circle:", key="own-give-up"):
            draft.give_up()
            st.rerun()
