"""Choosing a measure of the columns, its column and its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from components.words import plain
from dashboard.controls.method import widget
from dashboard.state import restore
from dashboard.tables.link import PREFIX
from engine.errors import HaloscopeError
from engine.tables.measuring import MeasurePlan, plan_measure
from engine.tables.registry import measures

if TYPE_CHECKING:
    from dashboard.tables.choosing import Chosen
    from engine.parameters import Parameter, Value
    from engine.tables.measure import Measure

_FIRST = "swarm"
_ROWS = (100, 200, 500, 1000, 2000, 5000)


def choose(chosen: Chosen) -> tuple[MeasurePlan | None, str]:
    """Show the choosers; return what is asked for, or why it cannot be (one line)."""
    assert chosen.model is not None and chosen.table is not None
    known = measures()
    names = sorted(known, key=lambda name: (name != _FIRST, known[name].title.lower()))
    key = f"{PREFIX}measure"
    restore.valid(key, names)
    left, middle, right = st.columns([3, 3, 2], vertical_alignment="bottom")
    with left:
        name = st.selectbox(
            "Measure",
            names,
            format_func=lambda name: known[name].title,
            key=key,
            persist_state="session",
        )
    measure = known[name]
    with middle:
        column = _column(chosen) if measure.takes_column else None
    try:
        declared = measure.parameters_for(chosen.model)
    except HaloscopeError as error:
        return None, str(error)
    with right, st.popover("Settings", icon=":material/tune:", width="stretch"):
        parameters, rows = _settings(measure, declared, chosen)
    return _planned(chosen, measure, column, parameters, rows)


def _planned(
    chosen: Chosen,
    measure: Measure,
    column: str | None,
    parameters: dict[str, Value],
    rows: int,
) -> tuple[MeasurePlan | None, str]:
    seed = int(st.session_state.get(f"{PREFIX}seed", 0))
    readout = None if chosen.plan is None else chosen.plan.readout
    asks = measure.takes_target and readout is not None
    try:
        plan = plan_measure(
            chosen.model,
            chosen.table,
            measure.name,
            column=column,
            label=chosen.label,
            target=readout.target if asks and readout is not None else None,
            output=readout.output if asks and readout is not None else None,
            seed=seed,
            rows=rows,
            **parameters,
        )
    except HaloscopeError as error:
        return None, str(error)
    return plan, ""


def _column(chosen: Chosen) -> str:
    assert chosen.model is not None
    columns = {column.name: column.told for column in chosen.model.table_spec.columns}
    key = f"{PREFIX}column"
    restore.valid(key, list(columns))
    return st.selectbox(
        "Column",
        list(columns),
        format_func=lambda name: plain(columns[name]),
        key=key,
        persist_state="session",
    )


def _settings(
    measure: Measure, declared: tuple[Parameter, ...], chosen: Chosen
) -> tuple[dict[str, Value], int]:
    parameters = {
        p.name: _method(p, chosen) if p.name == "method" else widget(f"{PREFIX}{measure.name}", p)
        for p in declared
    }
    most = measure.limit or max(_ROWS)
    options = sorted({*(count for count in _ROWS if count <= most), measure.most_rows})
    key = f"{PREFIX}rows.{measure.name}"
    restore.aloud(key, measure.most_rows)
    rows = st.select_slider(
        "Rows looked at, at the most",
        options,
        key=key,
        persist_state="session",
        help="Of a larger table so many are drawn; the line below the picture tells how many.",
    )
    st.caption(f"**Keep in mind.** {plain(measure.caveat)}")
    return parameters, int(rows)


def _method(parameter: Parameter, chosen: Chosen) -> Value:
    """Return the method chosen at the left, if many rows can be explained by it."""
    wanted = "" if chosen.plan is None else chosen.plan.method.name
    if wanted in parameter.choices:
        return wanted
    st.caption(f"Explained by {parameter.default}: the method at the left does not add up.")
    return parameter.default
