"""Cards of the models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from components.saying import exact
from components.words import plain, sentence
from dashboard.running import models, own_models, warmth
from engine.errors import HaloscopeError

if TYPE_CHECKING:
    from engine.models.loaded import LoadedModel


_HEADINGS: dict[models.Kind, str] = {"pictures": "For pictures", "tables": "For tables"}
_SHOWN = 90
_KINDS = {"cnn": "convolutional", "vit": "vision transformer", "tabular": "for tables"}
_OWN = """\
haloscope --model torchvision:resnet18                                  # of a library
haloscope --model 'file:weights.safetensors?arch=mynet:build'           # your network
haloscope --model 'file:forest.skops?columns=train.csv&label=outcome'   # an estimator, for tables\
"""


def show() -> None:
    """Draw the page."""
    st.title("Which models are there?", anchor=False)
    warmth.wait()
    for kind, title in _HEADINGS.items():
        st.subheader(title, anchor=False)
        for ref in models.references(kind):
            _card(ref)
    with st.container(border=True):
        st.markdown("**Your own model**")
        st.markdown(
            "Name one of a library, a file on this machine, or upload its weights: it is looked "
            "at and tried before it joins the list."
        )
        st.page_link("pages/own_model.py", label="Add your own model", icon=":material/add_box:")
        st.markdown("Or start the dashboard with it:")
        st.code(_OWN, language="bash")
        st.caption("The file never runs code; the module is imported because you name it.")


def _input_told(model: LoadedModel) -> str:
    from engine.models.table_specs import TableSpec

    if isinstance(model.spec, TableSpec):
        return f"{len(model.spec.columns)} columns: {', '.join(model.spec.titles)}"
    return " × ".join(str(n) for n in model.spec.shape)


def _output_told(model: LoadedModel) -> dict[str, str]:
    if model.family == "tabular":
        return {"Output": ", ".join(model.classes)}
    target = model.target_layer
    layer = target.name if target else "none"
    return {"Classes": str(len(model.classes)), "Layer for class activation maps": layer}


def _card(ref: str) -> None:
    with st.container(border=True):
        try:
            model = models.model(ref)
        except HaloscopeError as error:
            st.markdown(f"**{_short(ref)}**")
            st.error(sentence(str(error)))
            return
        own = own_models.find(ref) is not None
        badge = " :violet-badge[this session]" if own else ""
        st.markdown(f"**{plain(models.title(ref))}** :gray[{_short(ref)}]{badge}")
        if model.card.summary:
            st.markdown(model.card.summary)
        ethics = dict(model.card.facts).get("Ethics")
        if ethics:
            st.warning(ethics, icon=":material/balance:")
        with st.expander("Its card"):
            st.table(_facts(model), border="horizontal")
        for note in model.card.notes:
            st.caption(f"{note[0].upper()}{plain(note[1:])}.")


def _short(ref: str) -> str:
    return plain(ref if len(ref) <= _SHOWN else f"{ref[:_SHOWN]}…")


def _facts(model: LoadedModel) -> dict[str, str]:
    """Return what is known of a model, by what it is about."""
    from engine.bibliography import paper
    from engine.models.devices import device_title

    facts = {
        "Kind": _KINDS.get(model.family, model.family),
        "Weights": exact(model.parameter_count),
        "Input": _input_told(model),
        **_output_told(model),
        "Licence": model.card.licence,
        "Origin": model.card.origin,
        "Paper": paper(model.card.paper).cite() if model.card.paper else "",
        **dict(model.card.facts),
        "Runs on": device_title(model.device),
        "Digest": model.digest[:16],
    }
    return {name: value for name, value in facts.items() if value}
