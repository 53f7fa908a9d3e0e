"""What is hidden, and what becomes of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from PIL import Image

from components import mask_picture, mask_words, prediction_pairs
from components.export import png
from components.words import plain, sentence
from dashboard.explore import drawing
from dashboard.heads import asking, selecting
from dashboard.masks import canvas, strokes
from dashboard.running import masks as running
from engine.errors import HaloscopeError
from engine.mask_results import MaskPreview
from engine.missingness.preview import plan_preview
from engine.missingness.previewing import PreviewPlan

if TYPE_CHECKING:
    from dashboard.masks.choosing import Asked

_EMPTY = "Nothing is hidden yet: draw a box on the mask, or give rows and columns by numbers."


def plan_for(asked: Asked, guide: Any, fill: str) -> PreviewPlan:
    """Return the plan of what is asked, with a guide in hand and a fill.

    Raises:
        HaloscopeError: something does not suit the model.
    """
    by_hand = asked.generator.guide == "drawn"
    parameters: dict[str, Any] = dict(asked.parameters or {})
    return plan_preview(
        asked.model,
        asked.picture,
        asked.generator.name,
        asked.hidden,
        fill,
        seed=asked.seed,
        grid=None if by_hand else asked.grid,
        guide=guide,
        **parameters,
    )


def preview(asked: Asked, guide: Any) -> MaskPreview | None:
    """Return what is asked, computed if it is quick; shows what goes on, and what went wrong."""
    try:
        plan = plan_for(asked, guide, asked.fill.name)
        if running.is_instant(plan):
            return running.at_once(plan)
    except HaloscopeError as error:
        st.error(sentence(str(error)))
        return None
    seconds = running.seconds(plan.model, plan.cost)
    job = asking.asked(
        "preview", plan.key, seconds, asking.passes(plan.cost),
        lambda: running.submit_preview(plan), quick=asking.is_quick(seconds, plan.cost),
    )  # fmt: skip
    found = None if job is None else job.result
    return found if isinstance(found, MaskPreview) else None


def photo_of(asked: Asked) -> Image.Image:
    """Return what the network sees, in a resolution made for people."""
    assert asked.model is not None and asked.picture is not None
    key = drawing.photo_key(asked.model, asked.picture)
    return drawing.photo(key, asked.model, asked.picture)


def show(asked: Asked, found: MaskPreview) -> None:
    """Show the picture, the mask, what the network gets, and the answer before and after."""
    photo = photo_of(asked)
    known = _reconstruction(asked, found)
    with st.container(key="m-pictures" if known is None else "m-pictures-four"):
        first, second, third, *fourth = st.columns(3 if known is None else 4)
    with first, st.container(border=True, height="stretch", key="card-m-input"):
        _head("The picture", "as the network sees it")
        assert asked.model is not None and asked.picture is not None
        key = drawing.photo_key(asked.model, asked.picture)
        st.image(
            drawing.photo_file(key, photo), width="stretch",
            alt=f"{asked.picture.name}, as the network sees it.",
        )  # fmt: skip
    told = f"{mask_words.kept(found)}; {100 * float(found.hidden[0]):.1f} % hidden"
    with second, st.container(border=True, height="stretch", key="card-m-mask"):
        _head("The mask", f"{100 * float(found.hidden[0]):.1f} % hidden")
        canvas.card(asked, photo, found.keep[0], f"The mask: {told}.")
    with third, st.container(border=True, height="stretch", key="card-m-masked"):
        _masked(asked, found, photo)
    if known is not None:
        with fourth[0], st.container(border=True, height="stretch", key="card-m-known"):
            _known(known, photo)


def _reconstruction(asked: Asked, found: MaskPreview) -> np.ndarray | None:
    assert asked.model is not None and asked.picture is not None
    if not float(found.hidden[0]):  # nothing to guess
        return None
    keep = strokes.on_pixels(found.keep[0], asked.size)
    return running.reconstruction(asked.model, asked.picture, keep)


def _known(values: np.ndarray, photo: Image.Image) -> None:
    _head("What can be guessed", "auto-encoder")
    st.image(
        mask_picture.uri(mask_picture.seen(values, photo.size)), width="stretch",
        alt="What a masked auto-encoder paints where the picture is hidden.",
    )  # fmt: skip
    st.caption(
        "Painted from what stays alone. What comes back was told by the rest of the picture; "
        "what does not was hidden for good."
    )


def _masked(asked: Asked, found: MaskPreview, photo: Image.Image) -> None:
    _head("The network gets", asked.fill.title)
    address, alt = masked(found, photo)
    st.image(address, width="stretch", alt=alt)
    if found.masked is None:
        st.caption(
            "Nothing is painted: the hatched part is left out inside the network, layer by layer."
            if asked.model is not None and asked.model.family == "cnn"
            else "Nothing is painted: the hatched patches are left out of the sequence."
        )


def masked(found: MaskPreview, photo: Image.Image) -> tuple[str, str]:
    """Return what the network was given as an address that holds the picture, and in words."""
    if found.masked is None:
        return mask_picture.uri(mask_picture.hatched(photo, found.keep[0])), (
            "The picture with the part hatched that is left out inside the network."
        )
    return mask_picture.uri(mask_picture.seen(found.masked[0], photo.size)), (
        f"What the network was given, {found.manifest['source']['fill_title']} where it is hidden."
    )


def is_blank(asked: Asked, found: MaskPreview) -> bool:
    """Whether nothing has been drawn yet."""
    return asked.generator.guide == "drawn" and not float(found.hidden[0])


def answer(found: MaskPreview, *, blank: bool) -> None:
    """Show what the model says before and after, as pairs of bars and as a sentence."""
    before, after = mask_words.said_before(found), mask_words.said_after(found)
    change = mask_words.change(found)
    with st.container(border=True, height="stretch", key="card-m-answer"):
        st.markdown("**What it says** :gray[:small[before and after]]")
        said = _EMPTY if blank else prediction_pairs.sentence(before, after, change)
        selecting.chart(
            prediction_pairs.figure(
                prediction_pairs.rows_of(before, after),
                ("the whole picture",) if blank else ("the whole picture", change),
            ),
            "m-answer",
            said,
            name="answer",
        )
        st.markdown(plain(said))


def facts(asked: Asked, found: MaskPreview) -> None:
    """Show how much stays, how the answer moved, and what a reader must know."""
    before, after = mask_words.said_before(found), mask_words.said_after(found)
    best = before.best
    moved = 100 * float(after.probabilities[best] - before.probabilities[best])
    with st.container(border=True, height="stretch", key="card-m-facts"):
        st.markdown("**The mask** :gray[:small[and what to keep in mind]]")
        left, right = st.columns(2)
        left.metric(
            "Kept area", f"{100 * (1 - float(found.hidden[0])):.1f} %", mask_words.kept(found),
            delta_color="off", delta_arrow="off",
        )  # fmt: skip
        right.metric(
            f"Probability of “{plain(before.classes[best])}”",
            prediction_pairs.percent(float(after.probabilities[best])),
            f"{round(moved, 1) + 0.0:+.1f} points",
            delta_color="off",
            delta_arrow="auto" if round(moved, 1) else "off",
        )
        if not asked.generator.exact and asked.generator.guide != "drawn":
            asked_for = 100 * asked.hidden
            st.caption(f"{asked_for:.0f} % were asked for: this generator comes near, not exact.")
        for told in (asked.generator.caveat, _trace(asked)):
            if told:
                st.caption(plain(told))


def _trace(asked: Asked) -> str:
    if not asked.fill.inside:
        return (
            f"{asked.fill.title} is something to look at, too: compare fills below before you "
            "read the change as the effect of what was hidden."
        )
    return ""


def _head(title: str, note: str) -> None:
    with st.container(
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
        gap="xsmall",
    ):
        st.markdown(f"**{title}**", width="content")
        st.caption(note, width="content")


def mask_png(found: MaskPreview) -> bytes:
    """Return the mask as the network's pixels: white stays, black is hidden."""
    height, width = found.manifest["display"]["size"]
    return png(mask_picture.black_and_white(np.asarray(found.keep[0]), (width, height)))


def masked_png(found: MaskPreview, photo: Image.Image) -> bytes:
    """Return what the network was given, pixel by pixel; hatched where nothing is painted."""
    if found.masked is None:
        return png(mask_picture.hatched(photo, found.keep[0]))
    values = found.masked[0]
    return png(mask_picture.seen(values, (values.shape[-1], values.shape[-2])))
