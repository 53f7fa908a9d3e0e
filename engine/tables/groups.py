"""Groups of columns that go together, and what each counts for as one (pekala2021triplot)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.execution.cost import Cost
from engine.inputs.tables import drawn_places
from engine.models.loaded import LoadedModel
from engine.models.rows import Rows
from engine.parameters import Parameter, Value
from engine.table_results import Groups as GroupsResult
from engine.tables.association import association, grouped, pairs
from engine.tables.group_shapley import EXACT_UP_TO, exact, passes_for, sampled
from engine.tables.measure import Found, Measure, Run
from engine.tables.partial_dependence import standard_error


class Groups(Measure):
    """Columns that go together are joined, and a group's columns are credited as one.

    The credit is the mean absolute Shapley value of the group over the rows explained, its error
    the standard error over these rows.
    """

    name = "groups"
    title = "Groups of columns"
    summary = "Joins columns that go together and says what each group counts for as one."
    result = GroupsResult
    parameters = (
        Parameter(
            "threshold",
            "Threshold",
            "float",
            0.7,
            "How strongly columns go together that are joined, 0 to 1.",
            low=0.05,
            high=1.0,
        ),
        Parameter("explained", "Rows explained", "int", 100, "At the most.", low=2, high=1000),
        Parameter("background", "Background", "int", 30, "Rows to compare with.", low=1, high=100),
        Parameter(
            "permutations",
            "Orders",
            "int",
            100,
            "Random orders for each row, where there are more than ten groups.",
            low=2,
            high=1000,
        ),
    )
    paper = "pekala2021triplot"
    caveat = (
        "Going together is Spearman's correlation between numbers, Cramér's V between categories, "
        "the correlation ratio between both; groups are joined by average linkage (our "
        "definition). Within a group nothing is told apart."
    )
    unit = "mean |Shapley value|, {number}"
    packages = ("scipy",)
    steps_told = "pairs of columns"

    def cost(
        self,
        model: LoadedModel | None,
        rows: Rows,
        parameters: Mapping[str, Value],
        column: int | None = None,
    ) -> Cost:
        """Every coalition on every row of the background; with many groups, every order.

        How many groups there are is found out on the way: what the costliest number of them would.
        """
        explained, others = _sizes(rows, parameters)
        orders = int(parameters["permutations"])
        counts = range(1, len(rows.spec.columns) + 1)
        return Cost(max(passes_for(count, explained, others, orders) for count in counts))

    def steps(self, rows: Rows, parameters: Mapping[str, Value]) -> int:
        """One for each pair of columns that is held together."""
        return pairs(len(rows.spec.columns))

    def measure(self, run: Run) -> Found:
        """Return values ``(groups,)`` in the unit of the score, the largest first."""
        strengths = association(run.rows, run.passes.step)
        group = grouped(strengths, float(run.parameters["threshold"]))
        values, by_sampling = _values(run, group)
        sizes = np.abs(values).mean(axis=0)
        order = np.argsort(-sizes, kind="stable")
        place = np.argsort(order)  # the new number of each group
        names = run.rows.spec.names
        members = [[names[i] for i in np.flatnonzero(group == old)] for old in order]
        return Found(
            {
                "correlation": strengths.astype(np.float32),
                "group": place[group].astype(np.int32),
                "values": sizes[order].astype(np.float32),
                "error": standard_error(np.abs(values))[order].astype(np.float32),
            },
            told={
                "explained": len(values),
                "background": _sizes(run.rows, run.parameters)[1],
                "sampled": by_sampling,
            },
            display={"groups": members},
        )


def _sizes(rows: Rows, parameters: Mapping[str, Value]) -> tuple[int, int]:
    """Return how many rows are explained, and how many they are compared with."""
    return (
        min(len(rows), int(parameters["explained"])),
        min(len(rows), int(parameters["background"])),
    )


def _values(run: Run, group: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return Shapley values ``(rows explained, groups)``, and whether they are estimates."""
    explained, others = _sizes(run.rows, run.parameters)
    features = run.features()
    rows = features[drawn_places(len(features), explained, run.seed)]
    background = features[drawn_places(len(features), others, run.seed + 1)]
    of_feature = group[run.rows.spec.column_of]
    if group.max() < EXACT_UP_TO:
        return exact(run, rows, background, of_feature), False
    orders = int(run.parameters["permutations"])
    return sampled(run, rows, background, of_feature, orders), True
