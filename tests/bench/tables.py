"""Rows of tables against the package shap and Captum, in one run, as ratios of medians.

The same row, background rows, coalitions and samples on both sides. Beside it what a table of
100,000 rows costs.
"""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch

import engine
from engine.tables.measuring import measure
from tests.bench.timing import REPEATS, paired

BACKGROUND = 100
MANY = 100_000


def main() -> None:
    """Print the figures."""
    print(f"rows of tables, CPU, {torch.get_num_threads()} threads, median of {REPEATS}")
    for name, sample in (("cancer-mlp", "cancer"), ("adult-mlp", "adult")):
        _against_shap(name, sample)
    _against_captum()
    _many_rows()


def _against_shap(name: str, sample: str) -> None:
    import shap

    model, table = engine.load_model(name, device="cpu"), engine.load_table(f"sample:{sample}")
    spec = model.table_spec
    background = table.sampled(BACKGROUND)
    places = _blocks(spec.widths)

    def predicted(columns: np.ndarray) -> np.ndarray:
        """What the package shap asks: rows given by the number of each column's value."""
        features = np.concatenate(
            [known[columns[:, i].astype(int)] for i, known in enumerate(values)], axis=1
        )
        with torch.no_grad():
            return model.forward(torch.from_numpy(features)).sigmoid().numpy()[:, 0]

    rows = torch.cat([model.prepare(table.row(1)), model.prepare_table(background)]).numpy()
    values = [rows[:, block] for block in places]
    numbers = np.repeat(np.arange(len(rows))[:, None], len(places), axis=1)

    def theirs() -> object:
        explainer = shap.KernelExplainer(predicted, numbers[1:])
        return explainer.shap_values(numbers[:1], nsamples=2048, silent=True)

    def ours() -> object:
        return engine.explain(
            model, table.row(1), "kernel-shap", background=background, output="probability"
        )

    _tell(f"kernel-shap on {name}, {len(places)} columns", "shap", *paired(ours, theirs))


def _blocks(widths: tuple[int, ...]) -> list[slice]:
    ends = np.cumsum(widths)
    return [slice(int(end - width), int(end)) for end, width in zip(ends, widths, strict=True)]


def _against_captum() -> None:
    from captum.attr import IntegratedGradients, ShapleyValueSampling

    model, table = engine.load_model("cancer-mlp", device="cpu"), engine.load_table("sample:cancer")
    row = table.row(1)
    x, others = model.prepare(row), model.prepare_table(table.sampled(BACKGROUND))
    network = model.module.eval()

    def theirs_ig() -> object:
        many = x.expand(BACKGROUND, -1)
        return IntegratedGradients(network).attribute(
            many, others, n_steps=50, target=0, internal_batch_size=4096
        )

    def ours_ig() -> object:
        return engine.explain(model, row, "integrated-gradients")

    def theirs_shapley() -> object:
        with torch.no_grad():
            return ShapleyValueSampling(network).attribute(
                x, others.mean(0, keepdim=True), target=0, n_samples=200
            )

    def ours_shapley() -> object:
        return engine.explain(model, row, "shapley-sampling", permutations=200)

    _tell("integrated-gradients, 100 baselines", "Captum", *paired(ours_ig, theirs_ig))
    _tell("shapley-sampling, 200 orders", "Captum", *paired(ours_shapley, theirs_shapley))


def _many_rows() -> None:
    table = engine.load_table("sample:adult")
    frame = table.frame.iloc[np.arange(MANY) % len(table)]
    content = frame.to_csv(index=False).encode()
    model = engine.load_model("adult-mlp", device="cpu")
    began = time.perf_counter()
    many = engine.load_table(content)
    print(f"  {MANY:,} rows, {len(content) / 1e6:.1f} MB of CSV: {_since(began)} s to read")
    began = time.perf_counter()
    model.prepare_table(many)
    print(f"  … {_since(began)} s to match with the model's columns and encode")
    parquet = io.BytesIO()
    frame.to_parquet(parquet, index=False)
    began = time.perf_counter()
    engine.load_table(parquet.getvalue())
    print(f"  … {_since(began)} s to read from Parquet")
    for name in ("swarm", "permutation", "accumulated-effects", "outrank"):
        column = "age" if name == "accumulated-effects" else None
        began = time.perf_counter()
        found = measure(model, many, name, column=column)
        print(f"  … {name}: {_since(began)} s ({found.outcome['rows']:,} rows drawn)")


def _since(began: float) -> str:
    return f"{time.perf_counter() - began:.2f}"


def _tell(what: str, peer: str, ours: float, theirs: float) -> None:
    print(f"  {what}: {ours:.3f} s, {peer} {theirs:.3f} s, ratio {theirs / ours:.2f}")


if __name__ == "__main__":
    main()
