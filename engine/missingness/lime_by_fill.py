"""LIME with each fill, held against the true mask of the object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.attribution.explain import plan
from engine.attribution.registry import find_method
from engine.errors import ParameterError
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Progress
from engine.inputs.image_sets import ImageSet
from engine.mask_results import LimeByFill
from engine.masking.regions import superpixels
from engine.missingness.probe import Probe, Row, Seen
from engine.missingness.study_asking import asked_of
from engine.models.loading import load_model
from engine.models.seen_masks import seen_mask
from engine.parameters import check_all

TOP = 20


class LimePlan(Probe):
    """LIME over superpixels with each fill; its first segments against those of the object."""

    kind = LimeByFill

    @property
    def each(self) -> Cost:
        """For each fill what LIME costs, the prediction beside it, and one with the top gone."""
        lime = find_method("lime")
        parameters = {**self._parameters(self.fills[0]), "regions": "superpixels"}
        one = lime.cost(self.model, parameters) + Cost(2)
        return Cost(one.forward * len(self.fills))

    def of_picture(self, seen: Seen) -> Row | str:
        """Scores of a picture with a true mask."""
        truth = seen_mask(self.model, seen.picture)
        if truth is None or not truth.any():
            return "no true mask tells where its object is"
        segments = superpixels(self.model, seen.x, self.request["segments"]).numpy()
        if int(segments.max()) < TOP:
            return f"it has no more than {TOP} segments"
        held = held_truth(segments, truth)
        found = [self._of_fill(seen, segments, held, fill) for fill in self.fills]
        whole, label = seen.logits.argmax(), self.labels[seen.place]
        return {
            "cosine": np.array([cosine for cosine, _, _ in found], dtype=np.float32),
            "overlap": np.array([overlap for _, overlap, _ in found], dtype=np.float32),
            "predicted": np.array([answer for _, _, answer in found], dtype=np.int32),
            "whole": np.array(whole, dtype=np.int32),
            "labels": np.array(label, dtype=np.int32),
        }

    def _parameters(self, fill: str) -> dict[str, Any]:
        samples, segments = self.request["samples"], self.request["segments"]
        return {"samples": samples, "segments": segments, "fill": fill}

    def _of_fill(
        self, seen: Seen, segments: np.ndarray, held: np.ndarray, fill: str
    ) -> tuple[float, float, int]:
        """Return cosine, overlap, and the answer without the first segments."""
        target, seed = int(seen.logits.argmax()), self.request["seed"]
        planned = plan(self.model, seen.x, "lime", target, seed=seed, **self._parameters(fill))
        found = planned.run(seen.passes.report, seen.passes.cancel)
        seen.passes.add(Cost(**found.manifest["outcome"]["passes"]))
        weights = weights_of(segments, found.values[0])
        keep = ~np.isin(segments, first(weights))
        answer = int(seen.under(keep[None], fill).argmax())
        return cosine_of(weights, held), overlap_of(first(weights), first(held)), answer


def held_truth(segments: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return Σ (truth − mean truth) over each segment's pixels, float64 ``(segments,)``."""
    return np.bincount(segments.ravel(), (truth - truth.mean()).ravel())


def weights_of(segments: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return each segment's own coefficient, which all its pixels carry, float64."""
    weights = np.zeros(int(segments.max()) + 1)
    weights[segments.ravel()] = values.ravel()
    return weights


def first(values: np.ndarray, count: int = TOP) -> np.ndarray:
    """Return the places of the largest values; of equals the first."""
    return np.argsort(-values, kind="stable")[:count]


def cosine_of(one: np.ndarray, other: np.ndarray) -> float:
    """Return the cosine of two vectors; NaN where one is nothing."""
    size = np.linalg.norm(one) * np.linalg.norm(other)
    return float(one @ other / size) if size else float("nan")


def overlap_of(one: np.ndarray, other: np.ndarray) -> float:
    """Return the Jaccard index of two sets of places, 0 … 1."""
    both = len(np.intersect1d(one, other))
    return both / (len(one) + len(other) - both)


def plan_lime(
    model: Any,
    images: ImageSet,
    *,
    fills: Sequence[str] = (),
    samples: int = 512,
    segments: int = 100,
    count: int | None = None,
    seed: int = 0,
) -> LimePlan:
    """Check a probe and return what it would be known by and cost, without making it.

    Arguments and errors as in ``lime_by_fill``.
    """
    loaded = load_model(model)
    asked = asked_of(loaded, images, LimeByFill.kind, fills, count, seed)
    lime = find_method("lime")
    for fill in asked[2]:
        given = {"samples": samples, "segments": segments, "fill": fill}
        check_all(given, lime.parameters_for(loaded), lime.name)
    if segments <= 2 * TOP:
        raise ParameterError(
            f"segments={segments}: of {TOP} first ones to tell anything, there must be more than "
            f"{2 * TOP}"
        )
    asked[-1].update(samples=int(samples), segments=int(segments))
    return LimePlan(*asked)


def lime_by_fill(
    model: Any,
    images: ImageSet,
    *,
    fills: Sequence[str] = (),
    samples: int = 512,
    segments: int = 100,
    count: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> LimeByFill:
    """Explain the predicted class of each picture by LIME with each fill; score the weights.

    Args:
        model: a loaded model, a reference, or an ``nn.Module``.
        images: with true masks; others are left out.
        fills: names of fills; by default all that suit the model.
        samples: masks that LIME draws, each segment staying with probability ½.
        segments: superpixels at the most.
        count: how many pictures, as many of each class as can be; by default all.
        seed: of the masks, the same for all fills, and of what fills draw.
        progress, cancel: as in ``missingness_study``.

    Raises:
        InputError, MethodError, ParameterError, Cancelled, OutOfMemory: as in
            ``missingness_study``.
    """
    planned = plan_lime(
        model, images, fills=fills, samples=samples, segments=segments, count=count, seed=seed
    )
    found: LimeByFill = planned.run(progress, cancel)
    return found
