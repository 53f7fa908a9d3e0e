"""How heads are judged: by which metric, on which pictures, with which settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.words import plain
from dashboard.controls import method as method_control
from dashboard.heads import agreement, asking
from dashboard.heads.choosing import Side
from dashboard.heads.link import PREFIX, wanted_parameters
from dashboard.running.models import identity
from dashboard.state import restore
from engine.heads.judging import plan_heads
from engine.heads.metric import HeadMetric
from engine.heads.planning import HeadPlan
from engine.heads.registry import head_metrics
from engine.models.classes import display_names
from engine.parameters import Value

FIRST, SECOND = "gradient", "cross-entropy"
_ON = {"this": None, "24": 24, "96": 96, "300": 300}
_WAYS = {"out": "Left out", "alone": "Kept alone"}


@dataclass(frozen=True)
class Asked:
    """How heads are judged, beside the model.

    Attributes:
        metric: by which.
        count: on how many pictures of the set, None: on the picture shown.
        only: the class of which they are, None: any.
        keep_one: each as the only head of its layer.
        top: so many heads are switched off, those that the gradient puts first; None: all.
        parameters: of the metric.
    """

    metric: HeadMetric
    count: int | None
    only: int | None = None
    keep_one: bool = False
    top: int | None = None
    parameters: tuple[tuple[str, Value], ...] = ()

    def plan(self, side: Side) -> HeadPlan:
        """Return the plan for a side; errors as those of ``plan_heads``."""
        assert side.model is not None and side.picture is not None
        known = self.only is not None and self.only < len(side.model.classes)
        only = self.only if known and self.count is not None else None
        settings: dict[str, Any] = {
            "only_class": only, "keep_one": self.keep_one, "exact_top": self.top,
            **dict(self.parameters),
        }  # fmt: skip
        model, picture, count, name = side.model, side.picture, self.count, self.metric.name
        if count is None:
            return plan_heads(model, picture, name, **settings)
        key = (identity(model), side.home, count, name, picture.fit, *settings.items())
        return asking.planned(
            key, lambda: plan_heads(model, side.pictures(count), name, fit=picture.fit, **settings)
        )


def choose(side: Side, beside: DeltaGenerator) -> None:
    """Show the choosers of metric and pictures, and the settings in a place of their own."""
    left, right = st.columns([3, 2])
    with left:
        metric = choose_metric("Metric", "metric", FIRST, side)
    with right:
        _pictures(side)
    told = f"{agreement.told(side.ref, metric.name)} {metric.caveat}".strip()
    st.caption(plain(metric.summary), help=plain(told))
    if _has_settings(side, metric):
        with beside.popover("Settings", icon=":material/tune:"):
            _settings(side, metric)


def choose_second(side: Side) -> None:
    """Show the chooser of another metric."""
    taken = asked("metric").metric.name
    choose_metric("Against", "second", FIRST if taken == SECOND else SECOND, side, without=taken)


def choose_metric(label: str, name: str, first: str, side: Side, without: str = "") -> HeadMetric:
    """Show a chooser of metrics."""
    known = head_metrics()
    names = sorted(
        known.keys() - {without}, key=lambda one: (one != first, known[one].title.lower())
    )
    key = f"{PREFIX}{name}"
    restore.valid(key, names)
    chosen = st.selectbox(
        label,
        names,
        format_func=lambda one: agreement.titled(known[one].title, side.ref, one),
        key=key,
        persist_state="session",
    )
    return known[chosen]


def _pictures(side: Side) -> None:
    restore.valid(f"{PREFIX}on", list(_ON))
    restore.aloud(f"{PREFIX}on", "this")
    st.selectbox(
        "Judged on",
        list(_ON) if side.home else ["this"],
        format_func=lambda on: "this picture" if on == "this" else f"{on} pictures",
        key=f"{PREFIX}on",
        persist_state="session",
        help="Of the picture alone, or of a set like it; only a set has standard errors.",
    )


def _on_set() -> bool:
    return st.session_state.get(f"{PREFIX}on", "this") != "this"


def _has_settings(side: Side, metric: HeadMetric) -> bool:
    return bool(metric.parameters) or metric.family.one_by_one or _on_set()


def _settings(side: Side, metric: HeadMetric) -> None:
    if metric.family.one_by_one:
        _one_by_one(sum(side.heads))
    if _on_set():
        _only_class(side)
    prefix = f"{PREFIX}{metric.name}"
    wanted = wanted_parameters()
    method_control.take_wanted(prefix, metric.parameters, wanted)
    for parameter in metric.parameters:
        method_control.widget(prefix, parameter)


def _one_by_one(heads: int) -> None:
    state, way, top = st.session_state, f"{PREFIX}way", f"{PREFIX}top"
    restore.valid(way, list(_WAYS))
    restore.aloud(way, "out")
    st.segmented_control(
        "A head is", list(_WAYS), format_func=_WAYS.__getitem__, key=way, required=True,
        persist_state="session",
        help="Left out: what the model loses without it. Kept alone: what it gives as the only "
        "head of its layer.",
    )  # fmt: skip
    state[top] = min(_number(state.get(top)), heads)
    st.number_input(
        "Only the first by gradient", 0, heads, key=top, persist_state="session",
        help="The gradients are looked at first, and only so many heads, those that they put "
        "first, are judged exactly. 0: all heads.",
    )  # fmt: skip


def _only_class(side: Side) -> None:
    assert side.model is not None
    names = display_names(side.model.classes)
    key = f"{PREFIX}class"
    restore.valid(key, ["", *map(str, range(len(names)))])
    st.selectbox(
        "Pictures of", ["", *map(str, range(len(names)))], key=key, persist_state="session",
        format_func=lambda index: names[int(index)] if index else "all classes",
        help="By label where there is one, else by what the model says.",
    )  # fmt: skip


def _number(value: object) -> int:
    """Read a number that may have come from a link."""
    text = str(value or 0)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


def in_link() -> dict[str, str]:
    """Return the parameters of the chosen metric that differ from the defaults, for a link."""
    now = asked("metric")
    usual = {parameter.name: parameter.default for parameter in now.metric.parameters}
    return {f"p.{name}": str(value) for name, value in now.parameters if value != usual[name]}


def asked(name: str) -> Asked:
    """Return what is asked by a chooser, "metric" or "second"; that has no settings of its own."""
    state = st.session_state
    first = name == "metric"
    metric = head_metrics()[state.get(f"{PREFIX}{name}", FIRST if first else SECOND)]
    one_by_one = first and metric.family.one_by_one
    only = state.get(f"{PREFIX}class", "")
    keys = {p.name: f"{PREFIX}{metric.name}.{p.name}" for p in metric.parameters}
    return Asked(
        metric=metric,
        count=_ON[state.get(f"{PREFIX}on", "this")],
        only=int(only) if only else None,
        keep_one=one_by_one and state.get(f"{PREFIX}way") == "alone",
        top=(_number(state.get(f"{PREFIX}top")) or None) if one_by_one else None,
        parameters=tuple((p, state[key]) for p, key in keys.items() if key in state and first),
    )
