"""Whole sets of pictures, each corrupted when it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from engine.errors import InputError
from engine.heads.pictures import Pictures
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import Fit, ImageInput, Truth
from engine.manifest import digest_of
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec
from engine.pruning.corruptions.corrupting import check_corruption, corrupt, corruptions


@dataclass(frozen=True, eq=False)
class AsSeen(ImageInput):
    """A picture that already is as the network sees it, and is not fitted once more."""

    def with_fit(self, fit: Fit) -> ImageInput:
        """Return the same picture: it has been fitted."""
        return self


@dataclass(frozen=True, eq=False)
class CorruptedSet(ImageSet):
    """A set whose pictures are corrupted as they are opened; see ``corrupted_set``.

    Attributes:
        corruption, severity, seed: as in ``corrupt``.
        spec: what the network wants; pictures are fitted to it before they are corrupted.
        fit: how.
    """

    corruption: str = ""
    severity: int = 1
    seed: int = 0
    spec: ImageSpec | None = None
    fit: Fit = "crop"

    def __getitem__(self, index: int) -> ImageInput:
        """Open one picture and corrupt it."""
        found = super().__getitem__(index)
        if self.spec is None:
            return replace(found, pixels=self._corrupted(found.pixels), origin="")
        pixels = self._corrupted(np.array(self.spec.fitted(found.with_fit(self.fit))))
        truth = None if found.truth is None else Truth(found.truth.label)
        return AsSeen(pixels, found.name, "letterbox", found.notes, "", truth)

    def _corrupted(self, pixels: np.ndarray) -> np.ndarray:
        return corrupt(pixels, self.corruption, self.severity, self.seed)

    @cached_property
    def digest(self) -> str:
        """Digest of the files, and of what is done to them."""
        fitted = "" if self.spec is None else f"{self.spec.describe()} {self.fit}"
        told = f"{self.corruption} {self.severity} {self.seed} {fitted}"
        return digest_of(super().digest.encode(), told.encode())

    def part(self, indices: Sequence[int]) -> CorruptedSet:
        """Return some of the pictures as a set of their own."""
        chosen = tuple(self.entries[index] for index in indices)
        return replace(self, entries=chosen, _by_name={})


def corrupted_set(
    images: ImageSet,
    name: str,
    severity: int,
    seed: int = 0,
    *,
    spec: ImageSpec | None = None,
    fit: Fit = "crop",
) -> CorruptedSet:
    """Return a set whose pictures are corrupted when they are opened.

    Args:
        images: the set.
        name, severity, seed: as in ``corrupt``.
        spec: a model's; pictures are brought to its size first, as the published ones were, and
            are then taken as they are. Without it they are corrupted at their own size.
        fit: how they are brought to that size.

    Raises:
        ParameterError: an unknown corruption, or a severity out of range.
    """
    check_corruption(name, severity)
    return CorruptedSet(
        name=_title(images.name, name, severity),
        entries=images.entries,
        skipped=images.skipped,
        corruption=name,
        severity=severity,
        seed=seed,
        spec=spec,
        fit=fit,
    )


def corrupted_pictures(
    model: LoadedModel, pictures: Pictures, name: str, severity: int, seed: int = 0
) -> Pictures:
    """Return prepared pictures as they are corrupted, at the size that the network sees.

    Args:
        model: for which they are prepared.
        pictures: those.
        name, severity, seed: as in ``corrupt``.

    Raises:
        InputError: the model takes no pictures.
        ParameterError: an unknown corruption, or a severity out of range.
    """
    check_corruption(name, severity)
    spec = model.spec
    if not isinstance(spec, ImageSpec) or spec.channels not in (1, 3):
        raise InputError(f"{model.card.title} takes no pictures that could be corrupted")

    def change(prepared: torch.Tensor) -> torch.Tensor:
        return _prepared(spec, prepared, name, severity, seed)

    told = f"{name} {severity} {seed}"
    digest = digest_of(pictures.digest.encode(), told.encode())
    return pictures.changed(_title(pictures.name, name, severity), digest, change)


def _prepared(
    spec: ImageSpec, prepared: torch.Tensor, name: str, severity: int, seed: int
) -> torch.Tensor:
    """Return a prepared picture ``(1, c, h, w)`` corrupted: to 8 bits, and back again."""
    unit = spec.denormalise(prepared[0].float()).clamp(0, 1)
    pixels = unit.mul(255).round().byte().permute(1, 2, 0).cpu().numpy()  # (h, w, c)
    changed = torch.from_numpy(corrupt(pixels, name, severity, seed)).permute(2, 0, 1)
    again = spec.normalise(changed.contiguous().float().div(255))[None]
    return again.to(prepared)


def _title(images: str, name: str, severity: int) -> str:
    return f"{images}, {corruptions()[name].title.lower()} {severity}"
