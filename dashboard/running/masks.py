"""Findings about masks: previews at once and remembered, sweeps and comparisons as jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from dashboard.running import explanations, keeping
from dashboard.running.heads import once
from dashboard.running.models import identity
from engine.errors import ModelError
from engine.execution.cost import Cost
from engine.execution.jobs import Job
from engine.results import Result

if TYPE_CHECKING:
    import numpy as np
    import torch

    from engine.execution.passes import Cancel, Progress
    from engine.inputs.images import ImageInput
    from engine.mask_results import MaskPreview
    from engine.masking.fills.fill import Fill
    from engine.missingness.previewing import PreviewPlan
    from engine.missingness.probe import Probe
    from engine.missingness.study import StudyPlan
    from engine.missingness.sweeping import SweepPlan
    from engine.models.loaded import LoadedModel

_INSTANT = 4  # passes


def is_instant(plan: PreviewPlan) -> bool:
    """Whether a preview takes so few passes that it need not wait behind the work of others."""
    return plan.cost.total <= _INSTANT


def at_once(plan: PreviewPlan) -> MaskPreview:
    """Return a preview, found on the caller's thread; errors as those of ``PreviewPlan.run``."""
    found = once(("preview", plan.key), plan.run)
    return replace(found, manifest={**found.manifest, "source": plan.source()})


def seconds(model: LoadedModel, cost: Cost, fills: Sequence[Fill] = ()) -> float | None:
    """Return how long passes may take, or None before anything was learned.

    Args:
        model: whose passes.
        cost: their number.
        fills: that share them evenly; those that are slower than plain passes are timed when
            they are first asked about, which takes some seconds itself. By default, plain ones.
    """
    found = explanations.pace().seconds(model.digest, cost)
    if found is None or not fills:
        return found
    return found * sum(fill.price(model) for fill in fills) / len(fills)


def submit_preview(plan: PreviewPlan) -> Job:
    """Queue a preview, or return the job that already finds or found it."""

    def work(progress: Progress, cancel: Cancel) -> Result:
        kept = keeping.find_preview(plan)
        return kept if kept is not None else _run(plan, progress, cancel)

    return _submit(plan, f"{plan.generator.title} mask", work)


def submit_sweep(plan: SweepPlan) -> Job:
    """Queue a sweep, or return the job that already makes or made it."""

    def work(progress: Progress, cancel: Cancel) -> Result:
        kept = keeping.find_sweep(plan)
        return kept if kept is not None else _run(plan, progress, cancel)

    return _submit(plan, f"{plan.map_title or 'Map'} as a mask", work)


def submit_fills(key: str, plans: Sequence[PreviewPlan]) -> Job:
    """Queue the same mask under several fills; the job's result are the previews, in order."""
    total = sum(plan.cost.total for plan in plans)

    def work(progress: Progress, cancel: Cancel) -> list[MaskPreview]:
        found: list[MaskPreview] = []
        done = 0
        for plan in plans:
            start = done

            def report(passes: int, _total: int, start: int = start) -> None:
                progress(start + passes, total)

            found.append(once(("preview", plan.key), partial(plan.run, report, cancel)))
            done += plan.cost.total
            progress(done, total)
        return found

    if _is_private(plans[0]):
        explanations.own(key)
    return explanations.queue().submit(key, "The same mask with every fill", work)


def submit_probe(plan: Probe, title: str) -> Job:
    """Queue a probe of fills over a set, or return the job that already makes or made it."""
    private = explanations.is_uploaded(plan.model)

    def work(progress: Progress, cancel: Cancel) -> Result:
        kept = None if private else keeping.find_any(plan.key)
        if kept is not None:
            return kept
        found: Result = plan.run(progress, cancel)
        if not private:
            keeping.keep(found)
        return found

    if private:
        explanations.own(plan.key)
    return explanations.queue().submit(plan.key, title, work)


