"""Cards of the models."""

from __future__ import annotations

import streamlit as st

from dashboard.running import models, warmth
from engine.errors import HaloscopeError


def show() -> None:
    """Draw the page."""
    st.title("Which models are there?", anchor=False)
    warmth.wait()
    for ref in models.references():
        _card(ref)
    with st.container(border=True):
        st.markdown("**Your own model**")
        st.markdown(
            "Start the dashboard with it, weights in a file and the architecture from your module:"
        )
        st.code("haloscope --model 'file:weights.safetensors?arch=mynet:build'", language="bash")
        st.caption("The file never runs code; the module is imported because you name it.")


def _card(ref: str) -> None:
    from engine.bibliography import paper
    from engine.models.devices import device_title
    from engine.models.loaded import LoadedModel

    with st.container(border=True):
        try:
            model: LoadedModel = models.model(ref)
        except HaloscopeError as error:
            st.markdown(f"**{ref}**")
            st.error(str(error))
            return
        st.markdown(f"**{model.card.title}** :gray[{ref}]")
        if model.card.summary:
            st.markdown(model.card.summary)
        target = model.target_layer
        facts = {
            "Kind": {"cnn": "convolutional", "vit": "vision transformer"}.get(
                model.family, model.family
            ),
            "Weights": f"{model.parameter_count:,}".replace(",", " "),
            "Input": " × ".join(str(n) for n in model.spec.shape),
            "Classes": str(len(model.classes)),
            "Layer for class activation maps": target.name if target else "none",
            "Licence": model.card.licence,
            "Origin": model.card.origin,
            "Paper": paper(model.card.paper).cite() if model.card.paper else "",
            **dict(model.card.facts),
            "Runs on": device_title(model.device),
            "Digest": model.digest[:16],
        }
        st.table({name: value for name, value in facts.items() if value}, border="horizontal")
        for note in model.card.notes:
            st.caption(f"{note[0].upper()}{note[1:]}.")
