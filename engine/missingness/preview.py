"""``preview_mask``: hide parts of one input, and see what a model says then."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import ParameterError
from engine.execution.passes import Cancel, Progress
from engine.manifest import key_of
from engine.mask_results import MaskPreview
from engine.masking.generators.checking import check_wanted
from engine.masking.generators.generator import Generator
from engine.masking.generators.registry import find_generator
from engine.missingness.asking import request_for, suited_fill
from engine.missingness.grids import checked_grid
from engine.missingness.guides import plan_guide
from engine.missingness.previewing import PreviewPlan
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.parameters import check_all

MOST = 64


def plan_preview(
    model: Any,
    image: Any,
    generator: str = "uniform",
    hidden: float = 0.5,
    fill: str = "mean",
    *,
    seed: int = 0,
    count: int = 1,
    grid: Any = None,
    guide: Any = None,
    **parameters: Any,
) -> PreviewPlan:
    """Check a request and return what it would be known by and cost, without computing it.

    Arguments and errors as in ``preview_mask``.
    """
    found = find_generator(generator)
    values = check_all(parameters, found.parameters, found.name)
    loaded = load_model(model)
    cells = _grid(loaded, found, grid, guide)
    check_wanted(cells, hidden, count, seed)
    if count > MOST:
        raise ParameterError(f"count={count} is out of range: 1 to {MOST} masks in one preview")
    given = loaded.load_input(image)
    chosen = suited_fill(loaded, fill, seed, given)
    guiding = plan_guide(loaded, given, found, guide, cells, seed)
    request = request_for(
        loaded,
        given,
        MaskPreview.kind,
        chosen,
        generator={"name": found.name, "parameters": values},
        grid=list(cells),
        hidden=float(hidden),
        count=count,
        guide=None if guiding is None else guiding.told,
        seed=seed,
    )
    return PreviewPlan(
        model=loaded,
        given=given,
        generator=found,
        parameters=values,
        fill=chosen,
        grid=cells,
        hidden=float(hidden),
        count=count,
        seed=seed,
        guide=guiding,
        request=request,
        key=key_of(request),
    )


def preview_mask(
    model: Any,
    image: Any,
    generator: str = "uniform",
    hidden: float = 0.5,
    fill: str = "mean",
    *,
    seed: int = 0,
    count: int = 1,
    grid: Any = None,
    guide: Any = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    **parameters: Any,
) -> MaskPreview:
    """Hide parts of a picture, or columns of a row, and see what the model says then.

    Args:
        model: a loaded model, a reference, or an ``nn.Module``.
        image: a picture (anything ``load_image`` takes), a prepared tensor, or a row of a table.
        generator: a generator's name; ``generators()`` has them.
        hidden: share of the cells to hide, 0 … 1.
        fill: a fill's name.
        seed: of all that is drawn; mask i of a seed is the same however many are asked for.
        count: how many masks, 64 at the most.
        grid: rows and columns of cells, or a number for both. By default a transformer's
            patches, else 14 × 14 (fewer of small pictures); of a drawn mask its own shape; of a
            table its columns.
        guide: for generators that want one. An ``Attribution``; an array of scores or regions
            (on the grid or in pixels), or a drawn mask (bool, True = stays, in pixels of what
            the network sees, or coarser); or a name: "attention", "difficulty", "superpixels",
            or a method's. By default the generator's usual one.
        progress: called with passes done and passes promised.
        cancel: an object with ``is_set()``, looked at before every pass.
        **parameters: of the generator.

    Returns:
        The masks, and logits and probabilities without and with each.

    Raises:
        MethodError: no such generator, or something does not suit the model.
        InputError, ModelError, ParameterError: one line each.
        Cancelled: the caller asked to stop.
        OutOfMemory: one sample at a time does not fit.
    """
    planned = plan_preview(
        model,
        image,
        generator,
        hidden,
        fill,
        seed=seed,
        count=count,
        grid=grid,
        guide=guide,
        **parameters,
    )
    return planned.run(progress, cancel)


def _grid(model: LoadedModel, found: Generator, grid: Any, guide: Any) -> tuple[int, int]:
    """A drawing without a grid brings its own."""
    drawing = guide if found.guide == "drawn" and isinstance(guide, np.ndarray) else None
    if grid is None and drawing is not None and drawing.ndim == 2:
        return checked_grid(model, drawing.shape)
    return checked_grid(model, grid)
