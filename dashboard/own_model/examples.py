"""What the page shows while nothing is here yet."""

from __future__ import annotations

import streamlit as st

from dashboard.own_model.where import REF, WHERE

_EXAMPLES = (
    ("torchvision:resnet18", "A network of torchvision, timm or Hugging Face, by its name"),
    ("timm:vit_tiny_patch16_224?weights=none", "The same with random weights: nothing is fetched"),
    ("file:weights.safetensors?arch=timm:resnet18", "Your weights in a file on this machine"),
)
_NEXT = """\
- **What was found:** its input, classes, layers and attention, how each is known, and which
  methods take it. Whatever is wrong can be corrected.
- **Try it:** one prediction and one map, on a picture at hand or one of yours.
- Once that works it joins the list: you can **explore** it like the models that are there.
"""


def show() -> None:
    """Say what can be brought."""
    with st.container(border=True, key="own-examples"):
        st.markdown("**What can be brought** :gray[:small[click one to begin with it]]")
        for ref, what in _EXAMPLES:
            with st.container(gap="xxsmall"):
                st.caption(what)
                st.button(
                    f"`{ref}`",
                    key=f"own-example-{ref}",
                    icon=":material/arrow_back:",
                    on_click=_take,
                    args=(ref,),
                )
        st.caption("Any network that takes pictures and names classes; also estimators for tables.")


def what_comes_next() -> None:
    """Say what happens with a model, and what does not."""
    with st.container(border=True, key="own-next-steps"):
        st.markdown("**What comes next**")
        st.markdown(_NEXT)
        st.caption(
            ":material/shield: Nothing in a file is ever run: weights are read as plain numbers. "
            "Code comes only from the libraries, and from modules named when Haloscope was started."
        )


def _take(ref: str) -> None:
    """Put an example where it can be changed."""
    st.session_state[WHERE] = "Reference"
    st.session_state[REF] = ref
