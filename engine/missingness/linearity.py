"""Linearity: do patches say together what they say alone, added up?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.errors import ParameterError
from engine.execution.cost import Cost
from engine.execution.draws import generator
from engine.execution.passes import Cancel, Progress
from engine.inputs.image_sets import ImageSet
from engine.mask_results import Linearity
from engine.masking.cells import Grid, enlarge
from engine.missingness.grids import checked_grid
from engine.missingness.probe import Probe, Row, Seen
from engine.missingness.study_asking import asked_of
from engine.models.loading import load_model

PATCHES = 4


class LinearityPlan(Probe):
    """Four patches of each picture: none, each alone, all four."""

    kind = Linearity

    @property
    def each(self) -> Cost:
        """Six passes for each fill."""
        return Cost((PATCHES + 2) * len(self.fills))

    def of_picture(self, seen: Seen) -> Row | str:
        """Cosine and distance of each fill."""
        height, width = seen.x.shape[-2:]
        rows, columns = self.request["grid"]
        keep = patches_kept((rows, columns), self.request["seed"], seen.place)
        masks = enlarge(keep, height, width)
        found = [added_up(seen.under(masks, fill)) for fill in self.fills]
        cosine, distance = np.array(found, dtype=np.float32).T
        return {"cosine": cosine, "distance": distance}


def patches_kept(grid: Grid, seed: int, place: int) -> np.ndarray:
    """Draw four cells, and return masks bool ``(6, rows, columns)``: none, each alone, all."""
    cells = grid[0] * grid[1]
    chosen = generator(seed, place).permutation(cells)[:PATCHES]
    keep = np.zeros((PATCHES + 2, cells), dtype=bool)
    keep[np.arange(1, PATCHES + 1), chosen] = True
    keep[-1, chosen] = True
    return keep.reshape(-1, *grid)


def added_up(logits: np.ndarray) -> tuple[float, float]:
    """Compare a sum of parts with the whole.

    Args:
        logits: ``(2 + parts, classes)``: of nothing, of each part, of all.

    Returns:
        Cosine, and length of the difference over that of the whole; NaN where one is nothing.
    """
    values = logits.astype(np.float64)
    parts, whole = (values[1:-1] - values[0]).sum(axis=0), values[-1] - values[0]
    sizes = np.linalg.norm(parts), np.linalg.norm(whole)
    if not min(sizes):
        return float("nan"), float("nan")
    cosine = parts @ whole / (sizes[0] * sizes[1])
    return float(cosine), float(np.linalg.norm(parts - whole) / sizes[1])


def plan_linearity(
    model: Any,
    images: ImageSet,
    *,
    fills: Sequence[str] = (),
    grid: Any = None,
    count: int | None = None,
    seed: int = 0,
) -> LinearityPlan:
    """Check a probe and return what it would be known by and cost, without making it.

    Arguments and errors as in ``linearity``.
    """
    loaded = load_model(model)
    asked = asked_of(loaded, images, Linearity.kind, fills, count, seed)
    rows, columns = checked_grid(loaded, grid)
    if rows * columns < PATCHES:
        raise ParameterError(f"grid={rows}×{columns}: there must be {PATCHES} patches or more")
    asked[-1]["grid"] = [rows, columns]
    return LinearityPlan(*asked)


def linearity(
    model: Any,
    images: ImageSet,
    *,
    fills: Sequence[str] = (),
    grid: Any = None,
    count: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Linearity:
    """Compare what four patches of each picture say alone with what they say together.

    Args:
        model: a loaded model, a reference, or an ``nn.Module``.
        images: pictures.
        fills: names of fills; by default all that suit the model.
        grid: rows and columns of patches, as in ``missingness_study``.
        count: how many pictures, as many of each class as can be; by default all.
        seed: of the patches, and of what fills draw.
        progress, cancel: as in ``missingness_study``.

    Raises:
        InputError, MethodError, ParameterError, Cancelled, OutOfMemory: as in
            ``missingness_study``.
    """
    planned = plan_linearity(model, images, fills=fills, grid=grid, count=count, seed=seed)
    found: Linearity = planned.run(progress, cancel)
    return found
