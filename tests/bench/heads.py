"""Attention heads: exact ablation and gradients against the naive loop; agreement of metrics.

The speed is that of one ViT-S/16 (12 layers of 6 heads, 224 pixels, random weights) on one
picture with one thread, in process CPU seconds, naive and ours in turn; the ratio of the minima
is told beside that of the medians, since others on the machine can only add to a time. With
``--speed`` nothing else is measured. With ``--write`` the agreement goes into
assets/heads/agreement.json, where the page's help takes it from.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import nn

import engine
from engine.attention.gates import gated
from engine.attention.sites import attention_sites
from engine.execution.memory import keep_freed_memory
from engine.head_results import HeadScores
from engine.heads.ablation import all_heads, gates_of
from engine.heads.curve import plan_curve
from engine.heads.registry import head_metrics
from engine.inputs.image_sets import ImageSet
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec
from engine.models.zoo.small_vit import Shape, SmallViT

ROOT = Path(__file__).parents[2]
REPEATS = 5
PLACE = ROOT / "assets" / "heads" / "agreement.json"
MODELS = {"scenes-vit": "scenes", "digits-vit": "digits"}
STANDARD = "cross-entropy"
DRAWN = 20


def main() -> None:
    """Print the figures."""
    keep_freed_memory()  # as the command and the dashboard do
    _speed()
    if "--speed" in sys.argv:
        return
    found = {name: _agreement(name, images) for name, images in MODELS.items()}
    if "--write" in sys.argv:
        PLACE.parent.mkdir(exist_ok=True)
        PLACE.write_text(json.dumps(found, indent=1) + "\n")
        print(f"Written: {PLACE.relative_to(ROOT)}")


def _speed() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = SmallViT(Shape(224, 3, (1,) * 4, 384, depth=12, heads=6, mlp=4), 1000).eval()
        module.patch_embed = nn.Conv2d(3, 384, 16, 16)
    spec = ImageSpec(224, 224, mean=(0.5,) * 3, std=(0.5,) * 3)
    model = engine.load_model(module, input_spec=spec, device="cpu")
    x = torch.randn((1, 3, 224, 224), generator=torch.Generator().manual_seed(0))
    works: dict[str, Callable[[], Any]] = {
        "naive": lambda: _naive(model, x),
        "exact": lambda: _fresh(model, x, STANDARD),
        "gradient": lambda: _fresh(model, x, "gradient"),
    }
    seconds = _in_turn(works)
    naive = statistics.median(seconds["naive"])
    print(f"72 heads of a ViT-S/16, CPU seconds, one thread, medians of {REPEATS} in turn")
    print(f"  the naive loop, 72 passes and one as it is: {naive:.2f} s, "
          f"at least {min(seconds['naive']):.2f}")  # fmt: skip
    for name in ("exact", "gradient"):
        own = statistics.median(seconds[name])
        each = [a / b for a, b in zip(seconds["naive"], seconds[name], strict=True)]
        least = min(seconds["naive"]) / min(seconds[name])
        spread = f"{min(each):.2f} – {max(each):.2f}"
        print(
            f"  {name}: {own:.2f} s, ratio {naive / own:.2f} ({spread}), of the minima {least:.2f}"
        )
    told = _fresh(model, x, STANDARD).manifest["outcome"]
    apart = np.abs(_naive(model, x) - _fresh(model, x, STANDARD).values.ravel()).max()
    print(f"  block passes {told['block_passes']} of {73 * 12}; values apart by {apart:.1g} nats")
    torch.set_num_threads(threads)


def _naive(model: LoadedModel, x: torch.Tensor) -> np.ndarray:
    """Rise of the loss by one whole pass for each head."""
    sites = attention_sites(model).sites
    with torch.no_grad():
        plain = model.forward(x).double().log_softmax(-1)[0]
        label = int(plain.argmax())
        rises = []
        for place in all_heads(sites):
            with gated(gates_of([[place]], sites)):
                rises.append(plain[label] - model.forward(x).double().log_softmax(-1)[0, label])
    return torch.stack(rises).numpy()


def _fresh(model: LoadedModel, given: Any, metric: str) -> HeadScores:
    return replace(engine.plan_heads(model, given, metric), fresh=True).run()


def _in_turn(works: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in works}
    for repeat in range(REPEATS + 1):
        for name, work in works.items():
            began = time.process_time()
            work()
            if repeat:  # the first finds out what is found out once
                found[name].append(time.process_time() - began)
    return found


def halves(images: ImageSet) -> tuple[ImageSet, ImageSet]:
    """Return every second picture of each class, and the others."""
    seen: dict[str | None, int] = {}
    parts: tuple[list[int], list[int]] = ([], [])
    for index, label in enumerate(images.labels):
        seen[label] = seen.get(label, -1) + 1
        parts[seen[label] % 2].append(index)
    return images.part(parts[0]), images.part(parts[1])


def _agreement(name: str, images: str) -> dict[str, Any]:
    """Rank heads on half of the pictures, switch off half of the heads, test on the others."""
    model = engine.load_model(name, device="cpu")
    ranked, tested = halves(engine.load_sample_set(images))
    scores = {metric: engine.head_scores(model, ranked, metric) for metric in head_metrics()}
    scores["gradient, layers scaled"] = engine.head_scores(
        model, ranked, "gradient", normalise=True
    )
    standard = scores[STANDARD].values.ravel()
    off = len(standard) // 2
    rows = []
    for metric, found in scores.items():
        curve = plan_curve(model, tested, found, steps=[0, off], drawn=DRAWN).run()
        rank = spearmanr(found.values.ravel(), standard).statistic
        rows.append(_row(metric, rank, curve.accuracy[0, 1], curve.loss[0, 1]))
    rows.append(_row("random", 0.0, curve.accuracy[2, 1], curve.loss[2, 1]))
    rows.sort(key=lambda row: -row["rank"])
    whole = {"accuracy": _short(curve.accuracy[0, 0]), "loss": _short(curve.loss[0, 0])}
    print(f"{name}: {off} of {len(standard)} heads off, ranked on {len(ranked)} pictures of "
          f"{images}, tested on {len(tested)}; all on {whole}")  # fmt: skip
    for row in rows:
        print(f"  {row['metric']:24} rank {row['rank']:5.2f}, accuracy "
              f"{100 * row['accuracy']:5.1f} %, loss {row['loss']:.2f}")  # fmt: skip
    return {
        "digest": model.digest,
        "images": images,
        "ranked": len(ranked),
        "tested": len(tested),
        "heads": len(standard),
        "off": off,
        **whole,
        "metrics": rows,
    }


def _row(metric: str, rank: float, accuracy: float, loss: float) -> dict[str, Any]:
    return {
        "metric": metric,
        "rank": _short(rank),
        "accuracy": _short(accuracy),
        "loss": _short(loss),
    }


def _short(value: float) -> float:
    return round(float(value), 4)


if __name__ == "__main__":
    main()
