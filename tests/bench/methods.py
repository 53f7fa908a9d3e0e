"""Each method against Captum called directly, in one run, as a ratio of medians.

Beside it the bare passes that the method needs at the least, in chunks of the same size.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from captum.attr import (
    FeatureAblation,
    GradientShap,
    InputXGradient,
    IntegratedGradients,
    LayerGradCam,
    NoiseTunnel,
    Occlusion,
    Saliency,
)

import engine
from engine.execution.memory import keep_freed_memory

REPEATS = 5


def main() -> None:
    """Print the figures."""
    keep_freed_memory()
    model = engine.load_model("imagenet-cnn", device="cpu")
    picture = engine.load_sample("chelsea")
    x = model.prepare(picture)
    network = model.module.eval()

    def captum_occlusion() -> None:
        with torch.no_grad():
            Occlusion(network).attribute(
                x, sliding_window_shapes=(3, 32, 32), strides=(3, 16, 16), target=282
            )

    rows = torch.arange(224) // 32
    cells = (7 * rows[:, None] + rows)[None, None]  # 7 × 7 regions

    def captum_ablation() -> None:
        with torch.no_grad():
            FeatureAblation(network).attribute(x, target=282, feature_mask=cells)

    peers: dict[str, tuple[dict[str, int | str], Callable[[], object]]] = {
        "gradient": ({}, lambda: Saliency(network).attribute(_leaf(x), target=282, abs=False)),
        "grad-cam": ({}, lambda: LayerGradCam(network, network.head).attribute(_leaf(x), 282)),
        "integrated-gradients": (
            {"steps": 16, "baseline": "mean"},
            lambda: IntegratedGradients(network).attribute(x, target=282, n_steps=16),
        ),
        "occlusion": ({}, captum_occlusion),
        "gradient-x-input": ({}, lambda: InputXGradient(network).attribute(_leaf(x), target=282)),
        "smoothgrad": (
            {"samples": 16},
            lambda: NoiseTunnel(Saliency(network)).attribute(
                _leaf(x), nt_samples=16, nt_samples_batch_size=8, target=282, abs=False
            ),
        ),
        "gradient-shap": (
            {"samples": 16},
            lambda: GradientShap(network).attribute(
                _leaf(x), torch.zeros(4, 3, 224, 224), n_samples=16, target=282
            ),
        ),
        "feature-ablation": ({"regions": "grid", "cells": 7}, captum_ablation),
    }
    print(f"methods on imagenet-cnn, CPU, {torch.get_num_threads()} threads, median of {REPEATS}")
    for name, (parameters, peer) in peers.items():
        ours, theirs = _paired(
            lambda n=name, p=parameters: engine.explain(model, picture, n, 282, **p), peer
        )
        print(f"  {name}: {ours:.2f} s, Captum {theirs:.2f} s, ratio {theirs / ours:.2f}")


def _leaf(x: torch.Tensor) -> torch.Tensor:
    return x.clone().requires_grad_()


def _paired(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """Time both in turn, so that a busy machine slows both alike; return the medians."""
    ours()
    theirs()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(REPEATS):
        for spent, work in zip(times, (ours, theirs), strict=True):
            began = time.perf_counter()
            work()
            spent.append(time.perf_counter() - began)
    return statistics.median(times[0]), statistics.median(times[1])


if __name__ == "__main__":
    main()
