"""What standing in for hidden parts does to the answers, on scenes and on photographs.

Prints tables for RESULTS.md. On scenes the truth is known: right answers, class entropy, shape
leak, linearity, LIME against the true masks. On photographs only agreement can be told.
``--lime`` is for LIME alone (512 samples for each picture and fill: slow). Seeded.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch

import engine
from engine.mask_results import MissingnessStudy
from engine.masking.fills.registry import fills_for
from engine.missingness.lime_by_fill import lime_by_fill
from engine.missingness.linearity import linearity
from engine.missingness.shape_leak import shape_leak
from engine.missingness.study_asking import missingness_study
from engine.scores import share_of

MODELS = ("scenes-resnet", "scenes-vgg", "scenes-vit", "scenes-masked")
SAME = "mean"  # of scenes the same colour as "grey"
OF_LINEARITY, OF_LIME = 100, 20
LIME_FILLS = ("grey", "black", "blur", "neighbours", "layer-masking")
SIZES = (0.25, 0.5, 0.75)


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    if "--lime" in sys.argv:
        _tell_lime()
        return
    scenes = engine.load_sample_set("scenes")
    for name in MODELS:
        model = engine.load_model(name, device="cpu")
        fills = [fill for fill in fills_for(model) if fill != SAME]
        _tell_study(name, missingness_study(model, scenes, fills=fills, shares=[0, *SIZES]))
        _tell_leak(name, fills)
        _tell_linearity(name, fills)
    photographs = engine.load_sample_set("photographs")
    found = missingness_study("imagenet-cnn", photographs, shares=[0, *SIZES])
    _tell_study("imagenet-cnn", found)


def _tell_study(name: str, study: MissingnessStudy) -> None:
    print(f"\n{name}, {study.count} pictures of {study.manifest['source']['images']}", flush=True)
    titles = [f"right at {share:.0%} hidden" for share in SIZES] if study.labelled else []
    print("| fill | " + " | ".join([*titles, "bits at 50%", "unchanged at 50%"]) + " |")
    for row, fill in enumerate(study.fills):
        cells = [
            _share(study.accuracy[row, level], study.accuracy_interval[row, level])
            for level in range(1, 4)
            if study.labelled
        ]
        ends = study.entropy_interval[row, 2]
        cells.append(f"{study.entropy[row, 2]:.2f} ({ends[0]:.2f} – {ends[1]:.2f})")
        cells.append(_share(study.unchanged[row, 2], study.unchanged_interval[row, 2]))
        print(f"| {fill} | " + " | ".join(cells) + " |")
    if "layer-masking" in study.fills and study.labelled:
        _tell_pairs(study)


def _tell_pairs(study: MissingnessStudy) -> None:
    """Layer masking against the others on the same pictures and masks, half hidden."""
    right = (study.predicted == study.labels)[:, 2].astype(float)
    own = right[study.fills.index("layer-masking")]
    told = []
    for row, fill in enumerate(study.fills):
        if fill in ("grey", "black", "blur"):
            apart = 100 * (own - right[row])
            give = 1.96 * apart.std(ddof=1) / np.sqrt(len(apart))
            told.append(f"{fill} {apart.mean():+.1f} ± {give:.1f}")
    print("layer masking less another, points right at 50 % hidden:", ", ".join(told))


def _tell_leak(name: str, fills: list[str]) -> None:
    found = shape_leak(name, engine.load_sample_set("scenes"), fills=fills)
    print(f"{name}, shape leak, {len(found.labels)} scenes named right at first; the object "
          f"covers {100 * found.area.mean():.0f} %", flush=True)  # fmt: skip
    for fill, right in zip(found.fills, found.right, strict=True):
        each = [share_of(one) for one in right]
        print(f"| {fill} | " + " | ".join(_share(s.value, (s.low, s.high)) for s in each) + " |")


def _tell_linearity(name: str, fills: list[str]) -> None:
    scenes = engine.load_sample_set("scenes")
    found = linearity(name, scenes, fills=fills, grid=4, count=OF_LINEARITY)
    print(f"{name}, linearity, four of 4 × 4 patches, {OF_LINEARITY} scenes", flush=True)
    for fill, cosine, distance in zip(found.fills, found.cosine, found.distance, strict=True):
        print(f"| {fill} | {_mean(cosine)} | {_mean(distance)} |")


def _tell_lime() -> None:
    scenes = engine.load_sample_set("scenes")
    found = lime_by_fill("scenes-resnet", scenes, fills=LIME_FILLS, count=OF_LIME)
    print(f"scenes-resnet, LIME, {OF_LIME} scenes: cosine, overlap, right without the top 20")
    for row, fill in enumerate(found.fills):
        right = share_of(found.predicted[row] == found.labels)
        told = _share(right.value, (right.low, right.high))
        print(f"| {fill} | {_mean(found.cosine[row])} | {_mean(found.overlap[row])} | {told} |")


def _share(value: float, ends: tuple[float, float] | np.ndarray) -> str:
    return f"{100 * value:.1f} ({100 * ends[0]:.1f} – {100 * ends[1]:.1f})"


def _mean(values: np.ndarray) -> str:
    there = values[np.isfinite(values)].astype(float)
    if len(there) < 2:
        return "nothing is said"
    give = 1.96 * there.std(ddof=1) / np.sqrt(len(there))
    return f"{there.mean():.2f} ± {give:.2f}"


if __name__ == "__main__":
    main()
