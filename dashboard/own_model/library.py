"""The libraries' networks, and the lists of what can be asked for."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from components.words import sentence
from dashboard.running.allowed import builders
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.models.bundled import bundled_models

LIBRARIES = {"torchvision": "torchvision", "timm": "timm", "hf": "Hugging Face"}
_LIBRARY, _NAME, _WEIGHTS = "own.library", "own.name", "own.weights"
_WEIGHTS_TITLES = {"published": "Published weights", "random": "Random weights"}
# The hub has no list to search without a network: a few that are well known; any other is typed.
_OF_THE_HUB = [
    "google/vit-base-patch16-224",
    "facebook/deit-tiny-patch16-224",
    "microsoft/resnet-50",
    "facebook/convnext-tiny-224",
    "microsoft/swin-tiny-patch4-window7-224",
]


def choose() -> None:
    """Show the choosers; what is chosen is written out as a reference."""
    with st.expander("Choose from a library", icon=":material/search:"):
        restore.aloud(_LIBRARY, None)
        library = st.selectbox(
            "Library",
            list(LIBRARIES),
            index=None,
            format_func=LIBRARIES.__getitem__,
            key=_LIBRARY,
            persist_state="session",
            placeholder="torchvision, timm or Hugging Face",
            on_change=_other_library,
        )
        if library is None:
            return
        names, problem = architectures(library)
        if problem:
            st.error(sentence(problem))
            return
        _choose_name(library, names)
        _choose_weights()


def _choose_name(library: str, names: list[str]) -> None:
    st.selectbox(
        "Architecture" if library != "hf" else "Model on the hub, or a folder",
        names,
        index=None,
        key=_NAME,
        placeholder="Type to search",
        accept_new_options=library == "hf",
        on_change=_write,
    )


def _choose_weights() -> None:
    restore.aloud(_WEIGHTS, "published")
    weights = st.segmented_control(
        "Weights",
        list(_WEIGHTS_TITLES),
        format_func=_WEIGHTS_TITLES.__getitem__,
        key=_WEIGHTS,
        persist_state="session",
        required=True,
        label_visibility="collapsed",
        on_change=_write,
    )
    if weights == "random":
        st.caption("It has learned nothing; of use to see how an architecture is built.")
    else:
        st.caption("Fetched by the library once, unless they are on this machine.")


def _other_library() -> None:
    st.session_state.pop(_NAME, None)


def _write() -> None:
    """Write out what is chosen, in the box where it can be changed."""
    state = st.session_state
    library, name = state.get(_LIBRARY), state.get(_NAME)
    if library and name:
        end = "?weights=none" if state.get(_WEIGHTS) == "random" else ""
        state["own.ref"] = f"{library}:{name}{end}"


def architectures(library: str) -> tuple[list[str], str]:
    """Return the networks of a library, and why they cannot be listed, or ""."""
    if library == "hf":
        return _OF_THE_HUB, ""
    try:
        with st.spinner(f"Asking {LIBRARIES[library]} …"):
            return _listed(library), ""
    except HaloscopeError as error:
        return [], str(error)


@st.cache_data(max_entries=2, show_spinner=False)
def _listed(library: str) -> list[str]:
    return _lister(library)()


def _lister(library: str) -> Callable[[], list[str]]:
    from engine.models.libraries import timm_models, torchvision_models

    home = {"timm": timm_models, "torchvision": torchvision_models}[library]
    return home.architectures


def every_architecture() -> tuple[list[str], list[str]]:
    """Return all that weights may be for, and one line on each library that is not there."""
    found = [model.name for model in bundled_models() if model.family != "tabular"]
    found = [*builders(), *found]
    problems = []
    for library in ("torchvision", "timm"):
        names, problem = architectures(library)
        found += [f"{library}:{name}" for name in names]
        problems += [problem] if problem else []
    return found, problems
