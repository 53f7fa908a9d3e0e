"""Ways of pruning that are no criterion: by picture, merging, single weights, trained ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from components import prune_names, saying
from components.words import plain, sentence
from dashboard.controls import method as method_control
from dashboard.heads import asking
from dashboard.prune.keys import PREFIX
from dashboard.prune.looked import Looked
from dashboard.running import other_ways
from dashboard.running import pruning as running
from dashboard.running.other_ways import Tried
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.execution.passes import Cancel, Progress
from engine.parameters import Value
from engine.pruning.methods.catalogue import (
    MethodPlan,
    plan_method,
    posthoc_methods,
    trained_methods,
)
from engine.pruning.methods.method import PruningMethod
from engine.scores import change_of, share_of

_KINDS = {"posthoc": "Nothing is trained", "trained": "Trained on the pictures that calibrate"}


def show(looked: Looked) -> None:
    """Draw the chooser, what the chosen way costs, and what it did."""
    left, right = st.columns([4, 7])
    with left, st.container(border=True, key="card-pr-way"):
        method = _method()
        st.markdown(plain(method.summary))
        st.caption(plain(method.caveat))
        values = {
            one.name: method_control.widget(f"{PREFIX}{method.name}", one)
            for one in method.parameters
        }
    with right, st.container(border=True, key="card-pr-tried"):
        st.markdown(f"**{plain(method.title)}** :gray[:small[{_KINDS[_kind(method)].lower()}]]")
        try:
            plan = _plan(looked, method, values)
        except HaloscopeError as error:
            st.info(sentence(str(error)), icon=":material/info:")
            return
        found = _tried(looked, plan, values)
        if found is not None:
            _told(looked, found)


def _method() -> PruningMethod:
    known = {**posthoc_methods(), **trained_methods()}
    key = f"{PREFIX}other"
    restore.valid(key, list(known))
    kind = st.segmented_control(
        "Kind", list(_KINDS), format_func=_KINDS.__getitem__, key="pr-kind",
        default=None if "pr-kind" in st.session_state else _kind_now(known),
        label_visibility="collapsed", required=True,
    )  # fmt: skip
    names = list(posthoc_methods() if kind != "trained" else trained_methods())
    if st.session_state.get(key) not in names:
        st.session_state[key] = names[0]
    chosen = st.selectbox(
        "Way", names, format_func=lambda name: known[name].title, key=key,
        persist_state="session",
    )  # fmt: skip
    return known[chosen]


def _kind_now(known: dict[str, PruningMethod]) -> str:
    chosen = known.get(str(st.session_state.get(f"{PREFIX}other")))
    return "posthoc" if chosen is None else _kind(chosen)


def _kind(method: PruningMethod) -> str:
    return "trained" if method.trains else "posthoc"


def _plan(looked: Looked, method: PruningMethod, values: dict[str, Value]) -> MethodPlan:
    key = ("other", looked.plan.key, method.name, *values.items())
    return asking.planned(
        key,
        lambda: plan_method(
            looked.model, looked.plan.groups, method.name, looked.calibrating,
            fit=looked.plan.fit, seed=looked.settings.seed, **values,
        ),
    )  # fmt: skip


def _tried(looked: Looked, plan: MethodPlan, values: dict[str, Value]) -> Tried | None:
    cost = other_ways.cost(plan, looked.plan)
    repair, whole, found = looked.settings.repair, looked.plan, looked.found
    key = f"{whole.key} {plan.method.name} {sorted(values.items())} {repair}"

    def work(progress: Progress, cancel: Cancel) -> Tried:
        return other_ways.attempt(plan, whole, found, repair, progress, cancel)

    job = asking.asked(
        "others", key, running.seconds(looked.model, cost), asking.passes(cost),
        lambda: running.work(key, plan.method.title, whole, work), quick=False,
    )  # fmt: skip
    return job.result if job is not None and isinstance(job.result, Tried) else None


def _told(looked: Looked, found: Tried) -> None:
    st.markdown(f"**{plain(say(looked, found))}**")
    for line in notes(looked, found):
        st.caption(plain(line))
    if found.outcome.use is not None:
        _use(looked, found)
    elif found.outcome.kept is not None:
        _layers(looked, found)
    elif found.outcome.masks is not None:
        st.dataframe(
            pd.DataFrame(
                {
                    "weights of": list(found.outcome.masks),
                    "stay": [int(one.sum()) for one in found.outcome.masks.values()],
                    "of": [one.size for one in found.outcome.masks.values()],
                }
            ),
            hide_index=True,
        )
        st.caption(
            "A preview: weights that went are zeros, which no CPU skips. Sparse patterns are "
            "faster on hardware made for them alone."
        )
    skipped = found.outcome.told.get("skipped")
    if skipped:
        with st.expander(f"{saying.counted(len(skipped), 'layer')} left out"):
            lines = skipped.items() if isinstance(skipped, dict) else enumerate(skipped)
            st.markdown("\n".join(f"- {plain(f'{name}: {why}')}" for name, why in lines))


def say(looked: Looked, found: Tried) -> str:
    """Say what went and what it costs in right answers, against the untouched network."""
    now, change = share_of(found.right), change_of(found.before, found.right)
    what = prune_names.value_title(looked.found, "accuracy")
    went = "Each picture uses units of its own"
    if found.gone == found.gone:
        went = f"{saying.share(found.gone)} of the {found.unit} are gone"
    judging = " that calibrate" if found.outcome.use is not None else ""
    verb = "falls" if change.high < 0 else "rises" if change.low > 0 else "is the same within doubt"
    return (
        f"{went}; {what} {verb}: {prune_names.told(now)}, {prune_names.points(change)}, on "
        f"{saying.counted(now.count, 'picture')}{judging}."
    )


def notes(looked: Looked, found: Tried) -> list[str]:
    """Say what stands beside it: the curve above at the same share, and the training."""
    told = []
    if found.unit == "units" and found.gone == found.gone:
        sweep, way = looked.found, looked.way
        shares = 1 - sweep.kept[way].mean(axis=-1)
        near = int(np.abs(shares - found.gone).argmin())
        told.append(
            f"{prune_names.way_name(sweep, way)} with {saying.share(float(shares[near]))} of the "
            f"units gone: {prune_names.told(sweep.accuracy(way, near))}."
        )
    losses = found.outcome.losses
    if losses is not None and len(losses):
        told.append(
            f"Trained for {saying.counted(len(losses), 'step')}: loss "
            f"{saying.number(float(losses[0]))} at the first, "
            f"{saying.number(float(losses[-1]))} at the last."
        )
    return told


def _use(looked: Looked, found: Tried) -> None:
    """Show how many units of each layer pictures use, and what that would save."""
    use = found.outcome.use
    assert use is not None
    saved = 1 - use.macs / use.all_macs
    low, middle, high = np.quantile(saved, (0, 0.5, 1)).tolist()
    st.markdown(
        plain(
            f"Half of the pictures could do with {saying.share(middle)} less arithmetic "
            f"({saying.share(low)} to {saying.share(high)}): an upper bound, since it must be "
            "known beforehand which units a picture uses."
        )
    )
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "layer": name,
                    "units": looked.plan.groups[name].size,
                    "fewest": int(counts.min()),
                    "mean": round(float(counts.mean()), 1),
                    "most": int(counts.max()),
                    "used by some picture": int(use.used[name].any(axis=0).sum()),
                }
                for name, counts in use.counts.items()
            ]
        ),
        hide_index=True,
    )


def _layers(looked: Looked, found: Tried) -> None:
    kept = found.outcome.kept
    assert kept is not None
    st.dataframe(
        pd.DataFrame(
            [
                {"layer": name, "stay": int(np.sum(one)), "of": len(one),
                 "share": 100 * float(np.mean(one))}
                for name, one in kept.items()
            ]
        ),
        hide_index=True,
        column_config={
            "share": st.column_config.ProgressColumn(
                "stay (%)", format="%d %%", min_value=0, max_value=100
            )
        },
    )  # fmt: skip
