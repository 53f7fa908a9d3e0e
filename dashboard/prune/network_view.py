"""What went, on a map of the network: a bar for each layer, a cell for each unit of one."""

from __future__ import annotations

import streamlit as st

from components import prune_map, prune_words
from components.prune_names import unit
from components.saying import counted
from components.words import plain
from dashboard.prune.keys import MOST, OVERRIDES, PREFIX
from dashboard.prune.looked import Looked, chart
from dashboard.state import restore
from engine.prune_results import Layer


def show(looked: Looked) -> None:
    """Draw the bars, and the cells of the layer that is looked at."""
    left, right = st.columns([5, 6])
    with left, st.container(border=True, key="card-pr-map"):
        _map(looked)
    with right, st.container(border=True, key="card-pr-cells"):
        _cells(looked)


def _map(looked: Looked) -> None:
    found, way, ratio = looked.found, looked.way, looked.ratio
    st.markdown("**What stays of each layer** :gray[:small[click one to see its units]]")
    key = f"{PREFIX}absolute"
    st.session_state.setdefault(key, False)
    absolute = st.toggle("Bars as long as layers are wide", key=key, persist_state="session")
    chart(
        prune_map.figure(found, way, ratio, group=layer(looked).name, absolute=absolute),
        "map",
        prune_map.alt(found, way, ratio),
        lambda data: take(looked, data),
    )
    st.markdown(plain(prune_words.map_sentence(found, way, ratio)))
    refused = found.display["refused"]
    if refused:
        with st.expander(f"{counted(len(refused), 'layer')} of which nothing can go"):
            st.markdown("\n".join(f"- {plain(f'{name}: {why}')}" for name, why in refused.items()))


def layer(looked: Looked) -> Layer:
    """Return the layer that is looked at; by default the one that gave most."""
    layers = {one.name: one for one in looked.found.layers}
    chosen = st.session_state.get(f"{PREFIX}layer")
    if chosen in layers:
        return layers[chosen]
    stay, size = prune_map.counts(looked.found, looked.way, looked.ratio)
    return looked.found.layers[int((size - stay).argmax())]


def take(looked: Looked, data: list[int]) -> None:
    """Look at the layer that was clicked."""
    st.session_state[f"{PREFIX}layer"] = looked.found.layers[data[0]].name


def _cells(looked: Looked) -> None:
    found, way, ratio = looked.found, looked.way, looked.ratio
    titles = {one.name: one.title for one in found.layers}
    key = f"{PREFIX}layer"
    restore.valid(key, list(titles), first=False)
    st.session_state[key] = layer(looked).name
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        name = st.selectbox(
            "Layer", list(titles), format_func=titles.__getitem__, key=key, persist_state="session"
        )
    own = next(one for one in found.layers if one.name == name)
    with right:
        _override(own, looked)
    chart(
        prune_map.cells(found, way, ratio, name), "cells",
        prune_map.cells_alt(found, way, ratio, name),
    )  # fmt: skip
    kept = found.kept_in(way, ratio)[name]
    st.caption(
        plain(
            f"A cell is a {unit(own.kind)}; colour is its score, low goes first. Crossed: gone. "
            f"{int(kept.sum())} of {own.size} stay."
        )
    )


def _override(own: Layer, looked: Looked) -> None:
    """Show the slider of a ratio of the layer's own; at the sweep's ratio it has none."""
    overrides: dict[str, int] = st.session_state.setdefault(OVERRIDES, {})
    key = f"pr-own-{own.name}"
    shown = overrides.get(own.name, round(100 * looked.settings.ratio))
    st.session_state[key] = shown

    def change() -> None:
        moved = int(st.session_state[key])
        if moved != shown:  # else the page went away and came back, and nobody has moved it
            overrides[own.name] = moved

    def forget() -> None:
        overrides.pop(own.name, None)

    st.slider(
        "Its own ratio" if own.name in overrides else "Ratio of this layer", 0, MOST, step=5,
        format="%d %%", key=key, on_change=change,
        help="Moved, this layer keeps that ratio whatever the others lose; the curve is "
        "computed anew.",
    )  # fmt: skip
    if own.name in overrides:
        st.button(
            "As the others", key="pr-as-others", type="tertiary",
            on_click=forget,
        )  # fmt: skip
