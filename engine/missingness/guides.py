"""What guides a mask generator: maps, attention, difficulty, regions, drawings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from engine.attribution.explain import Plan, plan
from engine.attribution.registry import methods, methods_for
from engine.attribution.request import identity_of
from engine.errors import InputError, ParameterError, nearest
from engine.execution.cost import Cost
from engine.execution.passes import Passes
from engine.manifest import digest_of
from engine.masking.cells import Grid, commonest_of_cells, mean_of_cells
from engine.masking.generators.checking import checked_guide
from engine.masking.generators.generator import Generator
from engine.masking.regions import colours_of, superpixels
from engine.missingness import reconstruction
from engine.missingness.attending import attention_scores, no_attention
from engine.missingness.difficulty import difficulty
from engine.missingness.grids import extent
from engine.missingness.reconstruction import MASKS, difficulty_by_loss
from engine.models.loaded import Given, LoadedModel
from engine.results import Attribution

# Superpixels that a picture is cut into; ours.
REGIONS = 24

_NOTHING = Cost()

Finding = Callable[[Passes, torch.Tensor, Grid], np.ndarray]


@dataclass(frozen=True, eq=False)
class Guide:
    """What will guide a generator.

    Attributes:
        told: what of it decides the numbers.
        title: for people.
        cost: an upper bound of the passes.
        find: from passes, the prepared input and the grid to scores, regions or a drawing, on
            the grid, or finer or coarser.
    """

    told: dict[str, Any]
    title: str
    cost: Cost
    find: Finding

    def on_grid(
        self, found: Generator, grid: Grid, passes: Passes, x: torch.Tensor
    ) -> np.ndarray | None:
        """Return it as a generator wants it, on the grid."""
        return checked_guide(found, fitted(self.find(passes, x, grid), found.guide, grid), grid)


@dataclass(frozen=True)
class _Own:
    """A guide that is no method's map."""

    title: str
    kind: str
    find: Finding
    cost: Cost = _NOTHING
    told: dict[str, Any] = field(default_factory=dict)


_OWN = {
    "attention": _Own(
        "Attention of the last layer", "scores", lambda p, x, _: attention_scores(p, x), Cost(1)
    ),
    "difficulty": _Own(
        "Difficulty", "scores", lambda p, x, grid: difficulty(colours_of(p.model, x), grid)
    ),
    "autoencoder-loss": _Own(
        "Loss of the auto-encoder",
        "scores",
        lambda p, x, _: difficulty_by_loss(p.model, x),
        told={"masks": MASKS},
    ),
    "superpixels": _Own(
        "Superpixels",
        "regions",
        lambda p, x, _: superpixels(p.model, x, REGIONS).numpy(),
        told={"segments": REGIONS},
    ),
}


def guides_for(model: LoadedModel, kind: str) -> dict[str, str]:
    """Return the names and titles of guides of a kind that a model can be asked for.

    Args:
        model: a loaded model.
        kind: as ``Generator.guide``: "scores", "regions", "drawn" or "".
    """
    own = {
        name: one.title
        for name, one in _OWN.items()
        if one.kind == kind and not _refusal(model, name)
    }
    maps = methods_for(model) if kind == "scores" else []
    return {**own, **{method.name: method.title for method in maps}}


def plan_guide(
    model: LoadedModel, given: Given, found: Generator, guide: Any, grid: Grid, seed: int
) -> Guide | None:
    """Return what will guide a generator, without computing it; None where nothing does.

    Args:
        model, given: a loaded model, and its input.
        found: the generator.
        guide: an array, an ``Attribution``, or a name: "attention", "difficulty" (on scenes
            the loss of their auto-encoder), "superpixels" or a method's. None: the generator's
            usual one. What another model finds out comes as an array.
        grid: rows and columns of cells.
        seed: of methods that draw.

    Raises:
        ParameterError: a guide that is missing, of another kind or another shape.
        MethodError: one that does not suit the model.
        InputError: a map of another input.
    """
    if not found.guide:
        checked_guide(found, None if guide is None else np.empty(0), grid)
        return None
    if isinstance(guide, Attribution):
        check_explains(guide, given)
        title = guide.manifest.get("source", {}).get("method_title", "")
        return _given(found, scores_of(model, guide), grid, title)
    name = found.usual_guide if guide is None else guide
    if isinstance(name, str) and name:
        return _named(model, given, found, name, seed)
    return _given(found, None if guide is None else np.asarray(guide), grid)


