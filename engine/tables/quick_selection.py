"""QuickSelection: which columns a sparse auto-encoder leans on (atashgahi2022quick)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.models.rows import Rows
from engine.parameters import Parameter, Value
from engine.table_results import ColumnScores
from engine.tables.measure import Found, Measure, Run
from engine.tables.partial_dependence import standard_error
from engine.tables.sparse_autoencoder import Recipe, strengths

_TRAININGS = 3


class QuickSelection(Measure):
    """The strength of each column's inputs in a network that learns to mend noisy rows.

    Trained three times from other seeds; the error is the standard error over these. Inputs are
    standardised by the rows themselves, empty ones stand at the mean.
    """

    name = "quick-selection"
    title = "QuickSelection"
    summary = "Trains a sparse network to mend noisy rows and sees which columns it leans on."
    result = ColumnScores
    parameters = (
        Parameter(
            "hidden",
            "Hidden neurons",
            "int",
            200,
            "Of the network (paper: 1000).",
            low=2,
            high=2000,
        ),
        Parameter("epochs", "Epochs", "int", 30, "Times through the rows.", low=1, high=500),
        Parameter(
            "epsilon",
            "Epsilon",
            "float",
            13.0,
            "Connections for each neuron; no layer gets more than a tenth of all.",
            low=1,
            high=100,
        ),
        Parameter(
            "zeta", "Zeta", "float", 0.2, "Share moved after every epoch.", low=0.0, high=0.9
        ),
        Parameter(
            "noise",
            "Noise",
            "float",
            0.2,
            "Added to the rows, in standard deviations of a column.",
            low=0.0,
            high=5.0,
        ),
    )
    paper = "atashgahi2022quick"
    caveat = (
        "Looks at the data alone, neither at the truth nor at the model: columns that hang "
        "together are strong, also where they have nothing to do with the outcome. A category has "
        "the strength of the strongest of its features, and no layer has more than a tenth of all "
        "possible connections (our definitions)."
    )
    unit = "strength (Σ |weight|)"
    needs_model = False
    takes_target = False
    most_rows = 5000
    least_rows = 10
    steps_told = "training steps"

    def cost(
        self,
        model: LoadedModel | None,
        rows: Rows,
        parameters: Mapping[str, Value],
        column: int | None = None,
    ) -> Cost:
        """No passes: the model is not asked."""
        return Cost()

    def steps(self, rows: Rows, parameters: Mapping[str, Value]) -> int:
        """One for each epoch of each training."""
        return _TRAININGS * int(parameters["epochs"])

    def measure(self, run: Run) -> Found:
        """Return values ``(columns,)``: sums of absolute weights."""
        given = run.parameters
        recipe = Recipe(
            int(given["hidden"]),
            float(given["epsilon"]),
            float(given["zeta"]),
            float(given["noise"]),
            int(given["epochs"]),
        )
        features, column_of = _standardised(run.rows)
        found = []
        for training in range(_TRAININGS):
            seed = int(np.random.default_rng([run.seed % 2**64, training]).integers(2**62))
            strength = strengths(features, recipe, seed, run.passes.step).numpy()
            per_column = np.zeros(len(run.rows.spec.columns))
            np.maximum.at(per_column, column_of, strength)
            found.append(per_column)
        values = np.stack(found)  # (trainings, columns)
        return Found(
            {
                "values": values.mean(axis=0).astype(np.float32),
                "error": standard_error(values).astype(np.float32),
            },
            told={"trainings": _TRAININGS},
        )


def _standardised(rows: Rows) -> tuple[torch.Tensor, np.ndarray]:
    """Return features of mean 0 and deviation 1, ``(n, features)``, and the column of each.

    A feature that never changes, or of which nothing is known, stays 0.
    """
    spec = replace(rows.spec, encoding="one-hot")
    raw = spec.encode(rows.frame).astype(np.float64)
    seen = ~np.isnan(raw)
    count = np.maximum(1, seen.sum(axis=0))
    centred = raw - np.where(seen, raw, 0.0).sum(axis=0) / count
    spread = np.sqrt(np.where(seen, centred**2, 0.0).sum(axis=0) / count)
    scaled = centred / np.where(spread > 0, spread, np.inf)
    return torch.from_numpy(np.nan_to_num(scaled).astype(np.float32)), spec.column_of
