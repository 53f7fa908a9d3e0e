"""Missingness bias over a set: what becomes of the answers as ever more is hidden."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch

from engine.execution.chunks import Chunks, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.environment import environment
from engine.execution.passes import Cancel, Passes, Progress
from engine.inputs.image_sets import ImageSet
from engine.manifest import key_of
from engine.mask_results import MissingnessStudy
from engine.masking.fills.registry import find_fill
from engine.masking.predict import masked_outputs
from engine.missingness.looking import Looked, Ways, look
from engine.missingness.measures import tallied
from engine.models.loaded import LoadedModel
from engine.models.outputs import probabilities_of
from engine.results import Result

Find = Callable[[str], Result | None]
Keep = Callable[[Result], None]


@dataclass(frozen=True, eq=False)
class StudyPlan:
    """A study that could be made: what it will be known by, and its cost.

    Attributes:
        model, images: what will run.
        fills: names of the fills.
        shares: parts to hide.
        ways: how pictures are cut, and in which order cells are hidden.
        places: int64, of the pictures in the set that are asked about.
        labels: int32, of all pictures of the set; −1 where there is none.
        request: all that decides the numbers.
        looking: what it costs to look at one whole picture.
    """

    model: LoadedModel
    images: ImageSet
    fills: tuple[str, ...]
    shares: tuple[float, ...]
    ways: Ways
    places: np.ndarray
    labels: np.ndarray
    request: dict[str, Any]
    looking: Cost

    @property
    def key(self) -> str:
        """Digest of the request."""
        return key_of(self.request)

    @property
    def cost(self) -> Cost:
        """An upper bound of the passes."""
        count = len(self.places)
        masked = sum(share > 0 for share in self.shares) * len(self.fills)
        return Cost(count * (self.looking.forward + masked), count * self.looking.backward)

    def alone(self, fill: str) -> StudyPlan:
        """Return the same study of a single fill; the numbers are the same."""
        return replace(self, fills=(fill,), request={**self.request, "fills": [fill]})

    def source(self) -> dict[str, Any]:
        """Return names a person would know; they decide nothing."""
        return {
            "model": self.model.ref,
            "model_title": self.model.card.title,
            "images": self.images.name,
            "images_origin": self.images.origin,
        }

    def run(
        self,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        *,
        find: Find | None = None,
        keep: Keep | None = None,
    ) -> MissingnessStudy:
        """Compute.

        Args:
            progress, cancel: as in ``missingness_study``.
            find: returns the result of a key that was computed before, or None: fills that are
                known are not computed again.
            keep: called with the study of each single fill as soon as it is there, so that work
                that is stopped goes on from there.

        Raises:
            Cancelled: the caller asked to stop.
            InputError: not one picture could be read.
            OutOfMemory: one sample at a time does not fit.
        """
        started = time.perf_counter()
        known = {fill: self._known(fill, find) for fill in self.fills}
        missing = tuple(fill for fill, study in known.items() if study is None)
        passes = Passes(self.model, replace(self, fills=missing).cost, progress, cancel)
        chunks = Chunks(self.request["chunk"])
        parts: list[MissingnessStudy] = []
        looked: Looked | None = None
        with telling_out_of_memory():
            for fill in self.fills:
                part = known[fill]
                if part is None:
                    looked = looked or look(self.model, self.images, self.places, self.ways, passes)
                    part = self.alone(fill)._of_fill(looked, passes, chunks, started)
                    if keep is not None:
                        keep(part)
                parts.append(part)
        return self._joined(parts, passes, chunks, started)

    def _known(self, fill: str, find: Find | None) -> MissingnessStudy | None:
        found = None if find is None else find(self.alone(fill).key)
        return found if isinstance(found, MissingnessStudy) else None

    def _of_fill(
        self, looked: Looked, passes: Passes, chunks: Chunks, started: float
    ) -> MissingnessStudy:
        """Return the study of the one fill of this plan."""
        before = passes.used
        rows = [
            self._answers(place, index, looked, passes, chunks)
            for index, place in enumerate(looked.places.tolist())
        ]
        predicted = np.stack([row for row, _ in rows], axis=-1)  # (shares, n)
        hidden = [1 - cells.keep(self.shares).mean(axis=(1, 2)) for cells in looked.cells]
        labels = self.labels[looked.places]
        count = len(self.model.classes)
        counted = tallied(predicted[None], looked.whole, labels, count, self.ways.seed)
        used = Cost(passes.used.forward - before.forward, passes.used.backward - before.backward)
        return MissingnessStudy(
            self._manifest(looked.skipped, looked.places, used, chunks, started),
            shares=np.array(self.shares, dtype=np.float32),
            hidden=np.mean(hidden, axis=0).astype(np.float32),
            predicted=predicted[None],
            probability=np.stack([row for _, row in rows], axis=-1)[None],
            whole=looked.whole,
            labels=labels,
            **{one.name: getattr(counted, one.name) for one in fields(counted)},
        )

    def _answers(
        self,
        place: int,
        index: int,
        looked: Looked,
        passes: Passes,
        chunks: Chunks,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return answers, int32 ``(shares,)``, and what is left to the first, float32."""
        x = self.model.prepare(self.images[place])
        fill = find_fill(self.fills[0], self.ways.seed + place)  # each picture its own noise
        counts = looked.cells[index].counts(self.shares)
        masks = torch.from_numpy(looked.cells[index].keep(self.shares)[counts > 0][:, None])
        logits = np.tile(looked.logits[index], (len(counts), 1))
        if len(masks):
            outputs = masked_outputs(
                passes, chunks, x, len(masks), lambda start, stop: masks[start:stop], fill
            )
            logits[counts > 0] = outputs.float().cpu().numpy()
        said = probabilities_of(torch.from_numpy(logits), self.model.activation).numpy()
        return logits.argmax(axis=1).astype(np.int32), said[:, looked.whole[index]]

    def _joined(
        self, parts: list[MissingnessStudy], passes: Passes, chunks: Chunks, started: float
    ) -> MissingnessStudy:
        """Return the studies of single fills as one; what is the same for all is the first's."""
        first = parts[0].manifest
        places = np.array(first["outcome"]["places"])
        skipped = {int(place): str(why) for place, why in first["outcome"]["skipped"]}
        by_fill = [name for name in MissingnessStudy.arrays if name not in _OF_ALL]
        return MissingnessStudy(
            self._manifest(skipped, places, passes.used, chunks, started),
            **{name: getattr(parts[0], name) for name in _OF_ALL},
            **{name: np.concatenate([getattr(one, name) for one in parts]) for name in by_fill},
        )

    def _manifest(
        self,
        skipped: dict[int, str],
        places: np.ndarray,
        used: Cost,
        chunks: Chunks,
        started: float,
    ) -> dict[str, Any]:
        return {
            "key": self.key,
            "request": self.request,
            "source": {
                **self.source(),
                "pictures": [self.images.entries[place].name for place in places],
            },
            "display": {
                "fills": list(self.fills),
                "fill_titles": [find_fill(fill).title for fill in self.fills],
                "classes": list(self.model.classes),
            },
            "outcome": {
                "passes": {"forward": used.forward, "backward": used.backward},
                "seconds": time.perf_counter() - started,
                "chunk": chunks.size,
                "places": places.tolist(),
                "skipped": [[place, why] for place, why in sorted(skipped.items())],
                "environment": environment(self.model.device),
            },
        }


_OF_ALL = ("shares", "hidden", "whole", "labels")
