"""Shapley values of heads (shapley1953value), from random orders (castro2009polynomial)."""

from __future__ import annotations

from engine.attribution.parameters import Parameter
from engine.heads.families.shapley import Shapley
from engine.heads.metric import HeadMetric


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
