"""A sweep against the bare passes that it needs, and scores of all criteria in one pass.

The bare passes are those that the sweep counted: as many pictures through the same networks in
the same chunks, prepared beforehand, and nothing else. Both are timed in turn in the processor's
seconds of one thread, so that what else runs on the machine weighs on neither.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch

from engine.inputs.samples import load_sample_set
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.pruning.cutting.gating import gated_copy
from engine.pruning.finding.groups import find_groups
from engine.pruning.scoring.registry import criteria
from engine.pruning.scoring.score import score_units
from engine.pruning.sweeping.judged import Prepared
from engine.pruning.sweeping.planning import PrunePlan, plan_pruning
from tests.bench.timing import paired
from tests.engine.counting import counted

MODELS = {"digits-cnn": "digits", "scenes-resnet": "scenes", "scenes-vit": "scenes"}
ASKED: dict[str, Any] = {
    "criteria": ("group-l2", "taylor"),
    "ratios": (0.25, 0.5, 0.75),
    "repairs": ("none", "both"),
    "draws": 1,
}


def main() -> None:
    """Print the figures."""
    torch.set_num_threads(1)
    print("| model | networks | passes (forward, backward) | sweep (s) | bare (s) | ratio |")
    print("|---|---|---|---|---|---|")
    for name, images in MODELS.items():
        _sweep(name, images, ASKED)
    _sweep("digits-cnn", "digits", {})  # as the command asks by default
    print("\n| model | criteria | pictures | passes | all (s) | one by one (s) | ratio |")
    print("|---|---|---|---|---|---|---|")
    for name, images in MODELS.items():
        _scores(name, images)


def _sweep(name: str, images: str, asked: dict[str, Any]) -> None:
    model = load_model(name, device="cpu")
    plan = plan_pruning(model, load_sample_set(images), **asked)
    outcome = plan.run().manifest["outcome"]
    ours, bare = paired(
        plan.run, _bare(plan, outcome["networks"], outcome["passes"]["forward"]), time.process_time
    )
    passes = f"{outcome['passes']['forward']:,}, {outcome['passes']['backward']:,}"
    print(
        f"| {name} | {outcome['networks']} | {passes} | {ours:.2f} | {bare:.2f} | "
        f"{ours / bare:.2f} |"
    )


def _bare(plan: PrunePlan, networks: int, forward: int) -> Callable[[], None]:
    """Return what passes as many pictures through one gated network, and does nothing else."""
    model, chunk = plan.model, int(plan.request["chunk"])
    half = {group.name: torch.arange(group.size).numpy() % 2 == 0 for group in plan.groups.groups}
    network = gated_copy(model, half)
    count = len(plan.parts.judged)
    judged = Prepared(model, plan.images, plan.parts.judged, plan.fit).batch(0, count)
    calibrating = plan.workshop.pictures
    calibration = torch.cat([calibrating.prepared(n) for n in range(len(calibrating))])
    # What is counted beside judging and scoring went into batch norms, all pictures at once.
    recalibrated = forward // len(calibration) - networks * count // len(calibration) - 1

    def work() -> None:
        with torch.inference_mode():
            for _ in range(networks):
                _through(network, judged, chunk)
            for _ in range(recalibrated):
                network.forward(calibration)
        for start in range(0, len(calibration), chunk):
            part = calibration[start : start + chunk].requires_grad_()
            network.forward(part).sum().backward()

    return work


def _through(network: LoadedModel, x: torch.Tensor, chunk: int) -> None:
    for start in range(0, len(x), chunk):
        network.forward(x[start : start + chunk])


def _scores(name: str, images: str) -> None:
    model = load_model(name, device="cpu")
    groups = find_groups(model)
    chosen = load_sample_set(images).part(range(100))
    x = torch.cat([model.prepare(one) for one in chosen])
    names = tuple(score_units(model, groups, x[:2]))
    with counted(model.module) as count:
        score_units(model, groups, x, criteria=names)

    def apart() -> None:
        for one in names:
            score_units(model, groups, x, criteria=[one])

    together, each = paired(
        lambda: score_units(model, groups, x, criteria=names), apart, time.process_time
    )
    print(
        f"| {name} | {len(names)} of {len(criteria())} | {len(x)} | {count.forward} forward, "
        f"{count.backward} backward | {together:.2f} | {each:.2f} | {each / together:.1f} |"
    )


if __name__ == "__main__":
    main()
