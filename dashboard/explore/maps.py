"""Input, map and overlay as three equal squares, with what is needed to look at them."""

from __future__ import annotations

import streamlit as st
from PIL import Image

from components import heatmap, views, words
from components.views import View
from components.words import plain
from dashboard.explore import drawing, export, link
from dashboard.running.explanations import Explained
from dashboard.state import restore
from engine.inputs.images import ImageInput
from engine.models.loaded import LoadedModel
from engine.models.seen_masks import seen_mask
from engine.results import Attribution

_OPACITY = 80
STATES = {
    "current": ("Up to date", ":material/check_circle:", "green"),
    "stale": ("Out of date", ":material/history:", "orange"),
    "partial": ("Stopped early", ":material/pending:", "orange"),
    "working": ("Working", ":material/hourglass_top:", "blue"),
}


def header(attribution: Attribution, state: str) -> None:
    """Show the question, how it was answered, and whether that is still what is asked."""
    source = attribution.manifest["source"]
    label, icon, colour = STATES[state]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="headline"):
        st.title(plain(words.title(attribution)), anchor=False, width="content")
        st.badge(label, icon=icon, color=colour)  # type: ignore[arg-type]
    st.caption(
        f"{source['method_title']} · {plain(source['model_title'])} · {plain(source['input'])}"
    )


def view_controls(default: str) -> tuple[views.Kind, float]:
    """Show how the map is looked at; return kind and clip."""
    state = st.session_state
    if state.get("view-for", default) != default or "view" not in state:
        state["view"] = default
    restore.aloud("view", default)
    state["view-for"] = default
    kind = st.segmented_control(
        "View",
        list(views.KINDS),
        format_func=views.TITLES.__getitem__,
        key="view",
        label_visibility="collapsed",
        persist_state="session",
        required=True,
    )
    restore.aloud("clip", int(views.DEFAULT_CLIP))
    with st.popover("Scale", icon=":material/contrast:"):
        clip = st.slider(
            "Scale ends at percentile",
            50,
            100,
            key="clip",
            persist_state="session",
            help="Of the values shown; the few beyond get the last colour. 100: the largest.",
        )
        st.caption("Signed maps are centred at zero. Hovering always tells the true value.")
    return kind or "positive", float(clip)


def squares(
    explained: Explained, view: View, model: LoadedModel, picture: ImageInput, photo: Image.Image
) -> None:
    """Show the three pictures."""
    attribution = explained.attribution
    key = drawing.photo_key(model, picture)
    mask = seen_mask(model, picture)
    truth = mask is not None and bool(st.session_state.get("truth", True))
    first, second, third = st.columns(3)
    with first:
        input_card(model, picture, attribution.manifest["outcome"]["prediction"]["name"])
    with second, st.container(border=True, height="stretch", key="card-map"):
        rows, columns = view.values.shape
        _head("Heatmap", f"{rows} × {columns} · largest {view.largest:.3g}")
        # The frame keeps the square while a changed figure is built anew inside it.
        with st.container(key="map"):
            st.plotly_chart(
                heatmap.figure(
                    view, attribution.manifest["request"]["output"], mask if truth else None
                ),
                height="stretch",
                theme=None,
                config={"displayModeBar": False},
                alt=words.map_in_words(attribution, view),
            )
        low, high = view.ends
        with st.container(
            horizontal=True,
            wrap=False,
            vertical_alignment="center",
            horizontal_alignment="distribute",
            key="colour-key",
        ):
            st.caption(low, width="content")
            st.image(
                drawing.key_file(view.kind, view), width=130, alt=f"Scale from {low} to {high}."
            )
            st.caption(high, width="content")
    with third, st.container(border=True, height="stretch", key="card-overlay"):
        restore.aloud("opacity", _OPACITY)
        opacity = st.session_state["opacity"]
        _head("Overlay", f"{opacity} % opacity")
        token = f"{attribution.key}{view.kind}{view.limit}{key}"
        st.image(
            drawing.overlay_file(token, opacity / 100, truth, photo, view, mask),
            width="stretch",
            alt=f"The map over the picture. {words.map_in_words(attribution, view)}",
        )
        st.slider(
            "Opacity of the overlay, in percent",
            0,
            100,
            key="opacity",
            persist_state="session",
            label_visibility="collapsed",
            format="%d %%",
        )


def input_card(model: LoadedModel, picture: ImageInput, said: str) -> None:
    """Show what the network sees; ``said`` is the class that it names."""
    key = drawing.photo_key(model, picture)
    with st.container(border=True, height="stretch", key="card-input"):
        _head("Input", f"{picture.size[0]} × {picture.size[1]}")
        st.image(
            drawing.photo_file(key, drawing.photo(key, model, picture)),
            width="stretch",
            alt=f"{picture.name}, as the network sees it; it says {said}.",
        )
        if picture.truth is None or picture.truth.mask is None:
            _seen(key, model, picture)
        else:
            _truth_control()


def _truth_control() -> None:
    restore.aloud("truth", True)
    st.toggle(
        "True mask",
        key="truth",
        persist_state="session",
        help="Outlines what is known to decide the class, over the map and the overlay.",
    )


def tools(attribution: Attribution, view: View, photo: Image.Image) -> None:
    """Show the downloads and the link."""
    opacity = st.session_state.get("opacity", _OPACITY) / 100
    export.menu(attribution, view, photo, opacity)
    link.button()


def _head(title: str, note: str) -> None:
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap=None
    ):
        st.markdown(f"**{title}**", width="content")
        st.caption(note, width="content")


def _seen(key: str, model: LoadedModel, picture: ImageInput) -> None:
    width, height = picture.size
    if width == height:
        st.caption("The network sees all of it.")
        return
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key="seen"):
        st.image(
            drawing.frame_file(key, model, picture),
            width=72 if width <= 2 * height else 144,
            alt="The whole picture; what the network sees is framed.",
        )
        told = "the framed part" if picture.fit == "crop" else "all of it, with margins"
        st.caption(f"The network sees {told}.")
