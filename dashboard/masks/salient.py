"""A map as a mask: a slider removes or keeps its top, and the probability follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from PIL import Image

from components import mask_curve, mask_picture, mask_words
from components.saying import share as told_share
from components.words import plain, sentence
from dashboard.heads import asking, selecting
from dashboard.masks import canvas, guiding, result
from dashboard.masks.link import PREFIX
from dashboard.running import masks as running
from dashboard.state import restore
from engine.attribution.registry import methods_for
from engine.errors import HaloscopeError
from engine.mask_results import MaskSweep
from engine.missingness.sweep import plan_sweep
from engine.results import Attribution

if TYPE_CHECKING:
    from dashboard.masks.choosing import Asked

LEVELS = 100
_WAYS = {"remove": "Remove the top", "keep": "Keep only the top"}


def show(asked: Asked, write: Callable[[], None]) -> None:
    """Show curve and masked picture of a map; ``write`` brings the address bar up to date."""
    assert asked.model is not None and asked.picture is not None
    with st.container(border=True, key="card-m-saliency"):
        st.markdown("**Is the map right?** :gray[:small[its top is removed, or nothing else kept]]")
        name = _map_chooser(asked)
        found = guiding.map_of(asked.model, asked.picture, name, "map")
        sweep = None if found is None else _sweep(asked, found)
        if sweep is not None:
            st.fragment(_followed)(asked, sweep, write)


def _map_chooser(asked: Asked) -> str:
    assert asked.model is not None
    titles = guiding.of_explore(asked.model, asked.picture)
    titles |= {method.name: method.title for method in methods_for(asked.model)}
    restore.valid(f"{PREFIX}method", list(titles))
    return st.selectbox(
        "Map",
        list(titles),
        format_func=titles.__getitem__,
        key=f"{PREFIX}method",
        persist_state="session",
        help="Of the class that the model names.",
    )


def _sweep(asked: Asked, found: Attribution) -> MaskSweep | None:
    try:
        plan = plan_sweep(
            asked.model, asked.picture, found, asked.fill.name, levels=LEVELS,
            seed=asked.seed if asked.fill.seeded else 0,
        )  # fmt: skip
    except HaloscopeError as error:
        st.error(sentence(str(error)))
        return None
    with st.spinner("Finding out what it costs …"):
        seconds = running.seconds(plan.model, plan.cost, [plan.fill])
    job = asking.asked(
        "sweep", plan.key, seconds, f"{asking.passes(plan.cost)}, once for all positions",
        lambda: running.submit_sweep(plan), quick=asking.is_quick(seconds, plan.cost),
    )  # fmt: skip
    result = None if job is None else job.result
    return result if isinstance(result, MaskSweep) else None


def _followed(asked: Asked, sweep: MaskSweep, write: Callable[[], None]) -> None:
    """What the slider moves: nothing in here runs the model."""
    left, right = st.columns([3, 2])
    with left:
        restore.valid(f"{PREFIX}way", list(_WAYS))
        restore.aloud(f"{PREFIX}way", "remove")
        way = st.segmented_control(
            "What becomes of it",
            list(_WAYS),
            format_func=_WAYS.__getitem__,
            key=f"{PREFIX}way",
            label_visibility="collapsed",
            persist_state="session",
            required=True,
        )
        restore.aloud(f"{PREFIX}top", 20)
        top = st.slider(
            "Top of the map", 0, 100, key=f"{PREFIX}top", persist_state="session", format="%d %%"
        )
    share, remove = int(top) / 100, way != "keep"
    target = int(sweep.removed[0].argmax()) if sweep.removed is not None else 0
    said = mask_words.sweep_sentence(sweep, target, share, remove=remove)
    with left:
        drawn = mask_curve.figure(sweep, target, share, remove=remove)
        selecting.chart(drawn, "m-curve", said, name="curve")
        st.markdown(plain(said))
    keep = sweep.keep(share, remove=remove)
    with right:
        _masked(asked, keep, f"the top {told_share(share)} {'removed' if remove else 'kept'}")
        taken = st.button(
            "Take it as the drawn mask", icon=":material/draw:", key="m-take-top",
            on_click=canvas.take, args=(keep, asked.size),
        )  # fmt: skip
    if taken:
        st.rerun()  # all of the page: the click alone runs no more than this part
    write()


def _masked(asked: Asked, keep: np.ndarray, told: str) -> None:
    with st.container(key="m-salient-picture"):
        st.image(
            mask_picture.uri(picture(asked, keep, result.photo_of(asked))), width="stretch",
            alt=f"The picture with {told}.",
        )  # fmt: skip


def picture(asked: Asked, keep: np.ndarray, photo: Image.Image) -> Image.Image:
    """Return what the network gets with a mask; hatched where nothing is painted."""
    assert asked.model is not None and asked.picture is not None
    values = running.given_to_network(asked.model, asked.picture, keep, asked.fill.name, asked.seed)
    if values is None:
        return mask_picture.hatched(photo, keep)
    return mask_picture.seen(values, photo.size)
