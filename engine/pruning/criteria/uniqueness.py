"""How little a head's output is like those of the other heads (kornblith2019similarity)."""

from __future__ import annotations

from engine.heads.metrics.uniqueness import Uniqueness as Metric
from engine.pruning.scoring.criterion import OfHeads


class Uniqueness(OfHeads):
    """1 − the largest CKA with another head of the layer."""

    name = "uniqueness"
    title = Metric.title
    summary = Metric.summary
    paper = Metric.paper
    caveat = Metric.caveat
    metric = Metric()
