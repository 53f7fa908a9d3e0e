"""Interactions against the published way, in one run, and how their cost grows.

    python tests/bench/interactions.py [growth.html]

With a file, the growth is drawn into it.

The published way: one masked model at a time, a shuffled copy of the rows for each permutation and
set of features, one forward pass, the loss in numpy. Models and rows are the same on both sides;
with the same permutations so are the scores, which is checked.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import pandas as pd
import torch

import engine
from engine.execution.chunks import Chunks
from engine.execution.memory import keep_freed_memory
from engine.execution.passes import Passes
from engine.inputs.samples import load_sample
from engine.inputs.tables import Table, load_table
from engine.interactions.combining import halo_models
from engine.interactions.effects import pair_effects
from engine.interactions.searching import search
from engine.interactions.table_data import table_data
from engine.interactions.world import permutations
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.table_specs import Column, TableSpec
from engine.models.zoo.table_nets import TableMLP
from tests.bench.timing import REPEATS, paired

SHUFFLES = 400
ROWS = 1000
MODELS = 4


def main() -> None:
    """Print the figures."""
    keep_freed_memory()  # as the command and the dashboard do
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # what others do on the machine disturbs one thread the least
    print(f"interactions, CPU; inner loop: processor seconds of one thread, median of {REPEATS}")
    for features, hidden in ((6, (16, 8)), (30, (16, 8)), (6, (32, 16)), (6, (64, 32))):
        _inner_loop(features, hidden)
    torch.set_num_threads(threads)
    print(f"  from here on wall time, and processor time in brackets; {threads} threads")
    _searches()
    _pictures()
    _whole()
    _draw(_growth())


def made(features: int, rows: int, hidden: tuple[int, ...] = (16, 8)) -> tuple[LoadedModel, Table]:
    """Return a small network for numbers, and a table of numbers that it fits in part."""
    torch.manual_seed(0)
    columns = tuple(Column(f"x{i}") for i in range(features))
    spec = TableSpec(columns, label="y", labels=("0", "1"))
    model = load_model(TableMLP(features, hidden), input_spec=spec, classes=["1"], device="cpu")
    draw = np.random.default_rng(0)
    x = draw.normal(size=(rows, features))
    with torch.no_grad():
        logits = model.module(torch.from_numpy(x).float())[:, 0].numpy()
    y = draw.random(rows) < 1 / (1 + np.exp(-4 * (logits - logits.mean())))
    columns_of = {f"x{i}": x[:, i] for i in range(features)}
    return model, load_table(pd.DataFrame({**columns_of, "y": y.astype(int)}))


def _inner_loop(features: int, hidden: tuple[int, ...]) -> None:
    model, table = made(features, ROWS, hidden)
    data = table_data(model, table, None, ROWS, 0)
    bank = permutations(ROWS, SHUFFLES, 0)
    masks = np.random.default_rng(1).uniform(0.5, 1.5, (MODELS, features))
    world = data.world(Passes(data.quickly(model)), Chunks(data.chunk), bank)

    def ours() -> np.ndarray:
        return pair_effects(world, masks, (0, 1))[0]

    rows = data.rows.features, np.asarray(data.rows.truth)

    def theirs() -> np.ndarray:
        draw = np.random.default_rng(0).permutation
        return published(model, *rows, masks, bank, draw)

    assert np.allclose(ours(), published(model, *rows, masks, bank), atol=1e-5)
    own, peer = paired(ours, theirs, time.process_time)
    jobs = MODELS * SHUFFLES * 3
    layers = "-".join(map(str, (features, *hidden, 1)))
    print(
        f"  inner loop, {layers}, {ROWS} rows, {jobs} shuffles: {own:.3f} s, published "
        f"{peer:.3f} s, ratio {peer / own:.1f} ({jobs * ROWS / own / 1e6:.0f} million rows/s)"
    )


def published(
    model: LoadedModel,
    x: np.ndarray,
    truth: np.ndarray,
    masks: np.ndarray,
    bank: np.ndarray,
    drawn: Callable[[int], np.ndarray] | None = None,
) -> np.ndarray:
    """Return φ_i, φ_j, φ_ij of the first two features, one model and one shuffle at a time.

    Args:
        drawn: draws an order of so many rows, for every shuffle anew, as is published; None: the
            orders are those of the bank, to compare the scores.
    """

    def loss(rows: np.ndarray) -> float:
        with torch.no_grad():
            logits = model.module(torch.from_numpy(rows))[:, 0].numpy()
        chance = 1 / (1 + np.exp(-logits.astype(np.float64)))
        return float(-np.mean(np.where(truth == 1, np.log(chance), np.log(1 - chance))))

    effects = []
    for mask in masks:
        masked = (x * mask).astype(np.float32)
        base = loss(masked)
        each = []
        for features in ((0,), (1,), (0, 1)):
            risen = []
            for order in bank if drawn is None else (drawn(len(x)) for _ in bank):
                rows = masked.copy()
                rows[:, features] = masked[order][:, features]
                risen.append(loss(rows) - base)
            each.append(np.mean(risen))
        effects.append(each)
    return np.array(effects)


def _searches() -> None:
    model, table = made(6, ROWS)
    data = table_data(model, table, None, ROWS, 0)
    world = data.world(Passes(data.exactly(model)), Chunks(data.chunk), permutations(ROWS, 30, 0))
    base = float(world.losses(np.ones((1, 6)))[0])
    epsilons = base * np.array([0.02, 0.04, 0.06, 0.08, 0.1])
    for slow in (False, True):
        began = _now()
        found = search(world, base, epsilons, slow=slow)
        told = "step by step" if slow else "brackets"
        print(
            f"  masks of 6 features, 5 rates, {told}: {_since(began)}, {found.asked} models "
            f"asked, {found.slow} directions step by step"
        )


def _whole() -> None:
    """The whole of a table with 6 features: all 15 pairs, 100 shuffles."""
    model, table = made(6, ROWS)
    data = table_data(model, table, None, ROWS, 0)
    world = data.world(Passes(data.quickly(model)), Chunks(data.chunk), permutations(ROWS, 100, 0))
    base = float(world.losses(np.ones((1, 6)))[0])
    began = _now()
    found = search(world, base, np.array([0.1 * base]))
    steps, signs = halo_models()
    for i in range(6):
        for j in range(i + 1, 6):
            masks = np.ones((len(steps), 6))
            for place, feature in enumerate((i, j)):
                spent = found.masks[0][steps[:, place], feature, (signs[:, place] < 0).astype(int)]
                masks[:, feature] = spent
            pair_effects(world, masks, (i, j))
    print(f"  search and all 15 halos (36 models each), 100 shuffles: {_since(began)}")
    for name, sample in (("compas-logistic", "compas"), ("compas-mlp", "compas")):
        began = _now()
        told = engine.measure_interactions(name, f"sample:{sample}").outcome
        print(
            f"  {name}, 6 features, all clouds (265 models each), 5 nested rates, "
            f"{told['samples']} rows that repeat: {_since(began)}, {told['exact_pairs']} exact"
        )
    began = _now()
    told = engine.measure_interactions(model, table).outcome
    print(
        f"  6 numbers, {ROWS} rows that differ, all clouds, 5 nested rates: {_since(began)}, "
        f"{told['passes']['forward'] / 1e6:.0f} million rows"
    )


def _pictures() -> None:
    """One picture of a network of our own, 8 superpixels, the 15 strongest pairs."""
    began = _now()
    planned = engine.plan_picture_interactions(
        "scenes-resnet", load_sample("scenes/heart-07"), segments=8
    )
    outcome = planned.run().outcome
    print(
        f"  scenes-resnet, 8 superpixels, 15 clouds, 5 nested rates: {_since(began)}, "
        f"{outcome['passes']['forward']} passes, {outcome['slow_searches']} of 16 directions step "
        "by step"
    )


Growth = dict[str, tuple[list[int], list[float]]]


def _growth() -> Growth:
    """Tell, in processor seconds, how the work grows; return what to draw."""
    print("  one cloud (265 models, 30 shuffles) and 5 nested searches, processor seconds:")
    found: Growth = {
        "features (500 rows)": _grown((4, 8, 16, 32), lambda count: _one_pair(count, 500)),
        "rows (6 features)": _grown(
            (250, 500, 1000, 2000, 4000), lambda count: _one_pair(6, count)
        ),
        "models (effects alone, 100 shuffles)": _grown((10, 30, 100, 300), _effects_of),
    }
    for what, (sizes, seconds) in found.items():
        each = (f"{size}: {took:.2f}" for size, took in zip(sizes, seconds, strict=True))
        print(f"    {what}: {', '.join(each)}")
    return found


def _grown(sizes: tuple[int, ...], work: Callable[[int], object]) -> tuple[list[int], list[float]]:
    seconds = []
    for size in sizes:
        began = time.process_time()
        work(size)
        seconds.append(time.process_time() - began)
    return list(sizes), seconds


def _effects_of(models: int) -> None:
    model, table = made(6, ROWS)
    data = table_data(model, table, None, ROWS, 0)
    world = data.world(Passes(data.quickly(model)), Chunks(data.chunk), permutations(ROWS, 100, 0))
    pair_effects(world, np.random.default_rng(1).uniform(0.5, 1.5, (models, 6)), (0, 1))


def _one_pair(features: int, rows: int) -> None:
    model, table = made(features, rows)
    engine.measure_interactions(model, table, pairs=["x0:x1"], repeats=30, rows=rows)


def _draw(growth: Growth) -> None:
    """Draw the growth, both axes by powers of ten, into the file that was named; if one was."""
    if len(sys.argv) < 2:
        return
    import plotly.graph_objects as go

    figure = go.Figure(
        [
            go.Scatter(x=sizes, y=seconds, name=what, mode="lines+markers")
            for what, (sizes, seconds) in growth.items()
        ]
    )
    figure.update_xaxes(type="log", title="how many")
    figure.update_yaxes(type="log", title="processor seconds")
    figure.write_html(sys.argv[1], include_plotlyjs=True)
    print(f"  growth drawn: {sys.argv[1]}")


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(began: tuple[float, float]) -> str:
    wall, own = (now - then for now, then in zip(_now(), began, strict=True))
    return f"{wall:.2f} s ({own:.2f})"


if __name__ == "__main__":
    main()
