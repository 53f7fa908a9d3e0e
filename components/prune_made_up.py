"""Made-up findings about pruning, for examples and tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from engine.prune_results import UNKNOWN, Geometry, PruneSweep

RATIOS = np.linspace(0, 0.9, 10)
CLASSES = ("house", "tree", "car", "boat", "bird", "person", "lamp", "fence")
PICTURES = 240
CRITERIA = {"l2": "Group L2", "taylor": "Taylor", "random": "Random"}
CORRUPTIONS = ("gaussian noise", "defocus blur", "contrast", "brightness", "jpeg compression")
SEVERITIES = 5
# Where half of the accuracy is lost, without a repair and with both.
_HALF = {"l2": (0.42, 0.74), "taylor": (0.36, 0.66), "random": (0.27, 0.52)}
_WIDTHS = (16, 16, 32, 32, 32, 64, 64, 64, 128, 128)


def ways() -> list[dict[str, Any]]:
    """Two criteria and a control of three drawings, without a repair and with both."""
    return [
        {"criterion": criterion, "draw": draw, "scope": "global", "repair": repair}
        for repair in ("none", "both")
        for criterion, draws in (("l2", 1), ("taylor", 1), ("random", 3))
        for draw in range(draws)
    ]


def layers() -> list[dict[str, Any]]:
    """Ten convolutions of a residual network."""
    return [
        {
            "name": f"layer{place // 3 + 1}.{place % 3}.conv1",
            "title": f"Stage {place // 3 + 1}, block {place % 3 + 1}",
            "kind": "channels",
            "size": size,
        }
        for place, size in enumerate(_WIDTHS)
    ]


def manifest(**display: Any) -> dict[str, Any]:
    """Return a manifest of a sweep of such a network."""
    return {
        "key": "example",
        "request": {},
        "display": {
            "ways": ways(),
            "layers": layers(),
            "classes": list(CLASSES),
            "criteria": CRITERIA,
            "corruptions": list(CORRUPTIONS),
            "corruption_titles": {name: name.capitalize() for name in CORRUPTIONS},
            "parameters": 2_780_000,
            "macs": 81_000_000,
            **display,
        },
        "source": {"model_title": "A network", "images": f"{PICTURES} pictures"},
        "outcome": {"calibrated_on": 40},
    }


def sweep(seed: int = 0, *, labelled: bool = True) -> PruneSweep:
    """Made-up pruning: Group L2 holds longest, drawing lots does worst, repairs help all."""
    draw = np.random.default_rng(seed)
    labels = np.arange(PICTURES) % len(CLASSES)
    hardness = draw.beta(2.2, 1.2, PICTURES) * (0.75 + 0.25 * np.cos(labels)) + 0.05
    wrong = (labels + draw.integers(0, len(CLASSES), PICTURES)) % len(CLASSES)
    strength = np.stack([_strength(one) for one in ways()])  # (ways, ratios)
    noise = draw.normal(0, 0.05, (len(strength), 1, PICTURES))
    margin = strength[..., None] - hardness + noise  # (ways, ratios, n)
    dense = 0.98 - hardness
    scores = _scores(draw)
    kept = np.stack([_kept(row) for row in scores])
    share = kept.mean(axis=-1)
    return PruneSweep(
        manifest(),
        RATIOS,
        np.where(labelled, labels, UNKNOWN).astype(np.int32),
        np.where(dense > 0, labels, wrong).astype(np.int32),
        _sure(dense),
        np.where(margin > 0, labels, wrong).astype(np.int32),
        _sure(margin),
        kept,
        scores,
        (2_780_000 * share**1.8).astype(np.int64),
        (81_000_000 * share**1.5).astype(np.int64),
        _corrupted(strength),
        _corrupted(np.array(0.98)),
    )


def with_accuracy(found: PruneSweep, way: int, ratio: int, right: float) -> PruneSweep:
    """Return a sweep in which one way and ratio names a share of the pictures right."""
    predicted = found.predicted.copy()
    own = np.where(np.arange(PICTURES) < round(right * PICTURES), found.truth, found.truth - 1)
    predicted[way, ratio] = own % len(CLASSES)
    return replace(found, predicted=predicted)


def _strength(way: dict[str, Any]) -> np.ndarray:
    half = _HALF[way["criterion"]][way["repair"] == "both"] + 0.03 * (way["draw"] - 1)
    return np.asarray(0.98 / (1 + np.exp((RATIOS - half) / 0.09)))


def _sure(margin: np.ndarray) -> np.ndarray:
    """Return made-up probabilities: surest far from the boundary."""
    return (0.5 + 0.5 * np.tanh(4 * np.abs(margin))).astype(np.float32)


def _scores(draw: np.random.Generator) -> np.ndarray:
    """Return made-up scores: later layers have more units that matter little."""
    late = np.repeat(np.linspace(1.2, 0.5, len(_WIDTHS)), _WIDTHS)  # (units,)
    one = draw.gamma(2.0, 0.05, len(late)) * late
    return np.stack(
        [
            draw.uniform(size=len(late))
            if way["criterion"] == "random"
            else one * draw.lognormal(0, 0.2, len(late))
            for way in ways()
        ]
    )


def _kept(scores: np.ndarray) -> np.ndarray:
    """Keep the best units at every ratio, all layers together, the best of each for certain."""
    best = np.zeros(len(scores), dtype=bool)
    for start, size in zip(np.cumsum((0, *_WIDTHS[:-1])), _WIDTHS, strict=True):
        best[start + scores[start : start + size].argmax()] = True
    order = np.argsort(np.argsort(scores))
    return np.stack([(order >= round(ratio * len(scores))) | best for ratio in RATIOS])


def _corrupted(strength: np.ndarray) -> np.ndarray:
    """Return made-up accuracies under corruptions: noise costs most, brightness hardly any."""
    grades = np.arange(1, SEVERITIES + 1)
    each = np.array([0.13, 0.08, 0.1, 0.01, 0.05])[:, None] * grades
    cost = each * (1 + 2.4 * (0.98 - strength[..., None, None]))
    return np.clip(strength[..., None, None] - cost, 0.12, 1).astype(np.float32)


def geometry(seed: int = 0, pictures: int = 64) -> Geometry:
    """Made-up geometry: norms and margins shrink as more goes, and under noise."""
    models = ("untouched", "L2 30 %", "L2 60 %", "L2 80 %", "random 60 %")
    benchmarks = ("clean", "gaussian noise", "defocus blur", "contrast", "brightness")
    harm = np.array([0.0, 0.08, 0.25, 0.55, 0.5])[:, None] + np.array([0, 0.22, 0.16, 0.18, 0.04])
    draw = np.random.default_rng(seed)
    own = draw.normal(0, 1, pictures)
    jitter = draw.normal(0, 0.25, (*harm.shape, pictures))
    margin = 2.4 + 1.0 * own - 4.4 * harm[..., None] + jitter
    labels = np.arange(pictures) % len(CLASSES)
    display = {
        "models": list(models),
        "benchmarks": list(benchmarks),
        "ratios": [0.0, 0.3, 0.6, 0.8, 0.6],
        "classes": list(CLASSES),
        "pictures": [f"{CLASSES[k]} {i + 1}" for i, k in enumerate(labels)],
        "map": "UMAP",
    }
    places = np.stack([6 * harm, np.sin(5 * harm) + 0.4 * np.arange(5)], axis=-1).reshape(-1, 2)
    tree, lengths = _tree(places)
    return Geometry(
        manifest(**display),
        (62 - 6 * margin + draw.normal(0, 1.5, margin.shape)).astype(np.float32),
        (14 - 9 * harm[..., None] + 0.8 * own + jitter).astype(np.float32),
        margin.astype(np.float32),
        np.where(margin > 0, labels, (labels + 3) % len(CLASSES)).astype(np.int32),
        labels.astype(np.int32),
        places.astype(np.float32),
        tree,
        lengths,
    )


def _tree(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a minimum spanning tree: edges ``(n − 1, 2)``, and their lengths."""
    apart = np.linalg.norm(places[:, None] - places, axis=-1)
    inside, edges = [0], []
    while len(inside) < len(places):
        outside = [place for place in range(len(places)) if place not in inside]
        row, column = np.unravel_index(
            apart[np.ix_(inside, outside)].argmin(), (len(inside), len(outside))
        )
        edges.append((inside[row], outside[column]))
        inside.append(outside[column])
    found = np.array(edges, dtype=np.int32)
    return found, apart[found[:, 0], found[:, 1]].astype(np.float32)
