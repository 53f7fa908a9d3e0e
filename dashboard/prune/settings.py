"""How a network is made smaller: ratio, criterion, scope, repair, and what is drawn beside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from components import prune_words
from components.saying import counted
from components.words import plain
from dashboard.heads import asking
from dashboard.prune.choosing import Asked
from dashboard.prune.keys import DRAWS, FIRST, MOST, OVERRIDES, PREFIX, RATIO, REPAIR, SCOPE, STEP
from dashboard.running.models import identity
from dashboard.state import restore
from engine.models.loaded import LoadedModel
from engine.prune_results import RANDOM, Way
from engine.pruning.repairing.repairs import Repair, usual_repair
from engine.pruning.scoring.registry import criteria
from engine.pruning.sweeping.judged import calibrating
from engine.pruning.sweeping.planning import PrunePlan, plan_pruning
from engine.pruning.units import Groups

_REPAIRS = {
    REPAIR: "Usual", "both": "Both", "bn": "Recalibrate batch norms",
    "bias": "Compensate biases", "none": "None",
}  # fmt: skip
_SCOPES = {
    "uniform": "Each layer alike", "global": "Across layers",
    "standardised": "Across layers, standardised",
}  # fmt: skip
_STEPS = {"10": "every 10 %", "5": "every 5 %"}


@dataclass(frozen=True)
class Settings:
    """How a network is made smaller.

    Attributes:
        criterion, scope, repair: of the way that is looked at.
        ratio: share of units that is asked to go.
        step: percent between the ratios of a sweep.
        overrides: ratios of single layers, by name.
        also: criteria that are drawn beside.
        unrepaired: whether the same without a repair is drawn beside.
        draws: of the random control.
        seed: of all that is drawn.
    """

    criterion: str
    scope: str
    repair: str
    ratio: float
    step: int = 10
    overrides: tuple[tuple[str, float], ...] = ()
    also: tuple[str, ...] = ()
    unrepaired: bool = False
    draws: int = DRAWS
    seed: int = 0

    @property
    def way(self) -> Way:
        """The way that is looked at."""
        return Way(self.criterion, 0, self.scope, self.repair)

    def plan(self, asked: Asked) -> PrunePlan:
        """Return the plan of a sweep over all ratios; errors as those of ``plan_pruning``."""
        assert asked.model is not None and asked.images is not None
        model, images = asked.model, asked.images
        fit = asked.picture.fit if asked.picture is not None else "crop"
        key = (
            "prune", identity(model), images.digest, fit, self.criterion, self.scope, self.repair,
            self.step, self.overrides, self.also, self.unrepaired, self.draws, self.seed,
        )  # fmt: skip
        return asking.planned(
            key,
            lambda: plan_pruning(
                model,
                images,
                criteria=(self.criterion, *self.also),
                ratios=[percent / 100 for percent in ratios(self.step)],
                repairs=(self.repair, *(["none"] if self.unrepaired else [])),
                scope=self.scope,
                overrides=dict(self.overrides),
                draws=self.draws,
                fit=fit,
                seed=self.seed,
            ),
        )


def ratios(step: int) -> list[int]:
    """Return the ratios of a sweep in percent."""
    return list(range(0, MOST + 1, step))


def bar(asked: Asked) -> Settings:
    """Show ratio, criterion, scope and repair in one line, and what is drawn beside."""
    assert asked.model is not None and asked.groups is not None
    with st.container(border=True, key="pr-bar"):
        one, two, three, four, five = st.columns([5, 3, 3, 3, 2], vertical_alignment="bottom")
        with one:
            ratio = ratio_slider()
        with two:
            criterion = criterion_chooser(asked.model, asked.groups)
        with three:
            scope = scope_chooser()
        with four:
            repair = repair_chooser(asked)
        with five, st.popover("More", icon=":material/tune:"):
            more = _more(asked, criterion, repair)
        _tell_few(asked)
        overrides = _overrides(asked.groups)
    settings = Settings(criterion, scope, repair, ratio / 100, overrides=overrides)
    return replace(settings, **more)


_SCOPE_HELP = (
    "Each layer alike: every layer loses the same share. Across layers: the lowest scores of all "
    "layers go first; standardised: after each layer's scores were brought to the same mean and "
    "spread. One unit of each layer stays in any case."
)
_REPAIR_HELP = (
    "Without training. Recalibrate: batch norms measure their means and variances anew. "
    "Compensate: biases say what units that went said on average. Usual: both; biases alone where "
    "batch norms are there and fewer than one picture for five classes calibrates."
)


def scope_chooser(last: str = "") -> str:
    """Show the chooser of how a ratio is shared out."""
    return _chosen(f"scope{last}", "Scope", _SCOPES, SCOPE, _SCOPE_HELP)


def repair_chooser(asked: Asked, last: str = "") -> str:
    """Show the chooser of what is done after; return the repair, the usual one by its name."""
    usual = usual_repair_of(asked)
    titles = {**_REPAIRS, REPAIR: f"Usual: {_REPAIRS[usual].lower()}"}
    chosen = _chosen(f"repair{last}", "Repair", titles, REPAIR, _REPAIR_HELP)
    return usual if chosen == REPAIR else chosen


def usual_repair_of(asked: Asked) -> Repair:
    """Return the repair where none is chosen: it depends on how many pictures calibrate."""
    assert asked.model is not None and asked.images is not None
    return usual_repair(asked.model, calibrating(asked.images)) if len(asked.images) else "both"


def _tell_few(asked: Asked) -> None:
    """Say why not both repairs are made, where that was not chosen."""
    if st.session_state[f"{PREFIX}repair"] != REPAIR or usual_repair_of(asked) == "both":
        return
    assert asked.model is not None and asked.images is not None
    count = calibrating(asked.images)
    told = prune_words.few_words(count, len(asked.model.classes))
    st.caption(f":material/info: {plain(told)} The choice “Both” does it all the same.")


def ratio_slider(last: str = "", first: int = RATIO) -> int:
    """Show the slider of the share that goes, in percent; ``first`` where nothing was chosen."""
    key = f"{PREFIX}ratio{last}"
    step = int(st.session_state.get(f"{PREFIX}step") or STEP)
    options = ratios(step)
    now = st.session_state.setdefault(key, first)
    if now not in options:
        st.session_state[key] = min(options, key=lambda one: abs(one - int(now)))
    return int(
        st.select_slider(
            "Units that go", options, format_func=lambda percent: f"{percent} %", key=key,
            persist_state="session",
            help="Of a sweep that is there the slider is answered at once: no pass.",
        )
    )  # fmt: skip


def suited(model: LoadedModel, groups: Groups) -> dict[str, str]:
    """Return the titles of the criteria that can judge some layer, by name."""
    return {
        name: one.title
        for name, one in criteria().items()
        if name != RANDOM and any(not one.refusal(model, group) for group in groups.groups)
    }


def criterion_chooser(model: LoadedModel, groups: Groups, last: str = "") -> str:
    """Show the chooser of what scores units; ``last`` tells a second one apart."""
    key, titles = f"{PREFIX}criterion{last}", suited(model, groups)
    names = sorted(titles, key=lambda name: (name != FIRST, titles[name]))
    restore.valid(key, names)
    chosen = str(st.session_state.get(key) or names[0])
    found = criteria()[chosen]
    return st.selectbox(
        "Criterion", names, format_func=titles.__getitem__, key=key, persist_state="session",
        help=plain(f"{found.summary} {found.caveat}".strip()),
    )  # fmt: skip


def _chosen(name: str, label: str, titles: dict[str, str], first: str, told: str) -> str:
    key = f"{PREFIX}{name}"
    restore.valid(key, list(titles))
    st.session_state.setdefault(key, first)
    return st.selectbox(
        label, list(titles), format_func=titles.__getitem__, key=key, persist_state="session",
        help=told,
    )  # fmt: skip


def _more(asked: Asked, criterion: str, repair: str) -> dict[str, Any]:
    """Show what else a sweep asks."""
    assert asked.model is not None and asked.groups is not None
    titles = suited(asked.model, asked.groups)
    others = [name for name in titles if name != criterion]
    key = f"{PREFIX}also"
    now = [name for name in st.session_state.get(key) or [] if name in others]
    st.session_state[key] = now
    also = st.multiselect(
        "Other criteria beside", others, format_func=titles.__getitem__, key=key,
        persist_state="session", placeholder="none",
        help="Each is a curve of its own, and costs as much.",
    )  # fmt: skip
    flag = f"{PREFIX}unrepaired"
    st.session_state.setdefault(flag, False)
    unrepaired = st.toggle(
        "The same without repair", key=flag, persist_state="session", disabled=repair == "none"
    )
    step = _chosen("step", "Ratios", _STEPS, STEP, "Of the sweep, and so of the slider.")
    numbers: dict[str, int] = {}
    for name, label, low, high, first, told in (
        ("draws", "Drawings of the random control", 1, 20, DRAWS, "Units drawn by lot."),
        ("seed", "Seed", 0, 2**31 - 1, 0, "Of drawings, and of which pictures calibrate."),
    ):
        st.session_state.setdefault(f"{PREFIX}{name}", first)
        numbers[name] = int(
            st.number_input(
                label, low, high, key=f"{PREFIX}{name}", persist_state="session", help=told
            )
        )
    beside = unrepaired and repair != "none"
    return {"also": tuple(also), "unrepaired": beside, "step": int(step), **numbers}


def _overrides(groups: Groups) -> tuple[tuple[str, float], ...]:
    """Return the ratios that single layers have of their own; say that there are some."""
    there = {group.name for group in groups.groups}
    own: dict[str, int] = st.session_state.setdefault(OVERRIDES, {})
    found = {name: percent for name, percent in own.items() if name in there}
    if found:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(f"{counted(len(found), 'layer')} with a ratio of its own", color="orange")
            st.button("All alike", key="pr-no-overrides", type="tertiary", on_click=own.clear)
    return tuple(sorted((name, percent / 100) for name, percent in found.items()))
