"""Shapley values of heads, from random orders (castro2009polynomial)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.heads.ablation import Place
from engine.heads.families.shapley import ORDERS, Shapley
from engine.heads.metric import HeadMetric, mean_and_error
from engine.heads.running import Rows
from engine.parameters import Parameter, Value


class ShapleyOfHeads(HeadMetric):
    """What a head adds, mean over the orders in which heads can be switched off.

    Summed over all heads it is what the model loses when all are off.
    """

    name = "shapley"
    title = "Shapley value"
    summary = "Switches heads off one after the other, in random orders: a fair share for each."
    unit = "share of the class's log-probability, or probability"
    paper = "castro2009polynomial"
    caveat = (
        "Asks much of the model: with most heads off it sees what it was never trained for. "
        "Drawn at random; the error says how sure it is."
    )
    parameters = (
        Parameter(
            "permutations", "Orders", "int", 8, "Random orders for each picture.", low=2, high=1000
        ),
        Parameter(
            "of",
            "Shares of",
            "choice",
            "cross-entropy",
            "What is shared out: the fall of the loss (nats), or the rise of the probability.",
            choices=("cross-entropy", "probability"),
        ),
    )
    family = Shapley()

    def combined(
        self, rows: Rows, places: Sequence[Place], parameters: Mapping[str, Value]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return mean and error; the error of a single picture is that over its orders."""
        orders = rows[ORDERS]  # (pictures, orders, heads)
        return mean_and_error(orders[0] if len(orders) == 1 else orders.mean(axis=1))

    def unit_for(self, parameters: Mapping[str, Value]) -> str:
        """Nats or probability, as asked."""
        if parameters["of"] == "probability":
            return "share of the class's probability (0 to 1)"
        return "share of the fall of the cross-entropy (nats)"
