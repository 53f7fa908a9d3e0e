"""Other measures of the same pairs: Friedman's H², and SHAP interaction values.

Both are of the model's output on a few rows, and know nothing of loss or Rashomon set.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import torch

from engine.errors import MethodError
from engine.execution.chunks import Chunks, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.inputs.tables import drawn_places, load_table
from engine.interaction_results import PairComparison
from engine.interactions.asking import Asked, Pair, check_count, pairs_asked
from engine.interactions.samples import blocks_of, inputs_of
from engine.interactions.table_data import TableData, table_data
from engine.manifest import SCHEMA, key_of, versions
from engine.models.classes import resolve_class
from engine.models.loading import load_model
from engine.models.outputs import Readout
from engine.parameters import check_seed

# All coalitions of the features are asked: 2^12 for each row and each row compared with.
MOST_FEATURES = 12
_LEAST_SPREAD = 1e-12


@dataclass
class _Asked:
    """Rows of a table, and the output of the model for rows made of their parts.

    Attributes:
        x: prepared, ``(n, inputs)``.
        blocks: which inputs each feature has.
    """

    passes: Passes
    chunks: Chunks
    readout: Readout
    x: np.ndarray
    blocks: list[np.ndarray]

    def mixed(self, held: tuple[int, ...], own: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Return outputs of rows ``other`` with some features of rows ``own``, float64 ``(n,)``."""
        inputs = inputs_of(self.blocks, held) if held else np.array([], np.int64)

        def some(start: int, stop: int) -> torch.Tensor:
            x = self.x[other[start:stop]].copy()
            x[:, inputs] = self.x[own[start:stop]][:, inputs]
            with torch.inference_mode():
                batch = torch.from_numpy(x).to(self.passes.model.device)
                return self.readout(self.passes.forward(batch)).double().cpu()

        return torch.cat(self.chunks.over(len(own), self.passes, some)).numpy()


