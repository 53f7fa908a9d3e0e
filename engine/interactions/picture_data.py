"""Pictures whose regions are features: one picture in superpixels, or a set on a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch

from engine.errors import InputError, MethodError, ParameterError, nearest
from engine.execution.chunks import Chunks, default_chunk
from engine.execution.layout import with_channels_last
from engine.execution.passes import Passes
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import Fit, ImageInput
from engine.interactions.asking import Asked, check_count
from engine.interactions.data import Data
from engine.interactions.picture_world import PictureWorld
from engine.interactions.planning import InteractionPlan, plan_of
from engine.manifest import digest_of
from engine.masking.regions import REGIONS, grid, superpixels
from engine.models.classes import resolve_class
from engine.models.image_labels import NONE, match_labels
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import ImageSpec

Division = Literal["superpixels", "grid"]
MOST_REGIONS = 64
_MOST_PICTURES = 200


@dataclass(frozen=True, eq=False)
class PictureData(Data):
    """Prepared pictures with their classes.

    Attributes:
        model, notes: as in ``Data``.
        x: ``(n, channels, height, width)``.
        truth: int64 ``(n,)``.
        division: int64 ``(height, width)``.
        told: what of the pictures decides the numbers.
        names: what a person would call them.
    """

    model: LoadedModel
    x: torch.Tensor
    truth: np.ndarray
    division: torch.Tensor
    told: dict[str, Any]
    names: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """As in ``Data``: "region 0" …"""
        return tuple(f"region {index}" for index in range(int(self.division.max()) + 1))

    @property
    def titles(self) -> tuple[str, ...]:
        """As in ``Data``."""
        return self.columns

    @property
    def count(self) -> int:
        """As in ``Data``."""
        return len(self.x)

    @property
    def chunk(self) -> int:
        """As in ``Data``."""
        return default_chunk(self.model)

    @property
    def regions(self) -> np.ndarray:
        """As in ``Data``."""
        return self.division.numpy().astype(np.int32)

    def exactly(self, model: LoadedModel) -> LoadedModel:
        """As in ``Data``: the same for losses and effects, so that none is asked twice."""
        return self._laid_out if model is self.model else model

    def quickly(self, model: LoadedModel) -> LoadedModel:
        """As in ``Data``."""
        return self.exactly(model)

    @cached_property
    def _laid_out(self) -> LoadedModel:
        return with_channels_last(self.model)

    def world(self, passes: Passes, chunks: Chunks, bank: np.ndarray) -> PictureWorld:
        """As in ``Data``."""
        return PictureWorld(passes, chunks, self.x, self.truth, self.division, bank)

    def find(self, name: str | int) -> int:
        """As in ``Data``."""
        text = str(name).removeprefix("region").strip()
        if not text.isdecimal() or int(text) >= len(self.columns):
            raise InputError(f"no region {text!r}: there are 0 to {len(self.columns) - 1}")
        return int(text)

    def identity(self) -> dict[str, Any]:
        """As in ``Data``."""
        return self.told

    def source(self) -> dict[str, Any]:
        """As in ``Data``."""
        return {"model": self.model.ref, "model_title": self.model.card.title, **self.names}


def plan_picture_interactions(
    model: Any,
    images: ImageSet | Any,
    *,
    target: int | str | None = None,
    division: Division | None = None,
    segments: int = 12,
    fit: Fit = "crop",
    pairs: Asked = None,
    rate: float = 0.1,
    epsilon: float | None = None,
    repeats: int = 100,
    seed: int = 0,
) -> InteractionPlan:
    """Plan the interactions of a picture's regions, or of a set's.

    Args:
        model: for pictures.
        images: one picture, or anything ``load_image`` takes: its superpixels are the features. Or
            an image set: the cells of a grid that all share.
        target: the class whose loss is looked at; by default that of the label, without one that
            which the model says (one pass for each picture).
        division: "superpixels" or "grid"; by default as above.
        segments: how many superpixels at the most; of a grid, its cells, a square number or the
            next below it.
        fit: how pictures are brought to the network's size.
        pairs, rate, epsilon, repeats, seed: as in ``measure_interactions``.

    Raises:
        MethodError: the model takes no pictures, or tells no classes apart; superpixels of a set.
        InputError: a picture cannot be read; there are too many.
        ParameterError: a parameter out of range.
    """
    loaded = load_model(model)
    several = isinstance(images, ImageSet)
    chosen = _division(loaded, several, division, segments)
    given = _opened(loaded, images, fit)
    x = torch.cat([loaded.prepare(one) for one in given])
    truth, notes = _truth(loaded, given, x, target)
    regions = _divided(loaded, x, chosen, segments)
    if int(regions.max()) < 1:
        raise InputError("the picture falls into a single region; ask for more segments, or a grid")
    told = {
        "preprocessing": {**loaded.spec.describe(), "fit": fit},
        "images": digest_of(x.cpu().numpy().tobytes(), truth.tobytes()),
        "division": {"kind": chosen, "segments": segments},
        "samples": len(x),
        "target": None if target is None else resolve_class(target, loaded.classes),
    }
    if not several:
        notes += ("a single picture: regions give way to the mean colour instead of another's",)
    name = images.name if isinstance(images, ImageSet) else given[0].name
    origin = images.origin if isinstance(images, ImageSet) else given[0].origin
    names = {"table": name, "images": name, "images_origin": origin, "set": several}
    data = PictureData(loaded, x, truth, regions, told, names, notes)
    return plan_of(data, pairs, rate, epsilon, repeats, seed)


def _division(
    loaded: LoadedModel, several: bool, division: Division | None, segments: int
) -> Division:
    """Return how pictures are divided; what cannot be is told."""
    if not isinstance(loaded.spec, ImageSpec):
        raise MethodError(f"{loaded.card.title} takes no pictures")
    if loaded.activation != "softmax":
        raise MethodError(f"{loaded.card.title} does not tell classes apart: it has no log-loss")
    check_count("segments", segments, 2, MOST_REGIONS)
    chosen: Division = division or ("grid" if several else "superpixels")
    if chosen not in REGIONS:
        raise ParameterError(f"no division {chosen!r}; {nearest(chosen, REGIONS)}")
    if several and chosen != "grid":
        raise MethodError("superpixels differ from picture to picture; a set needs the grid")
    return chosen


def _opened(model: LoadedModel, images: ImageSet | Any, fit: Fit) -> list[ImageInput]:
    if not isinstance(images, ImageSet):
        found = model.load_input(images)
        if not isinstance(found, ImageInput):
            raise InputError("regions need a picture, not a prepared tensor")
        return [found.with_fit(fit)]
    if len(images) > _MOST_PICTURES:
        raise InputError(
            f"{images.name} holds {len(images)} pictures; permuting their regions takes up to "
            f"{_MOST_PICTURES}: take a part of them"
        )
    return [picture.with_fit(fit) for picture in images]


def _truth(
    model: LoadedModel, pictures: Sequence[ImageInput], x: torch.Tensor, target: int | str | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the class of each picture, and how it is known."""
    if target is not None:
        index = resolve_class(target, model.classes)
        return np.full(len(x), index, np.int64), ()
    labels = [None if one.truth is None else one.truth.label for one in pictures]
    known = match_labels(labels, model.classes) if any(labels) else np.full(len(x), NONE)
    unknown = np.flatnonzero(known == NONE)
    truth = known.astype(np.int64)
    if len(unknown):
        with torch.inference_mode():
            passes = Passes(model)
            said = [int(passes.forward(x[place : place + 1]).argmax()) for place in unknown]
        truth[unknown] = said
    told = f"{len(unknown)} of {len(x)} without a label: the class that the model says is taken"
    return truth, (told,) if len(unknown) else ()


def _divided(
    model: LoadedModel, x: torch.Tensor, division: Division, segments: int
) -> torch.Tensor:
    if division == "superpixels":
        return superpixels(model, x[:1], segments)
    return grid(x.shape[-2], x.shape[-1], max(2, int(segments**0.5)))


__all__ = ["PictureData", "plan_picture_interactions"]
