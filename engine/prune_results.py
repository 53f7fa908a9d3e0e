"""What pruning does to a network, for many ways and ratios at once; numpy only, ready to draw.

A *way* is how units were chosen and what was done after: criterion, draw (of a random one),
scope, repair. A sweep asks every way at every ratio what it says of the same pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from engine.results import Result
from engine.scores import (
    Calibration,
    Share,
    Shares,
    calibration_of,
    change_of,
    mean_of,
    share_of,
)

UNKNOWN = -1
RANDOM = "random"


@dataclass(frozen=True)
class Way:
    """One way to prune.

    Attributes:
        criterion: name of what scores units; "random" is the control.
        draw: number of the drawing, for the control; else 0.
        scope: "uniform", "global" or "standardised".
        repair: "none", "bn", "bias" or "both".
    """

    criterion: str
    draw: int
    scope: str
    repair: str


@dataclass(frozen=True)
class Layer:
    """A group of units, as ``engine.pruning.units.Group`` tells it.

    Attributes:
        name, title, kind, size: as there.
        start: place of its first unit among all units.
    """

    name: str
    title: str
    kind: str
    size: int
    start: int


@dataclass(frozen=True, eq=False)
class PruneSweep(Result):
    """What a network says when ever more of it is gone.

    Attributes:
        ratios: float64 ``(ratios,)``, ascending: shares of units that were asked to go. The first
            is 0, the network as it is (with the repair done to it all the same).
        labels: int32 ``(n,)``, true classes by the model's index; -1 where there is none.
        dense_predicted: int32 ``(n,)``, what the untouched network says; with
            ``dense_confidence`` float32, its probability of that.
        predicted: int32 ``(ways, ratios, n)``; with ``confidence`` float32.
        kept: bool ``(ways, ratios, units)``.
        scores: float64 ``(ways, units)``; low goes first.
        parameters, macs: int64 ``(ways, ratios)``, of the network cut to size, by formula.
        corrupted: float32 ``(ways, ratios, corruptions, severities)``, share of right answers (of
            those that agree with the untouched network's on clean pictures, without labels), NaN
            where it was not asked; or None. With ``dense_corrupted``
            ``(corruptions, severities)``.

    ``display`` has ``ways`` (one mapping each), ``layers``, ``classes``, ``criteria`` (name →
    title), ``corruptions``, ``corruption_titles`` (by name), ``parameters`` and ``macs`` of the
    untouched network.
    """

    kind: ClassVar[str] = "prune-sweep"
    arrays: ClassVar[tuple[str, ...]] = (
        "ratios",
        "labels",
        "dense_predicted",
        "dense_confidence",
        "predicted",
        "confidence",
        "kept",
        "scores",
        "parameters",
        "macs",
        "corrupted",
        "dense_corrupted",
    )

    ratios: np.ndarray
    labels: np.ndarray
    dense_predicted: np.ndarray
    dense_confidence: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    kept: np.ndarray
    scores: np.ndarray
    parameters: np.ndarray
    macs: np.ndarray
    corrupted: np.ndarray | None = None
    dense_corrupted: np.ndarray | None = None

    @property
    def ways(self) -> tuple[Way, ...]:
        """All ways, in the order of the arrays."""
        return tuple(Way(**one) for one in self.manifest["display"]["ways"])

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All groups, in the order of the units."""
        found, start = [], 0
        for one in self.manifest["display"]["layers"]:
            found.append(Layer(**one, start=start))
            start += one["size"]
        return tuple(found)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(self.manifest["display"]["classes"])

    @property
    def display(self) -> dict[str, Any]:
        """What a page tells of it."""
        return dict(self.manifest["display"])

    @property
    def truth(self) -> np.ndarray:
        """What counts as right, int32 ``(n,)``: labels; without any, what the network said."""
        return self.labels if self.labelled else self.dense_predicted

    @property
    def labelled(self) -> bool:
        """Whether answers are held against labels; else against the untouched network's."""
        return bool((self.labels != UNKNOWN).any())

    @property
    def judged(self) -> np.ndarray:
        """Which pictures count, bool ``(n,)``: those with a label; without any label all."""
        return np.asarray(self.truth != UNKNOWN)

    def right(self, way: int, ratio: int) -> np.ndarray:
        """Return which of the pictures that count are named right, bool ``(judged,)``."""
        return np.asarray((self.predicted[way, ratio] == self.truth)[self.judged])

    @property
    def dense_right(self) -> np.ndarray:
        """The same of the untouched network."""
        return np.asarray((self.dense_predicted == self.truth)[self.judged])

    def accuracy(self, way: int, ratio: int) -> Share:
        """Return the share of right answers with its interval, by places of way and ratio."""
        return share_of(self.right(way, ratio))

    def dense_accuracy(self) -> Share:
        """Return the same of the untouched network."""
        return share_of(self.dense_right)

    def change(self, way: int, ratio: int) -> Share:
        """Return accuracy minus that of the untouched network, with a paired interval."""
        return change_of(self.dense_right, self.right(way, ratio))

    def agreement(self, way: int, ratio: int) -> Share:
        """Return how often the answer is that of the untouched network."""
        return share_of(self.predicted[way, ratio] == self.dense_predicted)

    def certainty(self, way: int, ratio: int) -> Share:
        """Return the mean probability of the answers, within two standard errors."""
        return mean_of(self.confidence[way, ratio])

    def dense_certainty(self) -> Share:
        """Return the same of the untouched network."""
        return mean_of(self.dense_confidence)

    def calibration(self, way: int, ratio: int) -> Calibration:
        """Hold confidence against right answers, of the pictures that count."""
        return calibration_of(self.confidence[way, ratio][self.judged], self.right(way, ratio))

    def dense_calibration(self) -> Calibration:
        """Return the same of the untouched network."""
        return calibration_of(self.dense_confidence[self.judged], self.dense_right)

    def per_class(self, way: int, ratio: int) -> Shares:
        """Return the share of right answers of each true class, ``(classes,)``."""
        right = self.right(way, ratio)
        return Shares.of(share_of(right[own]) for own in self._by_class())

    def dense_per_class(self) -> Shares:
        """Return the same of the untouched network."""
        return Shares.of(share_of(self.dense_right[own]) for own in self._by_class())

    def class_changes(self, way: int, ratio: int) -> Shares:
        """Return the change of each class's share from the untouched network, ``(classes,)``."""
        before, after = self.dense_right, self.right(way, ratio)
        return Shares.of(change_of(before[own], after[own]) for own in self._by_class())

    def against_control(self, way: int, ratio: int) -> Share | None:
        """Return accuracy minus that of the random control; None where there is no control.

        The mean over drawings of the paired changes; its interval is as wide as theirs, and
        wider by two standard errors of the mean over drawings (our definition).
        """
        own = self.right(way, ratio)
        drawings = [place for place in self.controls(way) if place != way]
        if not drawings:
            return None
        found = Shares.of(change_of(self.right(place, ratio), own) for place in drawings)
        value = float(found.value.mean())
        spread = float(found.value.var(ddof=1)) / len(drawings) if len(drawings) > 1 else 0.0
        low, high = (
            float(np.sqrt(((end - found.value) ** 2).mean() + 4 * spread))
            for end in (found.low, found.high)
        )
        return Share(value, max(-1.0, value - low), min(1.0, value + high), len(own))

    def _by_class(self) -> list[np.ndarray]:
        """Which of the pictures that count are of each class, bool ``(judged,)`` each."""
        truth = self.truth[self.judged]
        return [truth == place for place in range(len(self.classes))]

    def kept_in(self, way: int, ratio: int) -> dict[str, np.ndarray]:
        """Return which units stay, bool ``(size,)`` by the group's name."""
        return {
            one.name: self.kept[way, ratio, one.start : one.start + one.size] for one in self.layers
        }

    def controls(self, way: int) -> list[int]:
        """Return places of the random control of a way: same scope and repair, every drawing."""
        own = self.ways[way]
        return [
            place
            for place, one in enumerate(self.ways)
            if one.criterion == RANDOM and (one.scope, one.repair) == (own.scope, own.repair)
        ]


@dataclass(frozen=True, eq=False)
class Geometry(Result):
    """Where pictures lie at the classifier, for several networks and benchmarks.

    X is the classifier's input, W its weights, one row for each class; y the true class (without
    labels, the class that the first network names on clean pictures). After
    li2022understanding.

    Attributes:
        angle: float32 ``(models, benchmarks, n)``, between X and W_y, in degrees.
        norm: float32, same shape, ‖X‖.
        margin: float32, same shape: distance to the nearest boundary of y, negative when wrong.
        predicted: int32, same shape.
        labels: int32 ``(n,)``, y.
        places: float32 ``(models × benchmarks, 2)``, the similarity map, model by model.
        tree: int32 ``(edges, 2)``, its minimum spanning tree, as numbers of places.
        tree_lengths: float32 ``(edges,)``.

    ``display`` has ``models`` and ``benchmarks`` (names; the first benchmark is "clean"),
    ``ratios`` (share that went, of each model), ``classes``, ``pictures`` (names), ``map``
    ("UMAP" or "PCA").
    """

    kind: ClassVar[str] = "prune-geometry"
    arrays: ClassVar[tuple[str, ...]] = (
        "angle",
        "norm",
        "margin",
        "predicted",
        "labels",
        "places",
        "tree",
        "tree_lengths",
    )

    angle: np.ndarray
    norm: np.ndarray
    margin: np.ndarray
    predicted: np.ndarray
    labels: np.ndarray
    places: np.ndarray
    tree: np.ndarray
    tree_lengths: np.ndarray

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the networks."""
        return tuple(self.manifest["display"]["models"])

    @property
    def benchmarks(self) -> tuple[str, ...]:
        """Names of the benchmarks, "clean" first."""
        return tuple(self.manifest["display"]["benchmarks"])

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(self.manifest["display"]["classes"])

    @property
    def right(self) -> np.ndarray:
        """Which pictures are named right, bool ``(models, benchmarks, n)``."""
        return np.asarray(self.predicted == self.labels)


@dataclass(frozen=True, eq=False)
class PruneCell(Result):
    """What one network says of the pictures: kept by itself so that long work can go on later.

    Attributes:
        predicted: int32 ``(n,)``; with ``confidence`` float32.
        corrupted: float32 ``(corruptions, severities)``, share of right answers; empty where
            none were asked.
    """

    kind: ClassVar[str] = "prune-cell"
    arrays: ClassVar[tuple[str, ...]] = ("predicted", "confidence", "corrupted")

    predicted: np.ndarray
    confidence: np.ndarray
    corrupted: np.ndarray
