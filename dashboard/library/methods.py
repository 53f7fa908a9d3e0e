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
    st.header("Which columns matter: the measures", anchor=False)
    from engine.tables.registry import measures

    for measure in measures().values():
        _measure(measure)


def _measure(measure: object) -> None:
    from engine.bibliography import paper
    from engine.tables.measure import Measure

    assert isinstance(measure, Measure)
    with st.container(border=True):
        st.markdown(f"**{measure.title}** :gray[{measure.name}]")
        st.markdown(measure.summary)
        needs = "Asks a model" if measure.needs_model else "Looks at the data alone"
        st.caption(f"{needs}. {paper(measure.paper).cite()}.")
        st.caption(f"Keep in mind: {measure.caveat}")


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
