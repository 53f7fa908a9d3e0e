"""What the page shows at present: the last result, kept until another one is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from components import saying
from dashboard.interactions import marks

if TYPE_CHECKING:
    from dashboard.interactions.choosing import Asked
    from engine.interaction_results import Interactions

_SHOWN = "i-shown"
_SETTINGS = {
    "rate": "how far above the loss", "epsilon": "how far above the loss", "pairs": "pairs",
    "repeats": "permutations", "seed": "seed", "rows": "rows", "retrained": "models trained again",
    "regions": "regions",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Shown:
    """A result, and what it answers.

    Attributes:
        asked: what was asked for when it was computed; the input that models are compared on is
            the present one, as long as model and data are the same.
        found: the interactions.
        changed: what differs in what is asked for now; nothing where this is the answer.
    """

    asked: Asked
    found: Interactions
    changed: tuple[str, ...] = ()

    @property
    def current(self) -> bool:
        """Whether it answers what is asked for now."""
        return not self.changed


def before(key: str) -> Interactions | None:
    """Return the result of this key if it is what was shown last."""
    kept: Shown | None = st.session_state.get(_SHOWN)
    return None if kept is None or kept.found.key != key else kept.found


def anything() -> bool:
    """Whether something is shown."""
    return _SHOWN in st.session_state


def shown_now(asked: Asked, found: Interactions | None) -> Shown | None:
    """Return what to show, and keep it.

    Args:
        asked: what the widgets say.
        found: its answer, if that is there.

    Returns:
        The answer; while there is none, the last one, told as such; None before the first.
    """
    kept: Shown | None = st.session_state.get(_SHOWN)
    if found is not None:
        if kept is not None and kept.found.key != found.key:
            marks.renew()
        st.session_state[_SHOWN] = now = Shown(asked, found)
        return now
    if kept is None:
        return None
    then = kept.asked
    if _same_data(then, asked):
        then = replace(then, row=asked.row)
    return replace(kept, asked=then, changed=_changed(kept.asked, asked))


def _same_data(then: Asked, now: Asked) -> bool:
    if then.model is not now.model or then.table is None or now.table is None:
        return False
    return then.table.digest == now.table.digest


def _changed(then: Asked, now: Asked) -> tuple[str, ...]:
    """Return in words what is asked for otherwise than before."""
    told = []
    if then.model is not now.model:
        told.append("model")
    if _name_of_data(then) != _name_of_data(now):
        told.append("table" if now.picture is None else "picture")
    elif then.label != now.label:
        told.append("label")
    if then.settings is not None and now.settings is not None:
        for name, words in _SETTINGS.items():
            if getattr(then.settings, name) != getattr(now.settings, name):
                told.append(words)
    return tuple(dict.fromkeys(told)) or ("settings",)


def _name_of_data(asked: Asked) -> tuple[str, str]:
    if asked.picture is not None:
        return asked.picture.digest, asked.picture.fit
    return ("" if asked.table is None else asked.table.digest), ""


def badge(shown: Shown) -> None:
    """Say whether what is shown is the answer to what is asked for."""
    from dashboard.explore.maps import STATES

    label, icon, colour = STATES["current" if shown.current else "stale"]
    st.badge(label, icon=icon, color=colour)  # type: ignore[arg-type]


def told_changes(shown: Shown) -> str:
    """Say that what is shown answers what was asked before, and what has changed since."""
    changed = saying.joined(shown.changed)
    return f"These figures answer what was asked before. Changed since: {changed}."