def check_explains(attribution: Attribution, given: Given) -> None:
    """Raise ``InputError`` if a map is one of another input."""
    told = attribution.manifest.get("request", {}).get("input")
    if told not in (None, identity_of(given)[1]):
        raise InputError("the map explains another input; explain this one, or pass its scores")


def scores_of(model: LoadedModel, attribution: Attribution) -> np.ndarray:
    """Return a map as one number for each pixel or column: what it shows, highest first.

    Returns:
        float32 ``(height, width)`` of the model's input, or ``(1, columns)``.

    Raises:
        ParameterError: it is a map of another kind of input.
    """
    height, width = extent(model)
    if (attribution.values.ndim == 1) != (len(model.spec.shape) == 1):
        raise ParameterError(
            f"the map has shape {attribution.values.shape}, but the model's input {height}×{width}"
        )
    if attribution.values.ndim == 1:
        if len(attribution.values) != width:
            raise ParameterError(f"the map has {len(attribution.values)} columns, not {width}")
        return attribution.values[None]
    magnitude = attribution.manifest.get("display", {}).get("view") == "magnitude"
    return attribution.resized(height, width, magnitude=magnitude)


def fitted(values: np.ndarray, kind: str, grid: Grid) -> np.ndarray:
    """Bring scores or regions to the grid; what cannot be is left for ``checked_guide``."""
    if values.ndim < 2 or values.shape[-2:] == grid or not values.size:
        return values
    if kind == "scores" and values.dtype.kind in "iuf":
        return mean_of_cells(values, grid)
    finer = values.ndim == 2 and all(a >= b for a, b in zip(values.shape, grid, strict=True))
    if kind == "regions" and finer and values.dtype.kind in "iu":
        return commonest_of_cells(values, grid)
    return values


def _given(found: Generator, values: np.ndarray | None, grid: Grid, title: str = "") -> Guide:
    on_grid = None if values is None else fitted(values, found.guide, grid)
    array = np.ascontiguousarray(checked_guide(found, on_grid, grid))
    digest = digest_of(f"{array.dtype} {array.shape}".encode(), array.data)
    told = {"name": "given", "digest": digest}
    return Guide(told, title or "Given", Cost(), lambda *_: array)


def _named(model: LoadedModel, given: Given, found: Generator, name: str, seed: int) -> Guide:
    if name == "difficulty" and not reconstruction.refusal(model):
        name = "autoencoder-loss"
    if name == "saliency":
        name = methods_for(model)[0].name
    own = _OWN.get(name)
    if own is not None and own.kind == found.guide:
        refusal = _refusal(model, name)
        if refusal:
            raise ParameterError(refusal)
        return Guide({"name": name, **own.told}, own.title, own.cost, own.find)
    if found.guide != "scores" or name not in methods():
        known = guides_for(model, found.guide)
        told = nearest(name, known) if known else "give an array"
        raise ParameterError(f"no guide {name!r} for {found.name}; {told}")
    return _of_method(model, plan(model, given, name, seed=seed))


def _of_method(model: LoadedModel, planned: Plan) -> Guide:
    def find(passes: Passes, _x: torch.Tensor, _grid: Grid) -> np.ndarray:
        found = planned.run(passes.report, passes.cancel)
        passes.add(Cost(**found.manifest["outcome"]["passes"]))
        return scores_of(model, found)

    told = {"name": planned.method.name, "key": planned.key}
    return Guide(told, planned.method.title, planned.cost, find)


def _refusal(model: LoadedModel, name: str) -> str:
    """Say in one line why one of our own guides does not suit a model, or nothing."""
    if len(model.spec.shape) != 3:
        return f"the guide {name!r} needs a picture; name a method, or give scores"
    if name == "autoencoder-loss":
        return reconstruction.refusal(model)
    return no_attention(model) if name == "attention" else ""
