"""Cards of the methods, read off what each says of itself."""

from __future__ import annotations

import streamlit as st

from dashboard.running import warmth

_FAMILIES = {"cnn": "convolutional networks", "vit": "vision transformers", "tabular": "tables"}


def show() -> None:
    """Draw the page."""
    st.title("How are the maps computed?", anchor=False)
    warmth.wait()
    from engine.attribution.registry import methods

    for method in methods().values():
        _card(method)


def _card(method: object) -> None:
    from engine.attribution.method import Method
    from engine.bibliography import paper

    assert isinstance(method, Method)
    with st.container(border=True):
        st.markdown(f"**{method.title}** :gray[{method.name}]")
        st.markdown(method.summary)
        suits = ", ".join(title for name, title in _FAMILIES.items() if name in method.families)
        st.caption(f"For {suits}. {paper(method.paper).cite()}.")
        st.caption(f"Keep in mind: {method.caveat}")
        if method.parameters:
            st.dataframe(
                [
                    {
                        "Parameter": parameter.name,
                        "Default": str(parameter.default) or "found out",
                        "What it is": parameter.help,
                    }
                    for parameter in method.parameters
                ],
                hide_index=True,
            )
