"""Adding a model to the list, and what to do with it then."""

from __future__ import annotations

import json
import shlex

import streamlit as st

from components.words import plain
from dashboard.controls.sidebar import forget_classes
from dashboard.own_model import draft, tensors
from dashboard.own_model.asked import Found
from dashboard.running import models, naming, own_models
from dashboard.running.own_models import OwnModel, taken_by
from dashboard.state import restore
from engine.inputs.images import ImageInput
from engine.inputs.samples import SAMPLE
from engine.inspection.self_test import SelfTest

_LONG_NAMES = 80
_EXPLORE, _GALLERY, _TABLES = "pages/explore.py", "pages/gallery.py", "pages/tables.py"
_INTERACTIONS = "pages/interactions.py"


def show(found: Found, test: SelfTest | None) -> None:
    """Show the button that adds, or what can be done once it was added."""
    ref = found.model.ref
    if ref in models.references():
        _added(found)
        return
    no_page = tensors.are_taken_by(found.model)
    st.button(
        "Add to the list",
        type="primary" if test is not None else "secondary",
        icon=":material/add:",
        key="own-add",
        disabled=test is None or no_page,
        on_click=_add,
    )
    if no_page:
        _no_page(found)
    elif test is None:
        st.caption("Once it has passed its test.")


def _add() -> None:
    """Add what is shown. A callback's arguments would outlive a model that is removed again."""
    found, test = draft.found_now(), draft.tested()
    if found is not None and test is not None:
        light = found.without_file()
        own_models.add(OwnModel(_title(found), found.model, light, test))
        draft.keep(light)


def _title(found: Found) -> str:
    """Return a title that no other model has."""
    taken = {models.title(ref) for ref in models.references()}
    return naming.title_for(found.inspection.title, found.model.ref, taken)


def _added(found: Found) -> None:
    st.success(
        f"“{plain(models.title(found.model.ref))}” is in the list.", icon=":material/check_circle:"
    )
    if tensors.are_taken_by(found.model):
        _no_page(found)
        return
    with st.container(horizontal=True, key="own-next"):
        goals = [("Open in Tables", _TABLES), ("Open in Interactions", _INTERACTIONS)]
        if taken_by(found.model) == "pictures":
            goals = [("Open in Explore", _EXPLORE), ("Open in Gallery", _GALLERY)]
        for title, page in goals:
            st.button(
                title,
                key=f"own-open-{page}",
                type="primary" if page == goals[0][1] else "secondary",
                icon=":material/arrow_forward:",
                on_click=open_in,
                args=(page, found.model.ref),
            )
    commands(found)


def _no_page(found: Found) -> None:
    """Say how a network that takes tensors is explained."""
    st.caption(f"{tensors.SENTENCE} `--image sample.npy`.")
    commands(found)


def open_in(page: str, ref: str) -> None:
    """Choose a model on another page, and go there with the picture that it was tried on."""
    state, test = st.session_state, draft.tested()
    if page == _TABLES:
        state["t.model"] = ref
    elif page == _INTERACTIONS:
        state["i.model"] = ref
    else:
        forget_classes()
        state["run"] = True
        if test is not None and isinstance(test.given, ImageInput):
            _same_picture(test.given)
        restore.follow_to(ref)
        state["model"] = ref
    state["own-go-to"] = page


def _same_picture(picture: ImageInput) -> None:
    """Begin with the picture that the model was tried on."""
    state = st.session_state
    if picture.origin.startswith(SAMPLE):
        state["source"], state["sample"] = "Sample", picture.origin.removeprefix(SAMPLE)
    else:
        state["source"], state["uploaded"] = "Upload", picture


def commands(found: Found) -> None:
    """Say how to come back to this model without the page."""
    names = found.asked.corrections.classes
    apart = "names.txt" if names and len(json.dumps(names)) > _LONG_NAMES else ""
    ref = shlex.quote(found.asked.for_a_shell(apart))
    with st.expander("From the command line", icon=":material/terminal:"):
        if found.asked.file:
            st.markdown(
                "The weights stay in this session and are gone when it ends. With the file at "
                "hand, the dashboard starts with the model in its list:"
            )
        else:
            st.markdown("The dashboard with the model in its list, and one map without a page:")
        image, method = "cat.jpg", "grad-cam"
        if taken_by(found.model) == "tensors":
            image, method = "sample.npy", "gradient"
        lines = [f"haloscope --model {ref}"]
        if taken_by(found.model) != "tables":
            suited = [one.name for one in found.inspection.methods if not one.reason]
            method = method if method in suited else (suited or [method])[0]
            lines.append(
                f"haloscope explain --model {ref} --image {image} --method {method} "
                "--out map.safetensors"
            )
        st.code("\n".join(lines), language="bash", wrap_lines=True)
        if apart and names:
            st.download_button(
                "The class names as names.txt",
                "\n".join(names) + "\n",
                "names.txt",
                "text/plain",
                key="own-names",
                icon=":material/download:",
                on_click="ignore",
            )
