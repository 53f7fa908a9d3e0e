"""What a probe of fills on a set of pictures is: one picture after the other, each fill on it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from engine.errors import InputError
from engine.execution.chunks import Chunks, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.environment import environment
from engine.execution.passes import Cancel, Passes, Progress
from engine.execution.predict import predict_prepared
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import ImageInput
from engine.manifest import key_of
from engine.masking.fills.registry import find_fill
from engine.masking.predict import masked_outputs
from engine.models.loaded import LoadedModel
from engine.results import Result

Row = dict[str, np.ndarray]


@dataclass(eq=False)
class Seen:
    """One picture that is looked at.

    Attributes:
        place: its place in the set.
        picture: as the set has it.
        x: ``(1, …)``, prepared.
        logits: float32 ``(classes,)``, with nothing hidden.
        passes, chunks: how to run.
        seed: of what fills draw.
    """

    place: int
    picture: ImageInput
    x: torch.Tensor
    logits: np.ndarray
    passes: Passes
    chunks: Chunks
    seed: int

    def under(self, keep: np.ndarray, fill: str) -> np.ndarray:
        """Return logits float32 ``(n, classes)`` under masks, bool ``(n, height, width)``."""
        masks = torch.from_numpy(np.ascontiguousarray(keep))[:, None]
        found = masked_outputs(
            self.passes,
            self.chunks,
            self.x,
            len(masks),
            lambda start, stop: masks[start:stop],
            find_fill(fill, self.seed + self.place),
        )
        return found.float().cpu().numpy()


@dataclass(frozen=True, eq=False)
class Probe(ABC):
    """A probe that could be made: what it will be known by, and its cost.

    Attributes:
        model, images: what will run.
        fills: names of the fills.
        places: int64, of the pictures in the set that are asked about.
        labels: int32, of all pictures of the set; −1 where there is none.
        request: all that decides the numbers.
    """

    model: LoadedModel
    images: ImageSet
    fills: tuple[str, ...]
    places: np.ndarray
    labels: np.ndarray
    request: dict[str, Any]

    kind: ClassVar[type[Result]]

    @property
    def key(self) -> str:
        """Digest of the request."""
        return key_of(self.request)

    @property
    @abstractmethod
    def each(self) -> Cost:
        """What one picture costs at the most, beside its own prediction."""

    @property
    def cost(self) -> Cost:
        """An upper bound of the passes."""
        count = len(self.places)
        return Cost(count * (1 + self.each.forward), count * self.each.backward)

    @abstractmethod
    def of_picture(self, seen: Seen) -> Row | str:
        """Return a picture's part of each array, or why it is left out."""

    def run(self, progress: Progress | None = None, cancel: Cancel | None = None) -> Any:
        """Compute.

        Raises:
            InputError: not one picture suits.
            Cancelled: the caller asked to stop.
            OutOfMemory: one sample at a time does not fit.
        """
        started = time.perf_counter()
        passes = Passes(self.model, self.cost, progress, cancel)
        chunks = Chunks(self.request["chunk"])
        rows: list[Row] = []
        left_out: dict[int, str] = {}
        with telling_out_of_memory():
            for place in self.places.tolist():
                found = self._of_place(place, passes, chunks)
                if isinstance(found, str):
                    left_out[place] = found
                else:
                    rows.append(found)
        if not rows:
            raise InputError(f"{self.images.name}: {next(iter(left_out.values()))}")
        arrays = {name: np.stack([row[name] for row in rows], axis=-1) for name in rows[0]}
        return self.kind(self._manifest(passes, chunks, left_out, started), **arrays)

    def _of_place(self, place: int, passes: Passes, chunks: Chunks) -> Row | str:
        passes.check()
        try:
            picture = self.images[place]
            x = self.model.prepare(picture)
        except InputError as error:
            return str(error)
        logits = predict_prepared(passes, x).logits
        seed = self.request["seed"]
        return self.of_picture(Seen(place, picture, x, logits, passes, chunks, seed))

    def source(self) -> dict[str, Any]:
        """Return names a person would know; they decide nothing."""
        return {
            "model": self.model.ref,
            "model_title": self.model.card.title,
            "images": self.images.name,
            "images_origin": self.images.origin,
        }

    def _manifest(
        self, passes: Passes, chunks: Chunks, left_out: dict[int, str], started: float
    ) -> dict[str, Any]:
        kept = [place for place in self.places.tolist() if place not in left_out]
        return {
            "key": self.key,
            "request": self.request,
            "source": {
                **self.source(),
                "pictures": [self.images.entries[place].name for place in kept],
            },
            "display": {
                "fills": list(self.fills),
                "fill_titles": [find_fill(fill).title for fill in self.fills],
                "classes": list(self.model.classes),
            },
            "outcome": {
                "passes": {"forward": passes.used.forward, "backward": passes.used.backward},
                "seconds": time.perf_counter() - started,
                "chunk": chunks.size,
                "skipped": [[place, why] for place, why in sorted(left_out.items())],
                "environment": environment(self.model.device),
            },
        }
