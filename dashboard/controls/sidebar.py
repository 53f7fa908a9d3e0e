"""All choices together: from the widgets to one request."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dashboard.controls import method as method_control
from dashboard.controls import picture as picture_control
from dashboard.controls import target as target_control
from dashboard.running import models, own_models
from dashboard.running.predictions import prediction as predict
from dashboard.state import restore
from dashboard.state.selection import Selection
from engine.attribution.explain import Plan, plan
from engine.errors import HaloscopeError
from engine.inputs.images import ImageInput
from engine.inputs.samples import load_sample_set, sample_sets
from engine.inspection.suited import suited_sets as sets_for
from engine.models.bundled import bundled_models
from engine.models.loaded import LoadedModel
from engine.results import Prediction


@dataclass(frozen=True, eq=False)
class Chosen:
    """What the widgets say.

    Attributes:
        model, picture, prediction: what is looked at; None while it cannot be.
        plan: the explanation asked for, or None.
        problem: why there is no plan, one line, or "".
    """

    model: LoadedModel | None = None
    picture: ImageInput | None = None
    prediction: Prediction | None = None
    plan: Plan | None = None
    problem: str = ""


def choose() -> tuple[Chosen, Selection]:
    """Show all choosers in the sidebar."""
    ref = model_chooser()
    try:
        with st.spinner("Loading the model …"):
            model = models.model(ref)
    except HaloscopeError as error:
        return Chosen(problem=str(error)), Selection(model=ref)
    if own_models.taken_by(model) == "tensors":
        return Chosen(model), Selection(model=ref)
    sets = suited_sets(ref)
    picture = picture_control.choose(sets)
    prediction, problem = _predicted(model, picture)
    target, versus = target_control.choose(model.classes)
    asked = method_control.choose(model, sets)
    selection = Selection(
        model=ref,
        **picture_control.chosen_in_link(picture),
        target=_text(target),
        versus=_text(versus),
        method=asked.method.name,
        output=asked.output,
        seed=str(asked.seed),
        background=asked.background,
        parameters=tuple(
            (p.name, str(asked.parameters[p.name]))
            for p in asked.method.parameters_for(model)
            if asked.parameters[p.name] != p.default
        ),
    )
    if picture is None or prediction is None:
        return Chosen(model, picture, prediction, problem=problem), selection
    index = prediction.best if target is None else target
    try:
        planned = plan(
            model,
            picture,
            asked.method.name,
            index,
            versus=versus,
            output=asked.output,  # type: ignore[arg-type]
            background=load_sample_set(asked.background) if asked.background else None,
            seed=asked.seed,
            **asked.parameters,
        )
    except HaloscopeError as error:
        return Chosen(model, picture, prediction, problem=str(error)), selection
    return Chosen(model, picture, prediction, planned), selection


def model_chooser() -> str:
    """Show the chooser of models; return the reference."""
    refs = models.references("pictures")
    titles = {ref: models.title(ref) for ref in refs}
    restore.valid_model("model", refs)
    return st.selectbox(
        "Model",
        refs,
        format_func=titles.__getitem__,
        key="model",
        on_change=forget_classes,
        persist_state="session",
    )


def suited_sets(ref: str) -> list[str]:
    """Return the names of the sets at hand that suit a model, best first; all for a user's own."""
    for model in bundled_models():
        if model.name == ref:
            return list(model.sets)
    own = own_models.find(ref)
    return [found.name for found in sample_sets()] if own is None else sets_for(own.model)


def forget_classes() -> None:
    """Another model has other classes and layers: those of the old one mean nothing."""
    st.session_state["target"] = st.session_state["versus"] = target_control.PREDICTED
    method_control.forget_layers()


def _predicted(model: LoadedModel, picture: ImageInput | None) -> tuple[Prediction | None, str]:
    if picture is None:
        return None, ""
    try:
        return predict(model, picture), ""
    except HaloscopeError as error:
        return None, str(error)


def _text(index: int | None) -> str:
    return "" if index is None else str(index)
