"""Size of what a head adds to the tokens (kobayashi2020attention)."""

from __future__ import annotations

from engine.heads.metrics.output_norm import OutputNorm as Metric
from engine.pruning.scoring.criterion import OfHeads


class OutputSize(OfHeads):
    """Mean over tokens of ‖W_O o‖, o being what the head puts out."""

    name = "output-norm"
    title = Metric.title
    summary = Metric.summary
    paper = Metric.paper
    caveat = Metric.caveat
    metric = Metric()
