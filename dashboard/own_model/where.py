"""Step 1: where the model is."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.words import plain, sentence
from dashboard.own_model import class_names, draft, library, upload
from dashboard.own_model.asked import Asked
from dashboard.running import allowed
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.models.corrections import Corrections

CARD = "own-model-card"
WHERE, REF = "own.where", "own.ref"
_TAKES = {
    "Reference": "A network of a library, a file or folder on this machine, or a module.",
    "Upload": "A weights file and the architecture that it is for. It stays in this session.",
}
_HELP = """\
`torchvision:NAME`, `timm:NAME`, `hf:owner/name`, `hf:FOLDER`, `module:builder`, or
`file:PATH?arch=` one of these. Options after “?” correct what is found out (`size=96`,
`mean=0.5`, `layer=NAME`), all others go to the builder (`num_classes=10`).
"""


def show(told: DeltaGenerator) -> None:
    """Show the card of the step.

    Args:
        told: the place where it is said that a model cannot be loaded.
    """
    with st.container(border=True, key="own-where"):
        st.markdown("**1 · Where is it?**")
        restore.aloud(WHERE, "Reference")
        kind = st.segmented_control(
            "Where is it?",
            list(_TAKES),
            key=WHERE,
            persist_state="session",
            required=True,
            label_visibility="collapsed",
            width="stretch",
        )
        st.caption(_TAKES[kind or "Reference"])
        modules = [*allowed.modules(), *allowed.builders()]
        if modules:
            st.caption(f"May be imported: {plain(', '.join(modules))}.")
        named = upload.choose() if kind == "Upload" else _reference()
        names = class_names.choose()
        _load(named, names, told)


def may_fetch(ref: str) -> bool:
    """Whether loading a reference may fetch files from a network."""
    head, _, query = ref.partition("?")
    return head.partition(":")[0] in library.LIBRARIES and "weights=none" not in query


def _reference() -> Asked | None:
    restore.aloud(REF, "")
    ref = st.text_input(
        "Reference",
        key=REF,
        persist_state="session",
        placeholder="for example torchvision:resnet18",
        help=_HELP,
        autocomplete="off",
    )
    library.choose()
    return Asked(ref.strip()) if ref and ref.strip() else None


def _load(named: Asked | None, names: str, told: DeltaGenerator) -> None:
    busy = draft.loading_now() is not None
    asked = st.button(
        "Load",
        type="primary",
        icon=":material/download:",
        key="own-load",
        width="stretch",
        disabled=named is None or busy,
    )
    if asked and named is not None:
        told.empty()  # what was wrong with another one is no answer to this
        try:
            classes = class_names.parsed(names)
            wanted = named.with_corrections(Corrections(classes=classes).over(named.corrections))
            wanted.check()
        except HaloscopeError as error:
            draft.refuse("load", str(error))
        else:
            draft.begin(wanted, "load")
            st.rerun()
    why = draft.refusal("load")
    if why:
        told.error(sentence(why))
    found = draft.found_now()
    if found is not None and not busy and not why:  # shown where the card stands below
        with st.container(key="own-jump"):
            st.markdown(f"[Found: {plain(found.inspection.title)} ↓](#{CARD})")
