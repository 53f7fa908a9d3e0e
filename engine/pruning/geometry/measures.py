"""Where pictures lie at the classifier: angle, norm and margin (li2022understanding)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from engine.errors import InputError
from engine.execution.chunks import Chunks, default_chunk, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.heads.pictures import Pictures, load_pictures
from engine.models.image_labels import NONE
from engine.models.loaded import LoadedModel
from engine.pruning.geometry.classifier import Classifier, features_of, find_classifier

MEASURES = ("angle", "norm", "margin")


@dataclass(frozen=True, eq=False)
class Measures:
    """Three measures of each picture; X is what comes to the classifier, W its weights.

    Attributes:
        angle: float64 ``(n,)``, between X and W_y, in degrees; NaN where X is 0.
        norm: float64 ``(n,)``, ‖X‖.
        margin: float64 ``(n,)``, how far X lies inside the region of class y: its distance to
            the nearest boundary with another class; below 0 outside of it.
    """

    angle: np.ndarray
    norm: np.ndarray
    margin: np.ndarray


@dataclass(frozen=True, eq=False)
class PictureGeometry:
    """The same for pictures, and what the network says of them.

    Attributes:
        measures: of the pictures that could be read.
        labels: int32 ``(n,)``, the class y of each: its label; where it has none, the class
            given for it, or else the one that the network names.
        predicted: int32 ``(n,)``, the class that the network names.
        numbers: int64 ``(n,)``, which pictures these are among all.
        features: float32 ``(n, d)``, X.
        skipped: pictures that cannot be read: number, reason.
    """

    measures: Measures
    labels: np.ndarray
    predicted: np.ndarray
    numbers: np.ndarray
    features: np.ndarray
    skipped: dict[int, str] = field(default_factory=dict)


def measures_at(classifier: Classifier, features: np.ndarray, labels: np.ndarray) -> Measures:
    """Return angle, norm and margin.

    The margin is the least over j ≠ y of [(W_y − W_j) X + b_y − b_j] / ‖W_y − W_j‖; classes with
    the same weights as y have no boundary with it and are left out.

    Args:
        classifier: W and b.
        features: X, ``(n, d)``.
        labels: y, ``(n,)``.
    """
    from scipy.spatial.distance import cdist

    x, weight = features.astype(np.float64), classifier.weight
    rows = np.arange(len(x))
    norm, lengths = np.linalg.norm(x, axis=1), np.linalg.norm(weight, axis=1)
    toward = (x * weight[labels]).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = toward / (norm * lengths[labels])
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    logits = classifier.logits(features)
    ahead = logits[rows, labels][:, None] - logits  # (n, classes)
    kinds, place = np.unique(labels, return_inverse=True)
    apart = cdist(weight[kinds], weight)[place]  # (n, classes), 0 for y itself
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = np.where(apart > 0, ahead / apart, np.inf)
    return Measures(angle, norm, distance.min(axis=1))


def geometry_of(
    model: LoadedModel,
    pictures: Any,
    *,
    classes: np.ndarray | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> PictureGeometry:
    """Say where pictures lie at a model's classifier; one pass for each.

    Args:
        model: a network that ends in a linear layer.
        pictures: an image set, prepared inputs, or one of what ``load_pictures`` takes.
        classes: for pictures without a label: the class each is held against, ``(n,)``; by
            default the one that this model names.
        progress, cancel: as everywhere.

    Raises:
        ModelError: the network does not end in a linear layer.
        InputError: not one picture can be read, or classes of another number.
        Cancelled: the caller asked to stop.
    """
    given = pictures if isinstance(pictures, Pictures) else load_pictures(model, pictures)
    if classes is not None and len(classes) != len(given):
        raise InputError(f"{len(classes)} classes for {len(given)} pictures")
    classifier = find_classifier(model)
    passes = Passes(features_of(model, classifier), Cost(len(given)), progress, cancel)
    skipped: dict[int, str] = {}

    def some(start: int, stop: int) -> np.ndarray:
        passes.check()
        return _some(passes, given, range(start, stop), skipped)

    with telling_out_of_memory():
        parts = Chunks(default_chunk(model)).over(len(given), passes, some)
    features = np.concatenate(parts)
    if not len(features):
        raise InputError(f"{given.name}: no picture could be read; {skipped[0]}")
    numbers = np.array([index for index in range(len(given)) if index not in skipped])
    predicted = classifier.logits(features).argmax(axis=1).astype(np.int32)
    otherwise = predicted if classes is None else np.asarray(classes, np.int32)[numbers]
    labels = np.where(given.labels[numbers] == NONE, otherwise, given.labels[numbers])
    return PictureGeometry(
        measures_at(classifier, features, labels),
        labels.astype(np.int32),
        predicted,
        numbers,
        features,
        skipped,
    )


def _some(
    passes: Passes, pictures: Pictures, numbers: range, skipped: dict[int, str]
) -> np.ndarray:
    prepared = []
    for number in numbers:
        try:
            prepared.append(pictures.prepared(number))
        except InputError as error:
            skipped[number] = str(error)
    if not prepared:
        return np.empty((0, len(passes.model.classes)), np.float32)
    with torch.inference_mode():
        return passes.forward(torch.cat(prepared)).float().cpu().numpy()
