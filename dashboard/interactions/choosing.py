"""The choices at the left: model, table or picture, and what is asked of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.controls import picture as picture_control
from dashboard.controls import table as table_control
from dashboard.controls.sidebar import suited_sets
from dashboard.heads import asking
from dashboard.interactions import settings
from dashboard.interactions.keys import PREFIX
from dashboard.interactions.settings import Settings
from dashboard.running import models, own_models
from dashboard.running.models import identity
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.interactions.picture_data import plan_picture_interactions
from engine.interactions.planning import InteractionPlan, plan_interactions

if TYPE_CHECKING:
    from engine.inputs.images import ImageInput
    from engine.inputs.tables import Row, Table
    from engine.models.loaded import LoadedModel

# Answered within a second, and the example of the paper.
_FIRST = "compas-logistic"


@dataclass(frozen=True, eq=False)
class Asked:
    """What the widgets say.

    Attributes:
        ref: reference of the model.
        model: what is looked at; None while it cannot be.
        table, label, row: of a model for tables.
        picture: of a model for pictures.
        settings: how far and how closely.
        plan: the interactions asked for, or None.
        problem: why there is no plan, one line, or "".
    """

    ref: str
    model: LoadedModel | None = None
    table: Table | None = None
    label: str | None = None
    row: Row | None = None
    picture: ImageInput | None = None
    settings: Settings | None = None
    plan: InteractionPlan | None = None
    problem: str = ""

    @property
    def given(self) -> Row | ImageInput | None:
        """The one input that models are compared on."""
        return self.row if self.picture is None else self.picture


def choose() -> Asked:
    """Show all choosers in the sidebar."""
    ref = _model()
    try:
        with st.spinner("Loading the model …"):
            model = models.model(ref)
    except HaloscopeError as error:
        return Asked(ref, problem=str(error))
    taken = own_models.taken_by(model)
    if taken == "tables":
        asked = _table(ref, model)
    elif taken == "pictures":
        asked = _picture(ref, model)
    else:
        told = f"{model.card.title} takes tensors of shape {model.spec.shape}"
        return Asked(ref, model, problem=f"{told}; this page needs columns, or regions of pictures")
    return asked if asked.problem or asked.settings is None else _planned(asked)


def _model() -> str:
    """Show the chooser of models, those for tables first."""
    refs = [*models.references("tables"), *models.references("pictures")]
    refs.sort(key=lambda ref: ref != _FIRST)
    titles = {ref: models.title(ref) for ref in refs}
    restore.valid_model(f"{PREFIX}model", refs)
    return st.selectbox(
        "Model",
        refs,
        format_func=titles.__getitem__,
        key=f"{PREFIX}model",
        persist_state="session",
    )


def _table(ref: str, model: LoadedModel) -> Asked:
    table, label, problem = table_control.choose(ref, model, PREFIX)
    if table is None:
        return Asked(ref, model, problem=problem)
    row = table_control.row(table, PREFIX)
    names = [column.told for column in model.table_spec.columns]
    chosen = settings.for_table(names, regression=model.activation == "identity")
    return Asked(ref, model, table, label, row, settings=chosen)


def _picture(ref: str, model: LoadedModel) -> Asked:
    picture = picture_control.choose(suited_sets(ref), PREFIX)
    if picture is None:
        return Asked(ref, model, problem="Choose a picture at the left.")
    return Asked(ref, model, picture=picture, settings=settings.for_picture())


def _planned(asked: Asked) -> Asked:
    """Return the same with its plan, made once, or with what is wrong with it."""
    assert asked.model is not None and asked.settings is not None
    given = asked.table.digest if asked.table is not None else _seen(asked.picture)
    key = ("interactions", identity(asked.model), given, asked.label, asked.settings)
    try:
        with st.spinner("Looking at the data …"):
            return replace(asked, plan=asking.planned(key, lambda: _plan(asked)))
    except HaloscopeError as error:
        return replace(asked, problem=str(error))


def _seen(picture: ImageInput | None) -> tuple[str, str]:
    assert picture is not None
    return picture.digest, picture.fit


def _plan(asked: Asked) -> InteractionPlan:
    assert asked.settings is not None
    chosen = asked.settings
    if asked.table is None:
        assert asked.picture is not None
        return plan_picture_interactions(
            asked.model,
            asked.picture,
            segments=chosen.regions,
            fit=asked.picture.fit,
            pairs=chosen.pairs or None,
            rate=chosen.rate,
            epsilon=chosen.epsilon,
            repeats=chosen.repeats,
            seed=chosen.seed,
        )
    return plan_interactions(
        asked.model,
        asked.table,
        label=asked.label,
        pairs=chosen.pairs or None,
        rate=chosen.rate,
        epsilon=chosen.epsilon,
        repeats=chosen.repeats,
        rows=chosen.rows,
        seed=chosen.seed,
        retrained=chosen.retrained,
    )
