"""One model of a pair: its mask, its loss, what it says of the chosen input, where it lies."""

from __future__ import annotations

import numpy as np
import streamlit as st

from components import halo, interaction_words, prediction_pairs, saying
from components.interaction_names import masks_told, pair_named
from components.sign_agreement import SURE
from components.words import plain
from dashboard.interactions import marks
from dashboard.interactions.looked import Looked, chart
from dashboard.interactions.marks import Member
from dashboard.running.heads import once
from dashboard.running.models import identity
from engine.errors import HaloscopeError
from engine.interactions.showing import predict_with_masks
from engine.manifest import digest_of

_CLASSES = 4  # shown at the most
_NUMBER = 150  # pixels


def show(looked: Looked, *, beside: bool = False) -> None:
    """Draw the card, or say how to get it.

    Args:
        looked: where one looks.
        beside: the halo of the pair stands beside it already, with the model ringed.
    """
    member = looked.member
    if member is None:
        st.caption("Click a dot to see its model, or give its number above.")
        return
    with st.container(border=True, key="card-model"):
        _head(looked, member)
        st.markdown(plain(_sentence(looked, member)))
        _numbers(looked, member)
        _predictions(looked, member)
        if not beside:
            _place(looked, member)


def _head(looked: Looked, member: Member) -> None:
    found = looked.found
    inside = member.loss <= found.base_loss + looked.epsilon
    with st.container(horizontal=True, vertical_alignment="center"):
        title = f"{_title(looked, member)} · {pair_named(found, looked.pair)}"
        st.markdown(f"**{plain(title)}**", width="content")
        if inside:
            st.badge("In the set", icon=":material/check_circle:", color="green")
        else:
            st.badge("Out of bound", icon=":material/block:", color="gray")
        st.button("Close", icon=":material/close:", type="tertiary", on_click=_close, key="i-close")


def _close() -> None:
    marks.keep(marks.Marks(marks.kept().pair))


def _title(looked: Looked, member: Member) -> str:
    if member.other is not None:
        return f"Model {member.other + 1} of those trained again"
    if member.cloud == 0:
        return "The reference"
    return "A point of a smaller halo" if member.cloud is None else f"Model {member.cloud}"


def _sentence(looked: Looked, member: Member) -> str:
    found, pair = looked.found, looked.pair
    if member.other is not None:
        return f"{interaction_words.model_sentence(found, pair, -1 - member.other)}{_how(looked)}"
    if member.cloud is not None:
        return interaction_words.model_sentence(found, pair, member.cloud)
    assert member.masks is not None
    titles = [found.titles[i] for i in found.pairs[pair]]
    return (
        f"The reference with {masks_told(titles, member.masks)}. It belongs to a halo alone: what "
        "it relies on was not measured, as it was of the models of the largest set."
    )


def _how(looked: Looked) -> str:
    """Say how a model was trained again."""
    member = looked.member
    told = looked.found.manifest["display"].get("others", [])
    if member is None or member.other is None or member.other >= len(told):
        return ""
    one = told[member.other]
    words = ("none", "light", "strong")
    level = one["strength"]
    strength = words[level] if level in range(len(words)) else str(level)
    return (
        f" Trained with seed {one['seed']} on {saying.share(one['share'])} of the rows, "
        f"regularisation: {strength}."
    )


def _numbers(looked: Looked, member: Member) -> None:
    found = looked.found
    above = member.loss - found.base_loss
    told: list[tuple[str, str, str]] = []
    if member.masks is not None:
        titles = [found.titles[i] for i in found.pairs[looked.pair]]
        budget = member.chosen or ((0, 0), (0, 0))
        for title, m, step in zip(titles, member.masks, budget[0], strict=True):
            told.append((f"m of {title}", saying.number(float(m)), f"spends {step}/10 of ε"))
    told.append(
        (
            found.manifest["display"]["loss"].capitalize(),
            saying.number(member.loss, 4),
            f"{saying.signed(above)} of {saying.number(looked.epsilon, 2)}",
        )
    )
    if member.score is not None and np.isfinite(member.score):
        error = f"± {saying.number(SURE * member.error, 2)}" if member.error else "exact"
        score = saying.signed(float(found.swept(member.score)))
        told.append(("Interaction score", score, error))
    with st.container(horizontal=True, key="i-numbers"):
        for title, value, below in told:
            st.metric(
                plain(title), value, plain(below), delta_color="off", delta_arrow="off",
                width=_NUMBER,
            )  # fmt: skip


