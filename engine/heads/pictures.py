"""What heads are judged on: one input, a batch of prepared ones, or an image set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from engine.errors import InputError
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import Fit, ImageInput
from engine.manifest import digest_of
from engine.models.image_labels import NONE, match_labels
from engine.models.loaded import LoadedModel


@dataclass(frozen=True, eq=False)
class Pictures:
    """Inputs, opened one at a time.

    Attributes:
        name: how the user knows them.
        origin: where they can be found again, or "".
        fit: how they are brought to the network's shape: "crop", "letterbox" or "prepared".
        digest: of their content.
        names: of each.
        labels: the true class of each by the model's index, int32; -1 where there is none.
        single: whether this is one input and no set.
    """

    name: str
    origin: str
    fit: str
    digest: str
    names: tuple[str, ...]
    labels: np.ndarray
    single: bool
    _open: Callable[[int], torch.Tensor]

    def __len__(self) -> int:
        return len(self.names)

    def prepared(self, index: int) -> torch.Tensor:
        """Return one as the network sees it, ``(1, …)``.

        Raises:
            InputError: it cannot be read.
        """
        return self._open(index)

    def part(self, indices: Sequence[int]) -> Pictures:
        """Return some of them."""
        chosen = list(indices)
        return replace(
            self,
            names=tuple(self.names[index] for index in chosen),
            labels=self.labels[chosen],
            _open=lambda index: self._open(chosen[index]),
        )

    def changed(
        self, name: str, digest: str, change: Callable[[torch.Tensor], torch.Tensor]
    ) -> Pictures:
        """Return them with something done to each when it is opened.

        Args:
            name: how the user knows what comes out.
            digest: of its content.
            change: gets and returns one as the network sees it, ``(1, …)``.
        """
        return replace(
            self,
            name=name,
            origin="",
            digest=digest,
            _open=lambda index: change(self._open(index)),
        )


def load_pictures(model: LoadedModel, given: Any, fit: Fit = "crop") -> Pictures:
    """Return what heads are to be judged on.

    Args:
        model: what they are prepared for; labels are matched to its classes by name.
        given: an image set; prepared inputs ``(n, …)``; anything that ``load_input`` takes; or
            what this returned before.
        fit: how the pictures of a set are brought to the network's size.

    Raises:
        InputError: it cannot be read, or does not suit the model; or the model knows none of a
            set's labels.
    """
    if isinstance(given, Pictures):
        return given
    if isinstance(given, ImageSet):
        return _of_set(model, given, fit)
    if isinstance(given, torch.Tensor) and given.ndim == len(model.spec.shape) + 1:
        return _of_batch(model, given)
    return _of_one(model, model.load_input(given))


def _of_set(model: LoadedModel, given: ImageSet, fit: Fit) -> Pictures:
    return Pictures(
        name=given.name,
        origin=given.origin,
        fit=fit,
        digest=given.digest,
        names=tuple(entry.name for entry in given.entries),
        labels=match_labels(given.labels, model.classes),
        single=False,
        _open=lambda index: model.prepare(given[index].with_fit(fit)),
    )


def _of_batch(model: LoadedModel, batch: torch.Tensor) -> Pictures:
    for sample in batch:
        model.prepare(sample)  # told before the work
    return Pictures(
        name="tensor",
        origin="",
        fit="prepared",
        digest=_digest(batch),
        names=tuple(f"sample {index + 1}" for index in range(len(batch))),
        labels=np.full(len(batch), NONE, dtype=np.int32),
        single=len(batch) == 1,
        _open=lambda index: model.prepare(batch[index]),
    )


def _of_one(model: LoadedModel, given: Any) -> Pictures:
    name = getattr(given, "name", "tensor")
    digest = _digest(given) if isinstance(given, torch.Tensor) else given.digest
    prepared = model.prepare(given)  # told before the work
    return Pictures(
        name=name,
        origin=getattr(given, "origin", ""),
        fit=given.fit if isinstance(given, ImageInput) else "prepared",
        digest=digest,
        names=(name,),
        labels=np.array([_label(model, given)], dtype=np.int32),
        single=True,
        _open=lambda _index: prepared,
    )


def _label(model: LoadedModel, given: Any) -> int:
    label = given.truth.label if isinstance(given, ImageInput) and given.truth else None
    try:
        return int(match_labels([label], model.classes)[0])
    except InputError:  # of another list of classes
        return NONE


def _digest(tensor: torch.Tensor) -> str:
    flat = tensor.detach().cpu().contiguous()
    content = flat.reshape(-1).view(torch.uint8).numpy().data
    return digest_of(f"{flat.dtype} {tuple(flat.shape)}".encode(), content)
