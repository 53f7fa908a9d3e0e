"""The choices at the left: model, table, row, outcome, method."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from components.saying import counted
from components.words import plain
from dashboard.controls import method as method_control
from dashboard.controls import table as table_control
from dashboard.running import models
from dashboard.running.predictions import prediction
from dashboard.state import restore
from dashboard.tables import what_if
from dashboard.tables.link import PREFIX
from engine.attribution.explain import Plan, plan
from engine.errors import HaloscopeError
from engine.inputs.tables import Row, Table
from engine.models.loaded import LoadedModel


@dataclass(frozen=True, eq=False)
class Chosen:
    """What the widgets say.

    Attributes:
        model, table: what is looked at; None while it cannot be.
        label: the column of the table that holds the truth, or None.
        row: the row as it stands in the table; asked: the same with the user's changes.
        plan: the explanation asked for, or None.
        problem: why there is no plan, one line, or "".
        parameters: of the method, as a link says them.
    """

    model: LoadedModel | None = None
    table: Table | None = None
    label: str | None = None
    row: Row | None = None
    asked: Row | None = None
    plan: Plan | None = None
    problem: str = ""
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def changes(self) -> dict[str, Any]:
        """What if: the columns that the user changed."""
        if self.row is None or self.asked is None or self.row is self.asked:
            return {}
        return {
            name: value
            for name, value in self.asked.values.items()
            if value != self.row.values[name]
        }


def choose() -> Chosen:
    """Show all choosers in the sidebar."""
    refs = models.references("tables")
    titles = {ref: models.title(ref) for ref in refs}
    restore.valid_model(f"{PREFIX}model", refs)
    ref = st.selectbox(
        "Model",
        refs,
        format_func=titles.__getitem__,
        key=f"{PREFIX}model",
        persist_state="session",
    )
    try:
        with st.spinner("Loading the model …"):
            model = models.model(ref)
            model.table_spec  # noqa: B018  (says in one line if it takes no tables)
    except HaloscopeError as error:
        return Chosen(problem=str(error))
    table, label, problem = table_control.choose(ref, model, PREFIX)
    if table is None:
        return Chosen(model, problem=problem)
    row = table_control.row(table, PREFIX)
    target = _target(model)
    choice = method_control.choose(
        model, (), PREFIX, st.session_state.pop("t-wanted-parameters", {})
    )
    found = Chosen(model, table, label, row, row, parameters=_in_link(choice, model))
    try:
        asked = what_if.changed(model, row)
        found = replace(found, asked=asked)
        for given in (row, asked):  # a prediction that cannot be made is told before all else
            prediction(model, given)
        planned = plan(
            model,
            asked,
            choice.method.name,
            target,
            output=choice.output,  # type: ignore[arg-type]
            seed=choice.seed,
            **choice.parameters,  # type: ignore[arg-type]
        )
    except HaloscopeError as error:
        return replace(found, problem=str(error))
    if planned.background is not None:
        _compared(len(planned.background.chosen), len(table))
    return replace(found, plan=planned)


def _in_link(choice: method_control.Choice, model: LoadedModel) -> dict[str, str]:
    """Return the parameters that differ from their defaults, as text."""
    return {
        p.name: str(choice.parameters[p.name])
        for p in choice.method.parameters_for(model)
        if choice.parameters[p.name] != p.default
    }


def _compared(rows: int, of: int) -> None:
    told = "all" if rows == of else f"{rows} drawn"
    st.caption(f"Compared with {told} of the table's {counted(of, 'row')}.")


def _target(model: LoadedModel) -> int:
    """Show the chooser of outcomes where there are several; return the index."""
    if len(model.classes) == 1:
        return 0
    key = f"{PREFIX}target"
    options = [str(index) for index in range(len(model.classes))]
    restore.valid(key, options)
    restore.aloud(key, options[1] if len(options) == 2 else options[0])
    return int(
        st.selectbox(
            "Why this outcome",
            options,
            format_func=lambda index: plain(model.classes[int(index)]),
            key=key,
            persist_state="session",
        )
    )