def submit_study(plan: StudyPlan) -> Job:
    """Queue a study of missing parts, or return the job that already makes or made it.

    What is found for a fill is kept at once, so that stopped work goes on from there.
    """
    private = explanations.is_uploaded(plan.model)

    def work(progress: Progress, cancel: Cancel) -> Result:
        keep = None if private else keeping.keep
        find = None if private else keeping.find_any
        return plan.run(progress, cancel, find=find, keep=keep)

    if private:
        explanations.own(plan.key)
    title = f"Missing parts in {len(plan.places)} pictures"
    return explanations.queue().submit(plan.key, title, work)


def given_to_network(
    model: LoadedModel, picture: ImageInput, keep: np.ndarray, fill: str, seed: int
) -> np.ndarray | None:
    """Return what a fill that paints gives to the network under a mask; no pass is run.

    Args:
        model, picture: what is asked, of what.
        keep: bool ``(height, width)``, True = stays.
        fill: name of the fill.
        seed: of what it draws.

    Returns:
        float32 colours in [0, 1], ``(channels, height, width)``; None for a fill that hides
        inside the network.
    """
    import torch

    from engine.masking.fills.registry import find_fill
    from engine.missingness.grids import on_input
    from engine.models.specs import ImageSpec

    found = find_fill(fill, seed)
    if found.inside or not isinstance(model.spec, ImageSpec):
        return None
    key = ("prepared", identity(model), picture.digest, picture.fit)
    x = once(key, lambda: model.prepare(picture))
    given: list[torch.Tensor] = []

    def only_look(batch: torch.Tensor) -> torch.Tensor:
        given.append(batch)
        return batch.new_zeros(len(batch), len(model.classes))

    with torch.no_grad():
        found.outputs(model, only_look, x, on_input(model, keep[None]).to(x.device))
        colours = model.spec.denormalise(given[0][0].float()).clamp(0, 1)
    return colours.cpu().numpy()


def reconstruction(model: LoadedModel, picture: ImageInput, keep: np.ndarray) -> np.ndarray | None:
    """Return what an auto-encoder paints where a picture is hidden, remembered.

    Args:
        model, picture: what is asked, of what.
        keep: bool ``(height, width)``, True = stays.

    Returns:
        float32 colours in [0, 1], ``(channels, height, width)``; None where there is no
        auto-encoder of what the model knows, or its file is missing (the log says so).
    """
    from engine.manifest import digest_of
    from engine.missingness.reconstruction import reconstruct, refusal

    if refusal(model):
        return None
    digest = digest_of(keep.tobytes())
    key = ("reconstruction", identity(model), picture.digest, picture.fit, digest)
    try:
        return once(key, lambda: reconstruct(model, picture, keep))
    except ModelError as error:
        logging.getLogger("haloscope").warning("%s", error)
        return None


def superpixels(model: LoadedModel, picture: ImageInput, segments: int) -> np.ndarray:
    """Return the superpixel of each pixel, int ``(height, width)``, remembered."""
    from engine.masking.regions import superpixels as found

    key = ("superpixels", identity(model), picture.digest, picture.fit, segments)
    return once(key, lambda: found(model, model.prepare(picture), segments).numpy())


def _submit(
    plan: PreviewPlan | SweepPlan, title: str, work: Callable[[Progress, Cancel], Result]
) -> Job:
    if _is_private(plan):
        explanations.own(plan.key)
    return explanations.queue().submit(plan.key, title, work)


def _is_private(plan: PreviewPlan | SweepPlan) -> bool:
    """Whether a finding rests on an upload, which stays in its session."""
    return explanations.is_uploaded(plan.model) or not plan.source()["input_origin"]


def _run(plan: PreviewPlan | SweepPlan, progress: Progress, cancel: Cancel) -> Result:
    found: Result = plan.run(progress, cancel)
    from engine.masking.fills.painted import Mean

    outcome = found.manifest["outcome"]
    if isinstance(plan.fill, Mean):  # other fills would teach a wrong pace
        explanations.pace().learn(plan.model.digest, Cost(**outcome["passes"]), outcome["seconds"])
    if not _is_private(plan):
        keeping.keep(found)
    return found
