"""Dense, gated and sliced networks: what the formulas promise, and how long passes take.

Half of the units of each group goes, at random (which ones does not matter to the clock). The
ratios are of rounds in which all three took a pass. Corrupting a picture is timed as well.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from engine.inputs.samples import load_sample_set
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.pruning.corruptions.corrupting import corrupt, corruptions
from engine.pruning.cutting.gating import gated_copy
from engine.pruning.cutting.slicing import sliced_copy
from engine.pruning.finding.groups import find_groups
from engine.pruning.measuring.costs import costs_of
from engine.pruning.measuring.latency import measure_latency

MODELS = ("scenes-resnet", "scenes-vit", "digits-cnn", "imagenet-cnn", "torchvision:resnet18")
BATCHES = (1, 8)
ROUND_TO = 16
ROUNDS = 30


def main() -> None:
    """Print the figures."""
    print("| model | batch | dense (ms, quartiles) | gated | sliced | MACs ÷ | time ÷ |")
    print("|---|---|---|---|---|---|---|")
    for reference in MODELS:
        weights = "?weights=none" if ":" in reference else ""
        _latency(load_model(reference + weights, device="cpu"), reference)
    print()
    _corrupting()


def _latency(model: LoadedModel, name: str) -> None:
    groups, rng, kept = find_groups(model), np.random.default_rng(0), {}
    for group in groups.groups:
        parts = group.size // group.multiple
        stays = rng.permutation(parts) < max(1, parts // 2)
        kept[group.name] = np.repeat(stays, group.multiple)
    small = sliced_copy(model, kept, round_to=ROUND_TO)
    models = {"dense": model, "gated": gated_copy(model, kept), "sliced": small}
    fewer = costs_of(model).macs / costs_of(small).macs
    for batch in BATCHES:
        found = measure_latency(models, batch=batch, rounds=ROUNDS)
        told = [
            f"{1e3 * middle:.1f} ({1e3 * low:.1f}–{1e3 * high:.1f})"
            for middle, (low, high) in zip(found.median, found.quartiles, strict=True)
        ]
        times = found.ratios("sliced")[0]
        ratio = f"{times[1]:.2f} ({times[0]:.2f}–{times[2]:.2f})"
        print(f"| {name} | {batch} | {' | '.join(told)} | {fewer:.2f} | {ratio} |")
    print(f"<!-- {found.threads} threads on {found.device}, kept in multiples of {ROUND_TO} -->")


def _corrupting() -> None:
    print("| corruption | 64 px (ms) | 224 px (ms) |")
    print("|---|---|---|")
    scenes = [one.pixels for one in load_sample_set("scenes").part(range(8))]
    photographs = load_sample_set("photographs")
    large = [np.asarray(one.picture.convert("RGB").resize((224, 224))) for one in photographs]
    for name in corruptions():
        spent = [f"{_milliseconds(name, some):.1f}" for some in (scenes, large)]
        print(f"| {name} | {' | '.join(spent)} |")


def _milliseconds(name: str, pictures: list[np.ndarray]) -> float:
    corrupt(pictures[0], name, 3)
    began = time.perf_counter()
    for one in pictures:
        corrupt(one, name, 3)
    return 1e3 * (time.perf_counter() - began) / len(pictures)


if __name__ == "__main__":
    main()
