"""One picture of the geometry: its measures network by network, and the pixels behind a change."""

from __future__ import annotations

import io

import numpy as np
import streamlit as st
from PIL import Image

from components import pictures, saying
from components.geometry_names import picture as picture_name
from components.geometry_names import said, values
from components.views import View
from components.words import plain
from dashboard.explore import drawing
from dashboard.heads import asking
from dashboard.prune import choosing
from dashboard.prune.looked import Looked
from dashboard.running import pruned
from dashboard.running import pruning as running
from engine.execution.passes import Cancel, Progress
from engine.inputs.images import ImageInput
from engine.prune_results import Geometry
from engine.pruning.geometry.occluding import MeasureMap, measure_map, occlusion_cost


def card(looked: Looked, found: Geometry, place: int) -> None:
    """Draw the picture, and beside it its measures."""
    picture = picture_of(looked, found, place)
    st.markdown(f"**{plain(picture_name(found, place))}** :gray[:small[clean, network by network]]")
    left, right = st.columns([1, 2])
    left.image(_photo(looked, picture), width="stretch")
    left.button(
        "Look at it above", key="pr-g-take", type="tertiary",
        on_click=choosing.take, args=(picture,),
    )  # fmt: skip
    right.markdown("\n".join(f"- {plain(line)}" for line in measures(found, place)))


def behind(looked: Looked, found: Geometry, place: int, ratio: float, measure: str) -> None:
    """Draw on request the pixels that the picture's measure comes from."""
    st.markdown(f"**Which pixels the {measure} comes from** :gray[:small[by occlusion]]")
    if ratio == 0:
        st.caption("Choose a smaller network: the untouched one is compared with it.")
        return
    picture = picture_of(looked, found, place)
    _pixels(looked, found, place, picture, _photo(looked, picture), ratio, measure)


def picture_of(looked: Looked, found: Geometry, place: int) -> ImageInput:
    """Return a picture of the geometry, by its place there."""
    left_out = {name for name, _ in found.manifest["outcome"]["skipped"]}
    judging = looked.judging
    readable = [n for n, one in enumerate(judging.entries) if one.name not in left_out]
    return judging[readable[place]].with_fit(looked.plan.fit)


def measures(found: Geometry, place: int) -> list[str]:
    """Return a line for each network on clean pictures."""
    lines = []
    for model, name in enumerate(found.models):
        named = found.classes[int(found.predicted[model, 0, place])]
        told = ", ".join(
            said(one, float(values(found, one)[model, 0, place]))
            for one in ("angle", "norm", "margin")
        )
        lines.append(f"{name}: named {named}, {told}")
    return lines


def _pixels(
    looked: Looked, found: Geometry, place: int, picture: ImageInput, photo: Image.Image,
    ratio: float, measure: str,
) -> None:  # fmt: skip
    at = np.flatnonzero(np.isclose(looked.found.ratios, ratio))
    if not len(at):
        st.caption("When the curve is there, above.")
        return
    kept, repair = looked.found.kept_in(looked.way, int(at[0])), looked.settings.repair
    key = f"{looked.plan.key} {repair} {ratio:.3f}"
    label, model = int(found.labels[place]), looked.model

    def work(progress: Progress, cancel: Cancel) -> MeasureMap:
        network = pruned.gated(looked.plan, kept, repair, key, cancel=cancel)
        return measure_map(
            model, network, picture, measure, label, progress=progress, cancel=cancel
        )

    cost = occlusion_cost(model)
    spent = running.seconds(model, cost)
    job = asking.asked(
        "pixels", f"{key} {picture.digest} {measure}", spent, asking.passes(cost),
        lambda: running.work(
            f"{key} {picture.digest} {measure}", f"Pixels behind the {measure}", looked.plan, work
        ),
        quick=asking.is_quick(spent, cost),
    )  # fmt: skip
    if job is not None and isinstance(job.result, MeasureMap):
        _maps(job.result, photo)


def _maps(given: MeasureMap, photo: Image.Image) -> None:
    limit = float(max(np.abs(given.before).max(), np.abs(given.after).max())) or 1.0
    change = float(np.abs(given.change).max()) or 1.0
    told = (
        ("Before", given.before, limit, saying.number(given.value_before)),
        ("After", given.after, limit, saying.number(given.value_after)),
        ("Change", given.change, change,
         saying.signed(given.value_after - given.value_before, 3)),
    )  # fmt: skip
    for column, (name, values_, end, value) in zip(st.columns(3), told, strict=True):
        view = View("signed", values_.astype(np.float32), end, end)
        buffer = io.BytesIO()
        pictures.overlay(photo, view, 0.8).convert("RGB").save(buffer, "JPEG", quality=86)
        column.image(buffer.getvalue(), width="stretch")
        column.markdown(f":small[{name}: {plain(given.measure)} {value}]")
    st.caption(
        f"Orange: the {given.measure} falls where it is hidden; blue: it grows. Before and after "
        "share a scale; the change has its own."
    )


def _photo(looked: Looked, picture: ImageInput) -> Image.Image:
    return drawing.photo(drawing.photo_key(looked.model, picture), looked.model, picture)
