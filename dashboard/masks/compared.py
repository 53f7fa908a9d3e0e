"""The same mask with every fill that suits the model, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st
from PIL import Image

from components import fill_bars, mask_words
from components.mask_words import Filled
from components.predictions import percent
from components.words import plain, sentence
from dashboard.heads import asking, selecting
from dashboard.masks import result
from dashboard.running import masks as running
from engine.errors import HaloscopeError
from engine.execution.cost import Cost
from engine.manifest import digest_of
from engine.mask_results import MaskPreview
from engine.masking.fills.registry import fills_for

if TYPE_CHECKING:
    from dashboard.masks.choosing import Asked
    from engine.missingness.previewing import PreviewPlan

_ACROSS = 4


def show(asked: Asked, guide: Any) -> None:
    """Show pictures and answers of all fills; computed if it is quick."""
    assert asked.model is not None
    try:
        plans = [result.plan_for(asked, guide, name) for name in fills_for(asked.model)]
    except HaloscopeError as error:
        st.error(sentence(str(error)))
        return
    found = _computed(plans)
    if found is None:
        return
    before = mask_words.said_before(found[0])
    filled = [
        Filled(plan.fill.title, mask_words.said_after(one))
        for plan, one in zip(plans, found, strict=True)
    ]
    with st.container(border=True, key="card-m-fills"):
        st.markdown("**Does the fill decide?** :gray[:small[one mask, every fill that suits]]")
        st.markdown(plain(mask_words.fills_sentence(before, filled)))
        drawn = fill_bars.figure(before, filled)
        selecting.chart(drawn, "m-fills", fill_bars.alt(before, filled), name="fills")
    _pictures(plans, found, filled, result.photo_of(asked))


def _computed(plans: list[PreviewPlan]) -> list[MaskPreview] | None:
    key = digest_of(*(plan.key.encode() for plan in plans))
    total = sum((plan.cost for plan in plans), Cost())
    seconds = running.seconds(plans[0].model, total)
    job = asking.asked(
        "fills", key, seconds, f"{asking.passes(total)} for {len(plans)} fills",
        lambda: running.submit_fills(key, plans), quick=asking.is_quick(seconds, total),
    )  # fmt: skip
    return None if job is None else job.result


def _pictures(
    plans: list[PreviewPlan], found: list[MaskPreview], filled: list[Filled], photo: Image.Image
) -> None:
    small = photo.resize((max(1, photo.width // 2), max(1, photo.height // 2)))
    for start in range(0, len(plans), _ACROSS):
        columns = st.columns(_ACROSS)
        some = slice(start, start + _ACROSS)
        for place, (plan, one, fill) in enumerate(
            zip(plans[some], found[some], filled[some], strict=True)
        ):
            with columns[place], st.container(border=True, key=f"fill-{plan.fill.name}"):
                _picture(one, fill, small)


def _picture(found: MaskPreview, fill: Filled, photo: Image.Image) -> None:
    said = fill.said
    address, alt = result.masked(found, photo)
    st.markdown(f"**{plain(fill.title)}**")
    st.image(address, width="stretch", alt=alt)
    top = [f"{plain(name)} {percent(share)}" for _, name, share in said.top(3)]
    st.markdown(f"**{top[0]}**  \n:gray[:small[{' · '.join(top[1:])}]]")
