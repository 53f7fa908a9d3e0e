"""What pruned networks are judged on, and what they are repaired with: two parts of a set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from engine.errors import InputError
from engine.execution.chunks import Chunks
from engine.execution.draws import generator
from engine.execution.passes import Passes
from engine.heads.pictures import Pictures
from engine.heads.said import log_probabilities
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import Fit
from engine.models.loaded import LoadedModel

# A set of fewer pictures is not parted: what is left of it would tell nothing.
FEWEST = 12
# Every so many-th picture of a class calibrates.
EVERY = 3
# Prepared pictures are held while they take less than this; else prepared again for each network.
_MOST_BYTES = 2**30


@dataclass(frozen=True, eq=False)
class Parts:
    """A set in two.

    Attributes:
        judged: numbers of the pictures that networks are judged on, int64, ascending.
        calibration: of those that they are scored and repaired with.
        note: what a user should know of it, or "".
    """

    judged: np.ndarray
    calibration: np.ndarray
    note: str = ""


def parts_of(images: ImageSet, seed: int) -> Parts:
    """Part a set: of every class a third, drawn, calibrates; the rest judges.

    Args:
        images: with or without labels.
        seed: of the draw.

    Raises:
        InputError: the set is empty.
    """
    everything = np.arange(len(images))
    if not len(images):
        raise InputError(f"{images.name} holds no picture; pruning is judged on some")
    if len(images) < FEWEST:
        note = (
            f"{images.name} has {len(images)} picture{'s' * (len(images) != 1)}: too few to part, "
            "so that the network is judged on those that it is calibrated with; "
            f"give {FEWEST} or more"
        )
        return Parts(everything, everything, note)
    labels = np.array([label or "" for label in images.labels])
    chosen: list[int] = []
    for number, label in enumerate(sorted(set(labels.tolist()))):
        own = np.flatnonzero(labels == label)
        own = generator(seed, number).permutation(own)
        chosen += own[: max(1, round(len(own) / EVERY))].tolist()
    calibration = np.sort(np.array(chosen))
    judged = np.setdiff1d(everything, calibration)
    if not len(judged):  # one picture of each class
        note = f"{images.name} has one picture of each class: it calibrates and judges at once"
        return Parts(everything, everything, note)
    return Parts(judged, calibration)


def calibrating(images: ImageSet, calibration: ImageSet | None = None) -> int:
    """Return how many pictures calibrate; the draw decides which, not how many."""
    return len(parted(images, calibration, 0)[1].calibration)


def parted(images: ImageSet, calibration: ImageSet | None, seed: int) -> tuple[ImageSet, Parts]:
    """Return the set that calibrates, and which pictures of both sets are used.

    Args:
        images: to judge on.
        calibration: to score and repair with; None for a third of ``images``.
        seed: of what is drawn.

    Raises:
        InputError: a set is empty.
    """
    if calibration is None:
        return images, parts_of(images, seed)
    if not len(images):
        raise InputError(f"{images.name} holds no picture; pruning is judged on some")
    if not len(calibration):
        raise InputError(
            f"no pictures to calibrate on: {calibration.name} is empty; scores and repairs need "
            "some"
        )
    note = ""
    if calibration.digest == images.digest:
        note = f"the network is judged on the pictures that it is calibrated with: {images.name}"
    return calibration, Parts(np.arange(len(images)), np.arange(len(calibration)), note)


def held(pictures: Pictures) -> Pictures:
    """Return the same pictures, each prepared once while they fit into memory."""
    known: dict[int, torch.Tensor] = {}

    def opened(index: int) -> torch.Tensor:
        if index in known:
            return known[index]
        found = pictures.prepared(index)
        if found.nbytes * (len(known) + 1) <= _MOST_BYTES:
            known[index] = found
        return found

    return replace(pictures, _open=opened)


class Prepared:
    """Pictures of a set as a network takes them, made once if they fit into memory.

    Args:
        model: that takes them.
        images: the set.
        places: numbers of the pictures in it.
        fit: how they are brought to the network's size.

    Attributes:
        skipped: pictures that cannot be read: number in the set, reason.
        bytes: what all of them take.
    """

    def __init__(self, model: LoadedModel, images: ImageSet, places: np.ndarray, fit: Fit) -> None:
        self.skipped: dict[int, str] = {}
        self._model, self._images, self._fit = model, images, fit
        self._held: list[torch.Tensor | None] = []
        self._places: list[int] = []
        self.bytes = 0
        for place in places.tolist():
            try:
                one = self._prepare(place)
            except InputError as error:
                self.skipped[place] = str(error)
                continue
            self.bytes += one.nbytes
            self._held.append(one if self.bytes <= _MOST_BYTES else None)
            self._places.append(place)
        if not self._places:
            first = next(iter(self.skipped.values()), "it is empty")
            raise InputError(f"{images.name}: no picture could be read; {first}")
        there = [one for one in self._held if one is not None]
        self._whole = torch.cat(there) if len(there) == len(self._held) else None
        if self._whole is not None:
            self._held.clear()

    def __len__(self) -> int:
        return len(self._places)

    @property
    def places(self) -> np.ndarray:
        """Numbers of the pictures that could be read, int64."""
        return np.array(self._places)

    def batch(self, start: int, stop: int) -> torch.Tensor:
        """Return some of them, ``(stop − start, …)``."""
        if self._whole is not None:
            return self._whole[start:stop]
        held = zip(self._held[start:stop], self._places[start:stop], strict=True)
        return torch.cat([self._prepare(place) if one is None else one for one, place in held])

    def batches(self, size: int) -> Iterator[torch.Tensor]:
        """Yield all of them, so many at a time."""
        for start in range(0, len(self), size):
            yield self.batch(start, min(len(self), start + size))

    def _prepare(self, place: int) -> torch.Tensor:
        return self._model.prepare(self._images[place].with_fit(self._fit))


def class_names(model: LoadedModel) -> list[str]:
    """Return the names of what ``answers`` returns; of a single logit two."""
    names = list(model.classes)
    return [*names, f"not {names[0]}"] if len(names) == 1 else names


def answers(
    passes: Passes, chunks: Chunks, model: LoadedModel, pictures: Prepared
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a network says of pictures, and its probability of that.

    Args:
        passes: count.
        chunks: how many go through at once.
        model: the network; any form of that of ``passes``.
        pictures: what it is asked of.

    Returns:
        int32 ``(n,)`` and float32 ``(n,)``. Of a single logit, class 0 is yes and 1 is no.
    """

    def some(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        with torch.inference_mode():
            logits = passes.forward(pictures.batch(start, stop))
        said = log_probabilities(logits.float().cpu().double(), model.activation)
        return said.argmax(dim=1).int().numpy(), said.amax(dim=1).exp().float().numpy()

    with passes.instead(model):
        found = chunks.over(len(pictures), passes, some)
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))  # type: ignore[return-value]
