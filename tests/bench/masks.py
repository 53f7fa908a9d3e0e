"""A sweep over a map's top against as many bare forward passes, in one run, in turn.

Bare: the network alone on the picture, without masks, in the chunk in which it is fastest here.
Beside it, what masks themselves cost.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch

import engine
from engine.execution.memory import keep_freed_memory
from engine.masking.generators.registry import generators, make_masks
from tests.bench.timing import REPEATS, paired
from tests.engine.masking.generators.asking import guide_for

LEVELS = 100
CHUNKS = (4, 8, 16, 32)
MASKS = 1000


def main() -> None:
    """Print the figures."""
    keep_freed_memory()
    masks()
    sweeps()


def sweeps() -> None:
    """100 levels on imagenet-cnn, in either direction; both together take as many passes."""
    model = engine.load_model("imagenet-cnn", device="cpu")
    picture = engine.load_sample("chelsea")
    x = model.prepare(picture)
    network = model.module.eval()
    attribution = engine.explain(model, picture, "grad-cam")

    def bare(count: int, chunk: int) -> None:
        with torch.no_grad():
            for start in range(0, count, chunk):
                network(x.expand(min(chunk, count - start), -1, -1, -1).contiguous())

    best = min(CHUNKS, key=lambda chunk: _seconds(lambda: bare(LEVELS, chunk)))
    print(
        f"imagenet-cnn, CPU, {torch.get_num_threads()} threads, median of {REPEATS}, process "
        f"seconds; bare passes in chunks of {best}"
    )
    for direction in ("remove", "keep"):
        ours, theirs = paired(
            lambda d=direction: engine.mask_sweep(
                model, picture, attribution, levels=LEVELS, direction=d
            ),
            lambda: bare(LEVELS, best),
            time.process_time,
        )
        print(
            f"  {LEVELS} levels, {direction}: {ours:.2f} s, {LEVELS} bare passes {theirs:.2f} s, "
            f"ratio {ours / theirs:.3f}"
        )


def masks() -> None:
    """What masks cost: 1000 of each generator on 14 × 14 cells."""
    print(f"{MASKS} masks of 14 × 14 cells, half hidden")
    for name, found in generators().items():
        guide = guide_for(found, (14, 14))
        spent = _seconds(lambda n=name, g=guide: make_masks(n, (14, 14), 0.5, count=MASKS, guide=g))
        print(f"  {name}: {1000 * spent:.0f} ms")


def _seconds(work: Callable[[], object]) -> float:
    work()
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