def compare_pairs(
    model: Any,
    table: Any,
    *,
    pairs: Asked = None,
    label: str | None = None,
    target: int | str | None = None,
    rows: int = 40,
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> PairComparison:
    """Say what other measures find in pairs of columns.

    Args:
        model, table, pairs, label, seed, progress, cancel: as in ``measure_interactions``.
        target: class whose logit is explained; by default the only one, of two the second.
        rows: how many rows are explained, and compared with.

    Raises:
        MethodError: more than 12 features: their coalitions are too many.
        HaloscopeError: as in ``measure_interactions``.
    """
    planned = plan_comparison(
        model, table, pairs=pairs, label=label, target=target, rows=rows, seed=seed
    )
    return planned.run(progress, cancel)


@dataclass(frozen=True, eq=False)
class ComparisonPlan:
    """Other measures that could be computed.

    Attributes:
        data: the model and its rows.
        pairs: of features.
        target: index of the output that is explained.
        places: of the rows that are explained, and compared with.
        request: all that decides the numbers.
        key: its digest.
        cost: the passes.
    """

    data: TableData
    pairs: tuple[Pair, ...]
    target: int
    places: np.ndarray
    request: dict[str, Any]
    key: str
    cost: Cost

    def run(self, progress: Progress | None = None, cancel: Cancel | None = None) -> PairComparison:
        """Compute; arguments and errors as in ``compare_pairs``."""
        started = time.perf_counter()
        data = self.data
        asked = _Asked(
            Passes(data.quickly(data.model), self.cost, progress, cancel),
            Chunks(data.chunk),
            Readout(self.target, None, "logit", data.model.activation),
            data.rows.features[self.places],
            blocks_of(data.rows.spec.column_of),
        )
        with telling_out_of_memory():
            h = np.array([_friedman(asked, pair) for pair in self.pairs])
            shap = _shap(asked, self.pairs, len(data.columns))
        manifest = _manifest(data, self.request, asked)
        manifest["outcome"]["seconds"] = time.perf_counter() - started
        pairs = np.array(self.pairs, np.int32)
        return PairComparison(manifest=manifest, pairs=pairs, h=h, shap=shap)

    def source(self) -> dict[str, Any]:
        """Return names a person would know; they decide nothing."""
        return self.data.source()


def plan_comparison(
    model: Any,
    table: Any,
    *,
    pairs: Asked = None,
    label: str | None = None,
    target: int | str | None = None,
    rows: int = 40,
    seed: int = 0,
) -> ComparisonPlan:
    """Check a comparison and return what it would be known by and cost.

    Arguments and errors as in ``compare_pairs``.
    """
    check_seed(seed)
    check_count("rows", rows, 2, 1000)
    data = table_data(load_model(model), load_table(table), label, None, seed)
    features = len(data.columns)
    if features > MOST_FEATURES:
        raise MethodError(
            f"{features} features have too many coalitions for exact SHAP interaction values: up "
            f"to {MOST_FEATURES}"
        )
    chosen = pairs_asked(data, pairs) or tuple(combinations(range(features), 2))
    index = int(len(data.model.classes) == 2)
    if target is not None:
        index = resolve_class(target, data.model.classes)
    count = min(rows, data.count)
    request = _request(data, chosen, index, count, seed)
    return ComparisonPlan(
        data=data,
        pairs=chosen,
        target=index,
        places=drawn_places(data.count, count, seed),
        request=request,
        key=key_of(request),
        cost=Cost(count**2 * (2**features + 3 * len(chosen))),
    )


def _manifest(data: TableData, request: dict[str, Any], asked: _Asked) -> dict[str, Any]:
    return {
        "key": key_of(request),
        "request": request,
        "source": data.source(),
        "display": {
            "columns": list(data.columns),
            "titles": list(data.titles),
            "number": data.model.classes[asked.readout.target],
        },
        "outcome": {
            "passes": {"forward": asked.passes.used.forward, "backward": 0},
            "samples": len(asked.x),
        },
    }


def _request(
    data: TableData, pairs: tuple[Pair, ...], target: int, rows: int, seed: int
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "kind": PairComparison.kind,
        "model": data.model.describe(),
        "classes": data.model.classes_digest,
        **data.identity(),
        "pairs": [list(pair) for pair in pairs],
        "target": target,
        "explained": rows,
        "seed": seed,
        "device": data.model.device.type,
        "dtype": data.model.dtype,
        "chunk": data.chunk,
        "versions": {**versions(), **data.model.packages},
    }


def _friedman(asked: _Asked, pair: Pair) -> float:
    """Return H² of a pair: Σ (PD_ij − PD_i − PD_j)² / Σ PD_ij², each centred, over the rows."""
    count = len(asked.x)
    own, other = np.repeat(np.arange(count), count), np.tile(np.arange(count), count)
    depend = [
        asked.mixed(held, own, other).reshape(count, count).mean(axis=1)
        for held in (pair, pair[:1], pair[1:])
    ]
    both, first, second = (one - one.mean() for one in depend)
    spread = float((both**2).sum())
    if spread <= _LEAST_SPREAD:
        return 0.0
    return float(((both - first - second) ** 2).sum() / spread)


def _shap(asked: _Asked, pairs: tuple[Pair, ...], features: int) -> np.ndarray:
    """Return the mean size over rows of exact SHAP interaction values, ``(pairs,)``."""
    count = len(asked.x)
    own, other = np.repeat(np.arange(count), count), np.tile(np.arange(count), count)
    worth = np.empty((2**features, count))
    for coalition in range(2**features):
        held = tuple(f for f in range(features) if coalition >> f & 1)
        worth[coalition] = asked.mixed(held, own, other).reshape(count, count).mean(axis=1)
    return np.array([np.abs(_index(worth, i, j, features)).mean() for i, j in pairs])


def _index(worth: np.ndarray, i: int, j: int, features: int) -> np.ndarray:
    """Return Φ_ij of each row: half of the Shapley interaction index, as SHAP shares it out."""
    total = np.zeros(worth.shape[1])
    for coalition in range(len(worth)):
        if coalition >> i & 1 or coalition >> j & 1:
            continue
        size = coalition.bit_count()
        share = factorial(size) * factorial(features - size - 2) / (2 * factorial(features - 1))
        without, alone = worth[coalition], (worth[coalition | 1 << i], worth[coalition | 1 << j])
        total += share * (worth[coalition | 1 << i | 1 << j] - alone[0] - alone[1] + without)
    return total
