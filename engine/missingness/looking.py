"""The way through a set of pictures: prepared, told whole, cut into cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from engine.attribution.explain import plan
from engine.errors import InputError
from engine.execution.cost import Cost
from engine.execution.passes import Passes
from engine.execution.predict import predict_prepared
from engine.inputs.image_sets import ImageSet
from engine.masking.cells import Grid
from engine.missingness.cells import Cells, cells_of, random_rank, salient_rank
from engine.missingness.guides import scores_of
from engine.models.loaded import LoadedModel


@dataclass(eq=False)
class Looked:
    """What is found out once about the pictures of a set, whatever they are filled with.

    Attributes:
        places: int64 ``(n,)``, which pictures of the set could be read.
        logits: float32 ``(n, classes)``, of the whole pictures.
        cells: of each picture, with the order in which they are hidden.
        skipped: pictures that could not be read, and why.
    """

    places: np.ndarray
    logits: np.ndarray
    cells: list[Cells]
    skipped: dict[int, str]

    @property
    def whole(self) -> np.ndarray:
        """The answer to each whole picture, int32 ``(n,)``."""
        return self.logits.argmax(axis=1).astype(np.int32)


@dataclass(frozen=True, eq=False)
class Ways:
    """How pictures are cut and in which order their cells are hidden.

    Attributes:
        cells: "blocks" or "superpixels".
        grid: rows and columns of blocks.
        order: "random", "most-salient" or "least-salient".
        saliency: name of the method whose map orders the cells; "" for a random order.
        parameters: of that method.
        seed: of all that is drawn.
    """

    cells: str
    grid: Grid
    order: str
    saliency: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    seed: int = 0


def look(
    model: LoadedModel,
    images: ImageSet,
    places: np.ndarray,
    ways: Ways,
    passes: Passes,
) -> Looked:
    """Go through the pictures once.

    Args:
        model, images: which.
        places: of the pictures that are asked about.
        ways: how they are cut.
        passes: counted passes.

    Raises:
        InputError: not one picture could be read.
    """
    found: list[tuple[int, np.ndarray, Cells]] = []
    skipped: dict[int, str] = {}
    for place in places.tolist():
        passes.check()
        try:
            x = model.prepare(images[place])
        except InputError as error:
            skipped[place] = str(error)
            continue
        told = predict_prepared(passes, x).logits
        found.append((place, told, _cells(model, x, ways, place, told, passes)))
    if not found:
        raise InputError(f"{images.name}: no picture could be read; {next(iter(skipped.values()))}")
    return Looked(
        np.array([place for place, _, _ in found]),
        np.stack([told for _, told, _ in found]),
        [cells for _, _, cells in found],
        skipped,
    )


def _cells(
    model: LoadedModel,
    x: torch.Tensor,
    ways: Ways,
    place: int,
    logits: np.ndarray,
    passes: Passes,
) -> Cells:
    of_pixel = cells_of(model, x, ways.cells, ways.grid)
    count = int(of_pixel.max()) + 1
    if ways.order == "random":
        return Cells(of_pixel, random_rank(count, ways.seed, place))
    target = int(logits.argmax())
    planned = plan(model, x, ways.saliency, target, seed=ways.seed, **ways.parameters)
    map_ = planned.run(passes.report, passes.cancel)
    passes.add(Cost(**map_.manifest["outcome"]["passes"]))
    saliency = scores_of(model, map_)
    least = ways.order == "least-salient"
    return Cells(of_pixel, salient_rank(of_pixel, saliency, count, least=least))
