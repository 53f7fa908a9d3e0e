"""Choosing a method, and its settings, built from the parameters that it declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard.state import restore
from engine.attribution.method import Method
from engine.attribution.registry import methods_for
from engine.errors import HaloscopeError
from engine.inputs.samples import sample_sets
from engine.models.loaded import LoadedModel
from engine.parameters import Parameter, Value

_OUTPUT_TITLES = {"logit": "Score (logit)", "probability": "Probability"}


@dataclass(frozen=True)
class Choice:
    """A method and how it is asked.

    Attributes:
        parameters: of the method.
        output: "logit" or "probability".
        seed: for whatever is drawn.
        background: the name of a set at hand to compare with, or "".
    """

    method: Method
    parameters: dict[str, Value]
    output: str
    seed: int
    background: str


def choose(
    model: LoadedModel,
    sets: Sequence[str],
    prefix: str = "",
    wanted: Mapping[str, str] | None = None,
) -> Choice:
    """Show the choosers.

    Args:
        model: what is explained.
        sets: names of the sets at hand that suit it.
        prefix: of the widgets' keys, so that each page keeps its own choices.
        wanted: parameters that a link asks for, as text; by default those of the page "Explore".
    """
    suited = {method.name: method for method in methods_for(model)}
    restore.valid(f"{prefix}method", list(suited))
    name = st.selectbox(
        "Method",
        list(suited),
        format_func=lambda name: suited[name].title,
        key=f"{prefix}method",
        persist_state="session",
    )
    method = suited[name]
    st.caption(method.summary)
    with st.popover("Method settings", icon=":material/tune:", width="stretch"):
        declared = _declared(model, method, prefix, wanted)
        parameters = {p.name: widget(f"{prefix}{method.name}", p) for p in declared}
        compares = bool(sets) and method.accepts_background(model)
        background = _background(sets) if compares else ""
        output = _output(model, prefix)
        seed = _seed(prefix)
        st.caption(f"**Keep in mind.** {method.caveat}")
    return Choice(method, parameters, output, seed, background)


def _background(sets: Sequence[str]) -> str:
    restore.valid("background", ["", *sets])
    titles = {"": "The picture blurred, and plain colours"}
    titles |= {found.name: found.title for found in sample_sets()}
    return st.selectbox(
        "Compared with",
        ["", *sets],
        format_func=titles.__getitem__,
        key="background",
        persist_state="session",
        help="The pictures that count as holding no evidence; of a set, at most 64 are drawn.",
    )


def forget_layers() -> None:
    """Let the layer be found out anew: another model may have one of the same name."""
    for key in [str(key) for key in st.session_state if str(key).endswith(".layer")]:
        del st.session_state[key]


def _declared(
    model: LoadedModel, method: Method, prefix: str, wanted: Mapping[str, str] | None
) -> tuple[Parameter, ...]:
    declared = method.parameters_for(model)
    if wanted is None:
        wanted = restore.wanted_parameters(method.name)
    take_wanted(f"{prefix}{method.name}", declared, wanted)
    return declared


def take_wanted(method: str, declared: Sequence[Parameter], wanted: Mapping[str, str]) -> None:
    """Put what a link asks for into the widgets of parameters; tell what is not to be had.

    Args:
        method: what the widgets' keys begin with.
        declared: the parameters.
        wanted: as text, by name.
    """
    restore.note_unknown(wanted, [parameter.name for parameter in declared])
    for parameter in declared:
        if parameter.name in wanted:
            try:
                st.session_state[_key(method, parameter)] = parameter.check(wanted[parameter.name])
            except HaloscopeError as error:
                restore.note(str(error))


def _key(method: str, parameter: Parameter) -> str:
    return f"{method}.{parameter.name}"


def widget(method: str, parameter: Parameter) -> Value:
    """Show the widget of one parameter; ``method`` is what its key begins with."""
    if len(parameter.choices) == 1:  # nothing to choose
        return parameter.choices[0]
    key = _key(method, parameter)
    common: dict[str, Any] = {"key": key, "help": parameter.help, "persist_state": "session"}
    restore.aloud(key, parameter.default)
    if parameter.kind == "choice":
        if st.session_state[key] not in parameter.choices:
            st.session_state[key] = parameter.default
        return st.selectbox(parameter.title, list(parameter.choices), **common)
    if parameter.kind == "flag":
        return st.toggle(parameter.title, **common)
    number = int if parameter.kind == "int" else float
    low, high = (None if edge is None else number(edge) for edge in (parameter.low, parameter.high))
    if high is not None and st.session_state[key] > high:
        st.session_state[key] = parameter.default
    return st.number_input(parameter.title, low, high, **common)


def _output(model: LoadedModel, prefix: str) -> str:
    if model.activation == "identity":
        return "logit"
    restore.valid(f"{prefix}output", list(_OUTPUT_TITLES))
    restore.aloud(f"{prefix}output", "probability" if prefix else "logit")
    chosen = st.segmented_control(
        "Explain the",
        list(_OUTPUT_TITLES),
        format_func=_OUTPUT_TITLES.__getitem__,
        key=f"{prefix}output",
        persist_state="session",
        required=True,
    )
    return chosen or "logit"


def _seed(prefix: str) -> int:
    key = f"{prefix}seed"
    restore.aloud(key, 0)
    return int(
        st.number_input(
            "Seed", 0, 2**31 - 1, key=key, persist_state="session", help="For whatever is drawn."
        )
    )