def _predictions(looked: Looked, member: Member) -> None:
    asked, found = looked.asked, looked.found
    if member.masks is None:
        st.caption("Models that were trained again are measured and let go: they say nothing more.")
        return
    mask = np.ones(len(found.columns))
    mask[found.pairs[looked.pair]] = member.masks
    try:
        before, after = _said(looked, mask)
    except HaloscopeError as error:
        st.caption(plain(str(error)))
        return
    assert asked.model is not None and asked.given is not None
    if (member.masks != 1).any() and np.array_equal(before, after):
        st.caption(
            "Both say the same here: m multiplies what the model is given, and of this input that "
            "is 0."
        )
    if asked.model.activation == "identity":
        left, right = st.columns(2)
        title = plain(f"{asked.model.classes[0]}, {asked.given.name}")
        left.metric(f"{title}: the reference", saying.number(float(before[0]), 4))
        moved = saying.signed(float(after[0] - before[0]))
        right.metric("This model", saying.number(float(after[0]), 4), moved, delta_color="off")
        return
    st.caption(plain(f"What both say of {asked.given.name}"))
    rows = _rows(asked.model.classes, before, after)
    alt = "; ".join(
        f"{name}: {prediction_pairs.percent(one)}, then {prediction_pairs.percent(other)}"
        for name, one, other in rows
    )
    titles = ("the reference", "this model")
    chart(prediction_pairs.figure(rows, titles), "predictions", alt)


def _rows(
    classes: tuple[str, ...], before: np.ndarray, after: np.ndarray
) -> list[prediction_pairs.Row]:
    """Return the outcomes that lead for one of both, those of the reference first."""
    shares = [(1 - before[0], 1 - after[0])] if len(before) == 1 else []
    names = list(classes) + ([f"not {classes[0]}"] if shares else [])
    first, then = (
        np.append(said, [pair[place] for pair in shares])
        for place, said in enumerate((before, after))
    )
    leading = np.argsort(-np.maximum(first, then), kind="stable")[:_CLASSES]
    order = sorted(leading.tolist(), key=lambda at: -first[at])
    return [(names[at], float(first[at]), float(then[at])) for at in order]


def _said(looked: Looked, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what reference and masked model say of the chosen input, remembered."""
    asked, found = looked.asked, looked.found
    assert asked.model is not None and asked.given is not None
    given = asked.given
    both = np.stack([np.ones_like(mask), mask])
    areas = b"" if found.regions is None else found.regions.tobytes()
    shown = (given.digest, getattr(given, "fit", ""), digest_of(areas, mask.tobytes()))
    key = ("masked", identity(asked.model), *shown)
    told = once(key, lambda: predict_with_masks(asked.model, given, both, found.regions))
    return told[0], told[1]


def _place(looked: Looked, member: Member) -> None:
    """Show where the model lies in the halo of its pair."""
    found, pair, rate = looked.found, looked.pair, member.rate
    if member.chosen is None:
        st.caption("No mask leads to it: it lies on no halo.")
        return
    drawn = halo.figure(found, pair, rate, rings=False, chosen=member.chosen)
    drawn.update_layout(height=300, showlegend=False, margin={"t": 8, "b": 8, "l": 8, "r": 8})
    chart(drawn, "place", f"{halo.alt(found, pair, rate)} The model is ringed.")
    st.caption(
        "Ringed in the halo of its pair. In those of other pairs it lies on an axis or in the "
        "middle, for it moves these two alone."
    )
