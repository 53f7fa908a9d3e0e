"""All choices together: from the widgets to one request."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dashboard.controls import method as method_control
from dashboard.controls import picture as picture_control
from dashboard.controls import target as target_control
from dashboard.running import models
from dashboard.running.predictions import prediction as predict
from dashboard.state import restore
from dashboard.state.selection import Selection
from engine.attribution.explain import Plan, plan
from engine.errors import HaloscopeError
from engine.inputs.images import ImageInput
from engine.inputs.samples import samples
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
    ref = _model_chooser()
    try:
        with st.spinner("Loading the model …"):
            model = models.model(ref)
    except HaloscopeError as error:
        st.error(str(error))
        return Chosen(problem=str(error)), Selection(model=ref)
    picture = picture_control.choose(_sample_names(ref))
    prediction, problem = _predicted(model, picture)
    target, versus = target_control.choose(model.classes)
    method, parameters, output, seed = method_control.choose(model)
    selection = Selection(
        model=ref,
        **picture_control.chosen_in_link(picture),
        target=_text(target),
        versus=_text(versus),
        method=method.name,
        output=output,
        seed=str(seed),
        parameters=tuple(
            (p.name, str(parameters[p.name]))
            for p in method.parameters_for(model)
            if parameters[p.name] != p.default
        ),
    )
    if picture is None or prediction is None:
        return Chosen(model, picture, prediction, problem=problem), selection
    index = prediction.best if target is None else target
    try:
        planned = plan(
            model,
            picture,
            method.name,
            index,
            versus=versus,
            output=output,  # type: ignore[arg-type]
            seed=seed,
            **parameters,
        )
    except HaloscopeError as error:
        return Chosen(model, picture, prediction, problem=str(error)), selection
    return Chosen(model, picture, prediction, planned), selection


def _model_chooser() -> str:
    refs = models.references()
    restore.valid("model", refs)
    return st.selectbox(
        "Model", refs, format_func=models.title, key="model", persist_state="session"
    )


def _sample_names(ref: str) -> tuple[str, ...]:
    for model in bundled_models():
        if model.name == ref:
            return model.samples
    return tuple(sample.name for sample in samples())


def _predicted(model: LoadedModel, picture: ImageInput | None) -> tuple[Prediction | None, str]:
    if picture is None:
        return None, ""
    try:
        return predict(model, picture), ""
    except HaloscopeError as error:
        return None, str(error)


def _text(index: int | None) -> str:
    return "" if index is None else str(index)
