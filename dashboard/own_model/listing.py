"""The models that were added in this session."""

from __future__ import annotations

import streamlit as st

from components.words import plain
from dashboard.own_model import draft
from dashboard.running import naming, own_models
from dashboard.running.own_models import OwnModel


def show() -> None:
    """Show the list, if there is one."""
    added = own_models.every()
    if not added:
        return
    with st.container(border=True, key="own-list"):
        st.markdown("**Added in this session** :gray[:small[gone when it ends]]")
        for own in added:
            _row(own)


def _row(own: OwnModel) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        ref = plain(naming.readable(own.ref))
        st.markdown(f"**{plain(own.title)}** :gray[{ref}]", width="stretch")
        st.button(
            "Card",
            key=f"own-card-{own.ref}",
            icon=":material/badge:",
            type="tertiary",
            on_click=_show,
            args=(own.ref,),
        )
        st.button(
            "Remove",
            key=f"own-remove-{own.ref}",
            icon=":material/delete:",
            type="tertiary",
            on_click=own_models.remove,
            args=(own.ref,),
        )


def _show(ref: str) -> None:
    """Show the card of a model that was added."""
    own = own_models.find(ref)
    if own is not None:
        draft.put(own.found, own.tested)
