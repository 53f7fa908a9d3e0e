"""How sure a head is of one token (voita2019analyzing)."""

from __future__ import annotations

from engine.heads.metrics.confidence import Confidence as Metric
from engine.pruning.scoring.criterion import OfHeads


class Confidence(OfHeads):
    """Mean over tokens of the largest attention weight."""

    name = "confidence"
    title = Metric.title
    summary = Metric.summary
    paper = Metric.paper
    caveat = Metric.caveat
    metric = Metric()
