"""The nearest rows that came out otherwise: counterfactuals from the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
import torch

from components import table_words
from components.saying import cell, counted, exact
from components.words import plain, sentence
from dashboard.running import explanations, panel
from dashboard.running.models import identity
from dashboard.running.watching import watch
from dashboard.tables.link import PREFIX
from dashboard.tables.telling import percent_or_value
from engine.errors import HaloscopeError

if TYPE_CHECKING:
    from dashboard.tables.choosing import Chosen
    from engine.execution.jobs import Job
    from engine.models.loaded import LoadedModel
    from engine.tables.nearest import Change, Nearest
    from engine.tables.outcomes import Predicted

_COUNT = 5
_CHANGES = 4
_PATIENCE = 0.4


def show(chosen: Chosen, *, busy: bool) -> None:
    """Show the nearest rows; ``busy`` while another job of this page runs."""
    assert chosen.model is not None and chosen.asked is not None
    with st.container(border=True, key="card-nearest"):
        st.markdown(
            "**The nearest rows that came out otherwise** "
            ":gray[:small[real rows of the table, not made-up ones]]"
        )
        said = _predicted(chosen, busy=busy)
        if said is None:
            return
        found = _nearest(chosen, said)
        if isinstance(found, str):
            st.error(sentence(found))
        elif not len(found.rows):
            st.caption("No row of the table came out otherwise.")
        else:
            _rows(found, said, chosen)


def _predicted(chosen: Chosen, *, busy: bool) -> Predicted | None:
    """Return what the model says of every row; None while that is being found out."""
    job = _job(chosen)
    if job.state == "done":
        return job.result
    if job.active:
        watch().join(job)
        if busy:
            st.caption("Looked for once the work above is done.")
        else:
            panel.show(job)
    else:
        st.caption("Cancelled." if job.state == "cancelled" else plain(job.error or ""))
        st.button("Look again", icon=":material/refresh:", on_click=_look_again)
    return None


def _look_again() -> None:
    st.session_state["t-predict-again"] = True


def _job(chosen: Chosen) -> Job:
    from engine.tables.outcomes import predict_table

    model, table = chosen.model, chosen.table
    assert model is not None and table is not None
    key = f"predictions {identity(model)} {table.digest}"
    known = explanations.queue().find(key)
    if known is not None and not st.session_state.pop("t-predict-again", False):
        return known
    if not table.origin:
        explanations.own(key)
    job = explanations.queue().submit(
        key,
        f"Predictions for {table.name if table.origin else 'your table'}",
        lambda progress, cancel: predict_table(model, table, progress=progress, cancel=cancel),
    )
    job.wait(_PATIENCE)
    return job


def _nearest(chosen: Chosen, said: Predicted) -> Nearest | str:
    from engine.tables.nearest import other_outcome

    assert chosen.model is not None and chosen.table is not None and chosen.asked is not None
    try:
        return other_outcome(chosen.model, chosen.table, chosen.asked, _COUNT, predicted=said)
    except HaloscopeError as error:
        return str(error)


def _prediction_title(model: LoadedModel, target: int) -> str:
    return "Prediction" if len(model.classes) == 1 else f"Probability of {model.classes[target]}"


def _predictions(found: Nearest, said: Predicted, model: LoadedModel, target: int) -> list[str]:
    """Return the number that is explained, for each of the rows found."""
    from engine.models.outputs import probabilities_of

    places = np.searchsorted(said.rows.numbers, found.rows)
    values = probabilities_of(torch.from_numpy(said.logits[places]), model.activation)
    return [percent_or_value(model, float(value)) for value in values[:, target]]


def _rows(found: Nearest, said: Predicted, chosen: Chosen) -> None:
    assert chosen.model is not None and chosen.asked is not None
    model, name = chosen.model, chosen.asked.name
    target = 0 if chosen.plan is None else chosen.plan.readout.target
    first = found.changes[0]
    st.markdown(
        plain(
            table_words.nearest_sentence(
                name,
                found.outcome,
                int(found.rows[0]),
                found.outcomes[0],
                [(change.title, change.before, change.after) for change in first[:_CHANGES]],
            )
        )
    )
    # A list of its own for each row asked about: a selection does not outlive what it is of.
    key = f"t-nearest-{chosen.asked.digest[:12]}"
    st.dataframe(
        {
            "Row": [int(number) for number in found.rows],
            "Outcome": list(found.outcomes),
            _prediction_title(model, target): _predictions(found, said, model, target),
            "Columns that differ": [len(changes) for changes in found.changes],
            "Most": [_told(changes) for changes in found.changes],
        },
        hide_index=True,
        on_select=_pick(found, key),
        selection_mode="single-row",
        key=key,
    )
    of = f"{exact(found.looked_at)} of " if found.looked_at < found.of else ""
    st.caption(f"Out of {of}{counted(found.of, 'row')}. Select one to see why it came out so.")


def _pick(found: Nearest, key: str) -> Callable[[], None]:
    def take() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows:
            st.session_state[f"{PREFIX}row"] = int(found.rows[rows[0]])

    return take


def _told(changes: tuple[Change, ...]) -> str:
    """Say the largest changes: "worst area 799.6 → 1210"."""
    shown = [f"{c.title} {cell(c.before)} → {cell(c.after)}" for c in changes[:_CHANGES]]
    more = f" and {len(changes) - _CHANGES} more" if len(changes) > _CHANGES else ""
    return "; ".join(shown) + more
