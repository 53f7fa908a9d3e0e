"""A small decision tree that imitates the model (craven1996extracting)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.models.rows import Rows
from engine.parameters import Parameter, Value
from engine.table_results import Surrogate as SurrogateResult
from engine.tables.measure import Found, Measure, Run
from engine.tables.showing import number_told
from engine.tables.trees import (
    Questions,
    conditions,
    fitted,
    most_telling,
    questions_of,
    told_threshold,
)


class Surrogate(Measure):
    """A regression tree on the model's own number, learned from two thirds of the rows.

    How well it imitates is told on the third that it has not seen: R², and, of one or two
    classes, how often it decides alike: on the same side of one half (of a lone logit: of 0).
    Among more classes one number alone decides nothing.
    """

    name = "surrogate"
    title = "Surrogate tree"
    summary = "Imitates the model by a few questions, and says how well that goes."
    result = SurrogateResult
    parameters = (
        Parameter("depth", "Depth", "int", 3, "Questions in a row at the most.", low=1, high=6),
        Parameter(
            "top",
            "Columns",
            "int",
            8,
            "Only so many columns may be asked about: those that a deeper tree relies on.",
            low=1,
            high=100,
        ),
    )
    paper = "craven1996extracting"
    caveat = (
        "A picture of the model, only as true as its fidelity. Other trees may imitate it as well "
        "with other columns. The paper asks the model about made-up rows too; here it is asked "
        "about the table's own (our definition)."
    )
    unit = "importance in the tree (all add up to 1)"
    most_rows = 5000
    least_rows = 12
    packages = ("scikit-learn",)

    def cost(
        self,
        model: LoadedModel | None,
        rows: Rows,
        parameters: Mapping[str, Value],
        column: int | None = None,
    ) -> Cost:
        """Each row once."""
        return Cost(len(rows))

    def measure(self, run: Run) -> Found:
        """Return the tree, node by node, and what it says in words."""
        features = run.features()
        scores = run.scores(len(features), lambda start, stop: features[start:stop])
        run.passes.check()
        order = np.random.default_rng([run.seed % 2**64, len(scores)]).permutation(len(scores))
        held_out, train = np.split(order, [len(order) // 3])
        asked = questions_of(run.rows)
        top, depth = int(run.parameters["top"]), int(run.parameters["depth"])
        columns = most_telling(asked, scores, train, top, run.seed)
        used = np.flatnonzero(np.isin(asked.column, columns))
        tree = fitted(asked.values[train][:, used], scores[train], depth, run.seed)
        arrays = _arrays(tree, asked, used, len(run.rows.spec.columns))
        imitated = tree.predict(asked.values[held_out][:, used])
        return Found(
            dict(arrays),
            told={
                "fidelity": _fidelity(run, scores[held_out], imitated),
                "rules": _rules(run, arrays),
                "columns": [run.rows.spec.names[i] for i in columns],
                "trained_on": len(train),
            },
        )


def _arrays(tree: Any, asked: Questions, used: np.ndarray, columns: int) -> dict[str, np.ndarray]:
    """Return the fields of the result from scikit-learn's tree over some of the questions."""
    found = tree.tree_
    leaf = found.children_left < 0
    question = used[np.where(leaf, 0, found.feature)]
    category = asked.category[question]
    threshold = [
        told_threshold(float(at), asked.values[:, one])
        for at, one in zip(found.threshold, question, strict=True)
    ]
    weight = np.zeros(len(asked.column))
    weight[used] = tree.feature_importances_
    children = np.stack([found.children_left, found.children_right], axis=1)
    return {
        "values": np.bincount(asked.column, weight, columns).astype(np.float32),
        "feature": np.where(leaf, -1, asked.column[question]).astype(np.int32),
        "threshold": np.where(leaf, 0.0, np.where(category < 0, threshold, category)),
        "children": np.where(leaf[:, None], -1, children).astype(np.int32),
        "prediction": found.value[:, 0, 0].astype(np.float32),
        "share": (found.n_node_samples / found.n_node_samples[0]).astype(np.float32),
    }


def _fidelity(run: Run, scores: np.ndarray, imitated: np.ndarray) -> dict[str, float | int]:
    """Hold the tree against the model on rows that it has not seen."""
    spread = float(((scores - scores.mean()) ** 2).sum())
    missed = float(((scores - imitated) ** 2).sum())
    told: dict[str, float | int] = {"rows": len(scores)}
    if spread > 0:
        told["r2"] = 1.0 - missed / spread
    edge = _edge(run)
    if edge is not None:
        told["agreement"] = float(((scores > edge) == (imitated > edge)).mean())
    return told


def _edge(run: Run) -> float | None:
    """Return where the decision turns: one half of a probability, 0 of a lone logit.

    None where one number does not decide: of a regression, among more than two classes.
    """
    if run.readout.activation == "identity" or len(run.model.classes) > 2:
        return None
    if run.readout.output == "probability":
        return 0.5
    return 0.0 if run.readout.activation == "sigmoid" else None


def _rules(run: Run, arrays: dict[str, np.ndarray]) -> list[str]:
    """Return a sentence for each leaf, that with the most rows first."""
    leaves = conditions(run.rows.spec, arrays)
    number = number_told(run.model, run.readout)
    told = []
    for node, way in sorted(leaves, key=lambda leaf: -arrays["share"][leaf[0]]):
        value, share = float(arrays["prediction"][node]), float(arrays["share"][node])
        said = f"{number} {value:.4g}"
        if run.readout.output == "probability":
            said = f"{100 * value:.0f} % {run.model.classes[run.readout.target]}"
        condition = f"if {way} then" if way else "always"
        told.append(f"{condition} {said} ({100 * share:.0f} % of the rows)")
    return told
