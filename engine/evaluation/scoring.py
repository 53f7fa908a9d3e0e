"""``score_images``: run a model over an image set and note what it says of each picture."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from engine.errors import InputError
from engine.execution.chunks import Chunks, default_chunk, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import Fit
from engine.manifest import SCHEMA, key_of, versions
from engine.models.image_labels import NONE, match_labels
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.outputs import probabilities_of
from engine.scores import Scores


@dataclass(frozen=True)
class ScorePlan:
    """A test of a model that could be run.

    Attributes:
        model, images: what will run.
        fit: "crop" or "letterbox".
        indices: the class of each picture by the model's index, -1 where there is none.
        request: all that decides the numbers.
        key: its digest.
        cost: one forward pass for each picture.
    """

    model: LoadedModel
    images: ImageSet
    fit: Fit
    indices: np.ndarray
    request: dict[str, Any]
    key: str

    @property
    def cost(self) -> Cost:
        """One forward pass for each picture."""
        return Cost(forward=len(self.images))

    def run(self, progress: Progress | None = None, cancel: Cancel | None = None) -> Scores:
        """Compute; pictures that cannot be read are left out and listed.

        Raises:
            InputError: not one picture could be read.
            Cancelled: the caller asked to stop.
            OutOfMemory: one sample at a time does not fit.
        """
        started = time.perf_counter()
        passes = Passes(self.model, self.cost, progress, cancel)
        chunks = Chunks(self.request["chunk"])
        skipped: dict[int, str] = {}
        with telling_out_of_memory():
            parts = chunks.over(
                len(self.images), passes, lambda a, b: self._some(passes, a, b, skipped)
            )
        if len(skipped) == len(self.images):
            raise InputError(f"{self.images.name}: no picture could be read; {skipped[0]}")
        kept = np.array([i for i in range(len(self.images)) if i not in skipped])
        probabilities = np.concatenate([part for part in parts if len(part)])
        outcome = {
            "passes": {"forward": passes.used.forward, "backward": 0},
            "seconds": time.perf_counter() - started,
            "chunk": chunks.size,
            "skipped": [[self.images.entries[i].name, why] for i, why in sorted(skipped.items())],
        }
        return self._scores(probabilities, kept, outcome)

    def _some(self, passes: Passes, start: int, stop: int, skipped: dict[int, str]) -> np.ndarray:
        passes.check()
        prepared = []
        for index in range(start, stop):
            try:
                picture = self.images[index].with_fit(self.fit)
                prepared.append(self.model.prepare(picture))
            except InputError as error:
                skipped[index] = str(error)
        if not prepared:
            return np.empty((0, len(self.model.classes)), dtype=np.float32)
        with torch.inference_mode():
            logits = passes.forward(torch.cat(prepared))
            return probabilities_of(logits, self.model.activation).float().cpu().numpy()

    def _scores(
        self, probabilities: np.ndarray, kept: np.ndarray, outcome: dict[str, Any]
    ) -> Scores:
        labels = self.indices[kept].astype(np.int32)
        rows = np.arange(len(kept))
        known = labels >= 0
        truth = np.where(known, probabilities[rows, labels], np.nan).astype(np.float32)
        above = (probabilities > truth[:, None]).sum(axis=1)
        predicted = _predicted(probabilities)
        # Equal probabilities are told apart as the prediction does: the first class wins.
        ties = (probabilities == truth[:, None]) & (
            np.arange(probabilities.shape[1]) < labels[:, None]
        )
        rank = np.where(known, above + ties.sum(axis=1), NONE)
        manifest = {
            "key": self.key,
            "request": self.request,
            "source": {
                "model": self.model.ref,
                "model_title": self.model.card.title,
                "images": self.images.name,
                "images_origin": self.images.origin,
                "pictures": [self.images.entries[i].name for i in kept],
                "classes": list(self.model.classes),
            },
            "outcome": outcome,
        }
        return Scores(
            manifest=manifest,
            labels=labels,
            predicted=predicted,
            confidence=probabilities.max(axis=1).astype(np.float32),
            truth=truth,
            rank=rank.astype(np.int32),
        )


def _predicted(probabilities: np.ndarray) -> np.ndarray:
    return probabilities.argmax(axis=1).astype(np.int32)


def plan_scores(
    model: LoadedModel | str | torch.nn.Module, images: ImageSet, *, fit: Fit = "crop"
) -> ScorePlan:
    """Check a test and return what it would be known by, without running it.

    Raises:
        InputError: labels, of which the model knows none.
    """
    loaded = load_model(model)
    if loaded.family == "tabular":
        raise InputError(f"{loaded.card.title} takes rows of a table, not pictures")
    indices = match_labels(images.labels, loaded.classes)
    request = {
        "schema": SCHEMA,
        "kind": Scores.kind,
        "model": loaded.describe(),
        "preprocessing": {**loaded.spec.describe(), "fit": fit},
        "classes": loaded.classes_digest,
        "images": images.digest,
        "device": loaded.device.type,
        "dtype": "float32",
        "chunk": default_chunk(loaded),
        "versions": versions(),
    }
    return ScorePlan(loaded, images, fit, indices, request, key_of(request))


def score_images(
    model: LoadedModel | str | torch.nn.Module,
    images: ImageSet,
    *,
    fit: Fit = "crop",
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Scores:
    """Say how often a model is right on an image set.

    Args:
        model: a loaded model, a reference, or an ``nn.Module``.
        images: from ``load_images``; labels are matched to the model's classes by name.
        fit: how pictures are brought to the network's size.
        progress: called with passes done and passes promised.
        cancel: an object with ``is_set()``, looked at before every pass.

    Raises:
        InputError: the model knows none of the labels, or no picture can be read.
        Cancelled: the caller asked to stop.
    """
    return plan_scores(model, images, fit=fit).run(progress, cancel)
