"""Two pruned networks beside each other: numbers, units in common, pictures they part over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from components import prune_curve, prune_map, prune_names, saying
from components.prune_names import VALUES, Value
from components.prune_words import amount
from components.words import plain
from dashboard.prune import choosing, settings, sweeping
from dashboard.prune.keys import RATIO_TWO
from dashboard.prune.looked import Looked, chart
from engine.scores import change_of

_SECOND = "2"
_SHOWN = 12  # pictures


def show(looked: Looked) -> None:
    """Draw the choices of the other network, and both."""
    with st.container(border=True, key="pr-bar-two"):
        st.markdown("**The other one** :gray[:small[the first is set at the top]]")
        columns = st.columns([5, 3, 3, 3], vertical_alignment="bottom")
        asked = looked.asked
        assert asked.model is not None and asked.groups is not None
        with columns[0]:
            ratio = settings.ratio_slider(_SECOND, RATIO_TWO)
        with columns[1]:
            criterion = settings.criterion_chooser(asked.model, asked.groups, _SECOND)
        with columns[2]:
            scope = settings.scope_chooser(_SECOND)
        with columns[3]:
            repair = settings.repair_chooser(asked, _SECOND)
    own = replace(
        looked.settings, ratio=ratio / 100, criterion=criterion, scope=scope, repair=repair,
        also=(), unrepaired=False,
    )  # fmt: skip
    other = looked if own == looked.settings else sweeping.find(asked, own, "other-")
    if other is None:
        return
    st.markdown(f"**{plain(sentence(looked, other))}**")
    left, right = st.columns(2)
    with left, st.container(border=True, key="card-pr-both"):
        st.table(table(looked, other), border="horizontal")
        st.caption("In brackets: 95 % intervals. The sentence above compares picture by picture.")
    with right, st.container(border=True, key="card-pr-curve-two"):
        st.markdown("**The other one's curve** :gray[:small[beside its random control]]")
        chart(
            prune_curve.figure(other.found, other.way, other.ratio), "curve-two",
            prune_curve.alt(other.found, other.way, other.ratio),
        )  # fmt: skip
    with left, st.container(border=True, key="card-pr-maps"):
        for name, one in (("The first", looked), ("The other", other)):
            st.markdown(f"**{name}** :gray[:small[what stays of each layer]]")
            chart(
                prune_map.figure(one.found, one.way, one.ratio), f"map-{name.split()[-1]}",
                prune_map.alt(one.found, one.way, one.ratio),
            )  # fmt: skip
    with right, st.container(border=True, key="card-pr-part"):
        _apart(looked, other)


def sentence(one: Looked, other: Looked) -> str:
    """Say which of two networks is right more often, and how many units they share."""
    change = change_of(
        one.found.right(one.way, one.ratio), other.found.right(other.way, other.ratio)
    )
    first, second = one.found.kept[one.way, one.ratio], other.found.kept[other.way, other.ratio]
    if one.settings.repair == other.settings.repair and np.array_equal(first, second):
        return "Both are the same network: give the other one a ratio or a criterion of its own."
    what = prune_names.value_title(one.found, "accuracy")
    told = f"{what} {prune_names.points(change)}"
    if change.low > 0:
        begin = f"The other one is better: {told}."
    elif change.high < 0:
        begin = f"The other one is worse: {told}."
    else:
        begin = f"Neither is better beyond doubt: the other one's {told}."
    both, either = int((first & second).sum()), int((first | second).sum())
    chance = first.mean() * second.mean()
    expected = chance / (first.mean() + second.mean() - chance)
    return (
        f"{begin} They share {saying.counted(both, 'unit')} of the {either} that either keeps "
        f"({saying.share(both / either)}; drawn by lot {saying.share(float(expected))})."
    )


def table(one: Looked, other: Looked) -> pd.DataFrame:
    """Return the numbers of both, a line each."""
    titles = {
        "accuracy": saying.begun(prune_names.value_title(one.found, "accuracy")),
        "confidence": "Mean confidence",
        "ece": saying.begun(prune_names.value_title(one.found, "ece")),
        "agreement": saying.begun(prune_names.value_title(one.found, "agreement")),
    }
    rows = {titles[value]: [_value(each, value) for each in (one, other)] for value in VALUES}
    rows |= {
        "Parameters": [amount(each.costs.parameters) for each in (one, other)],
        "MACs": [amount(each.costs.macs) for each in (one, other)],
        "On disk": [amount(each.costs.size, "B") for each in (one, other)],
        "Units gone": [saying.number(each.gone, 9) for each in (one, other)],
    }
    names = [_named(one), _named(other)]
    if names[0] == names[1]:
        names = ["The first", "The other"]
    return pd.DataFrame(rows, index=names).T


def _value(one: Looked, value: Value) -> str:
    return prune_names.told(prune_names.value_of(one.found, one.way, one.ratio, value), value)


def _named(one: Looked) -> str:
    way = prune_names.way_name(one.found, one.way)
    return f"{saying.share(one.settings.ratio)} · {way}"


def _apart(one: Looked, other: Looked) -> None:
    """Show the pictures that the two networks name differently."""
    first = one.found.predicted[one.way, one.ratio]
    second = other.found.predicted[other.way, other.ratio]
    places = np.flatnonzero(first != second)
    st.markdown(
        f"**Where they part** :gray[:small[{len(places)} of {len(first)} pictures are named "
        "differently]]"
    )
    if not len(places):
        st.caption("Both say the same of every picture.")
        return
    classes, truth = one.found.classes, one.found.truth
    names = one.found.manifest["source"]["pictures"]
    st.dataframe(
        pd.DataFrame(
            {
                "picture": [names[place] for place in places],
                "label": [classes[truth[p]] if truth[p] >= 0 else "–" for p in places],
                "the first": [classes[first[place]] for place in places],
                "the other": [classes[second[place]] for place in places],
            }
        ),
        hide_index=True,
        height="content" if len(places) <= _SHOWN else "auto",
    )
    key = f"pr-part-{one.key[:6]}-{other.key[:6]}"

    def take() -> None:
        entries = [entry.name for entry in one.plan.images.entries]
        chosen = st.session_state[key]
        if chosen is not None:
            choosing.take(one.plan.images[entries.index(chosen)])

    st.selectbox(
        "Look at", [names[place] for place in places], None, key=key, on_change=take,
        placeholder="one of these pictures",
    )  # fmt: skip
