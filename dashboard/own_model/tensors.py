"""Networks that take tensors: no page shows what goes into them, the command line does."""

from __future__ import annotations

import shlex

import streamlit as st

from components.words import plain
from dashboard.running.own_models import taken_by
from engine.models.loaded import LoadedModel

SENTENCE = (
    "It takes tensors, which the pages do not show. The command line explains it on one sample "
    "in a NumPy file:"
)


def are_taken_by(model: LoadedModel | None) -> bool:
    """Whether a model takes tensors, neither pictures nor rows."""
    return model is not None and taken_by(model) == "tensors"


def command(ref: str) -> str:
    """Return the command that explains a model on a sample."""
    return f"haloscope explain --model {shlex.quote(ref)} --image sample.npy"


def show(model: LoadedModel) -> None:
    """Say in the place of a page how such a model is explained."""
    st.title(f"How is {plain(model.card.title)} explained?", anchor=False)
    st.info(SENTENCE, icon=":material/terminal:")
    st.code(command(model.ref), language="bash", wrap_lines=True)
    shape = " × ".join(str(side) for side in model.spec.shape)
    st.caption(f"The file holds an array of {shape} numbers, as the network takes them.")
