"""Each method against Captum called directly, in one run, as a ratio of medians.

Beside it the bare passes that the method needs at the least, in chunks of the same size.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from captum.attr import (
    DeepLiftShap,
    FeatureAblation,
    GradientShap,
    InputXGradient,
    IntegratedGradients,
    KernelShap,
    LayerGradCam,
    NoiseTunnel,
    Occlusion,
    Saliency,
    ShapleyValueSampling,
)

import engine
from engine.execution.memory import keep_freed_memory
from engine.models.zoo.table_nets import TableMLP
from tests.bench.timing import REPEATS, paired

COLUMNS = 12

Peers = dict[str, tuple[dict[str, object], Callable[[], object]]]


def main() -> None:
    """Print the figures."""
    keep_freed_memory()
    warnings.filterwarnings("ignore")
    pictures()
    tables()


def pictures() -> None:
    """The methods on a picture."""
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

    peers: Peers = {
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
        _print(name, lambda n=name, p=parameters: engine.explain(model, picture, n, 282, **p), peer)


def tables() -> None:
    """Those for tables on a row of 12 columns: against 64 rows where Captum can, else one."""
    torch.manual_seed(0)
    network = TableMLP(COLUMNS, (32, 16), 2).eval()
    model = engine.load_model(network, input_spec=(COLUMNS,), device="cpu")
    x, rows = torch.randn(1, COLUMNS), torch.randn(64, COLUMNS)

    def captum_ablation() -> None:
        with torch.no_grad():
            FeatureAblation(network).attribute(x, rows[:1], target=1, perturbations_per_eval=12)

    def captum_shapley() -> None:
        with torch.no_grad():
            ShapleyValueSampling(network).attribute(
                x, rows[:1], target=1, n_samples=100, perturbations_per_eval=12
            )

    def captum_kernel() -> None:
        with torch.no_grad():
            KernelShap(network).attribute(
                x, rows[:1], target=1, n_samples=2048, perturbations_per_eval=256
            )

    one, all_rows = {"background": rows[:1]}, {"background": rows}
    peers: Peers = {
        "kernel-shap": (one, captum_kernel),
        "shapley-sampling": ({**one, "permutations": 50}, captum_shapley),
        "feature-ablation": (one, captum_ablation),
        "deep-lift": (
            all_rows,
            lambda: DeepLiftShap(network).attribute(_leaf(x), rows, target=1),
        ),
        "integrated-gradients": (
            {**all_rows, "steps": 50},
            lambda: IntegratedGradients(network).attribute(
                x.expand(64, -1), rows, target=1, n_steps=50
            ),
        ),
        "gradient-shap": (
            {**all_rows, "samples": 1000},
            lambda: GradientShap(network).attribute(_leaf(x), rows, n_samples=1000, target=1),
        ),
    }
    print(f"methods on a row of {COLUMNS} columns, CPU, {torch.get_num_threads()} threads")
    for name, (parameters, peer) in peers.items():
        _print(name, lambda n=name, p=parameters: engine.explain(model, x, n, 1, **p), peer)


def _print(name: str, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    mine, peer = paired(ours, theirs)
    print(f"  {name}: {mine:.3f} s, Captum {peer:.3f} s, ratio {peer / mine:.2f}")


def _leaf(x: torch.Tensor) -> torch.Tensor:
    return x.clone().requires_grad_()


if __name__ == "__main__":
    main()
