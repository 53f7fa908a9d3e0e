"""Interactions against the published way, in one run, and how their cost grows.

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
    print(f"interactions, CPU, {torch.get_num_threads()} threads, median of {REPEATS}")
    for features, hidden in ((6, (16, 8)), (6, (64, 32)), (30, (16, 8))):
        _inner_loop(features, hidden)
    _searches()
    _whole()
    _growth()


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
    own, peer = paired(ours, theirs)
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
        began = time.perf_counter()
        found = search(world, base, epsilons, slow=slow)
        told = "step by step" if slow else "brackets"
        print(
            f"  masks of 6 features, 5 rates, {told}: {_since(began)} s, {found.asked} models "
            f"asked, {found.slow} directions step by step"
        )


def _whole() -> None:
    """The whole of a table with 6 features: all 15 pairs, 100 shuffles."""
    model, table = made(6, ROWS)
    data = table_data(model, table, None, ROWS, 0)
    world = data.world(Passes(data.quickly(model)), Chunks(data.chunk), permutations(ROWS, 100, 0))
    base = float(world.losses(np.ones((1, 6)))[0])
    began = time.perf_counter()
    found = search(world, base, np.array([0.1 * base]))
    steps, signs = halo_models()
    for i in range(6):
        for j in range(i + 1, 6):
            masks = np.ones((len(steps), 6))
            for place, feature in enumerate((i, j)):
                spent = found.masks[0][steps[:, place], feature, (signs[:, place] < 0).astype(int)]
                masks[:, feature] = spent
            pair_effects(world, masks, (i, j))
    print(f"  search and all 15 halos (36 models each), 100 shuffles: {_since(began)} s")
    for name, sample in (("compas-logistic", "compas"), ("compas-mlp", "compas")):
        began = time.perf_counter()
        told = engine.measure_interactions(name, f"sample:{sample}").outcome
        print(
            f"  {name}, 6 features, all clouds (265 models each), 5 nested rates, "
            f"{told['samples']} rows that repeat: {_since(began)} s, {told['exact_pairs']} exact"
        )
    began = time.perf_counter()
    told = engine.measure_interactions(model, table).outcome
    seconds = time.perf_counter() - began
    print(
        f"  6 numbers, {ROWS} rows that differ, all clouds, 5 nested rates: {seconds:.1f} s, "
        f"{told['passes']['forward'] / seconds / 1e6:.0f} million rows/s"
    )


def _growth() -> None:
    print("  one cloud (265 models, 30 shuffles) and 5 nested searches, seconds:")
    for features in (4, 8, 16, 32):
        print(f"    {features} features, 500 rows: {_one_pair(features, 500)}")
    for rows in (250, 500, 1000, 2000, 4000):
        print(f"    6 features, {rows} rows: {_one_pair(6, rows)}")
    model, table = made(6, ROWS)
    data = table_data(model, table, None, ROWS, 0)
    world = data.world(Passes(data.quickly(model)), Chunks(data.chunk), permutations(ROWS, 100, 0))
    for models in (10, 30, 100, 300):
        masks = np.random.default_rng(1).uniform(0.5, 1.5, (models, 6))
        began = time.perf_counter()
        pair_effects(world, masks, (0, 1))
        print(f"    {models} models, {ROWS} rows, 100 shuffles: {_since(began)}")


def _one_pair(features: int, rows: int) -> str:
    model, table = made(features, rows)
    began = time.perf_counter()
    engine.measure_interactions(model, table, pairs=["x0:x1"], repeats=30, rows=rows)
    return _since(began)


def _since(began: float) -> str:
    return f"{time.perf_counter() - began:.2f}"


if __name__ == "__main__":
    main()
