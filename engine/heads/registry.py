"""All metrics of heads, found by looking at the modules of their package."""

from __future__ import annotations

from functools import cache

from engine.heads import metrics
from engine.heads.metric import HeadMetric
from engine.registry import found_in, one_of


@cache
def head_metrics() -> dict[str, HeadMetric]:
    """Return all metrics by name, in alphabetical order of their titles."""
    return found_in(metrics, HeadMetric)


def find_metric(name: str) -> HeadMetric:
    """Return a metric by name.

    Raises:
        MethodError: there is none of that name; the nearest are told.
    """
    return one_of(head_metrics(), name, "metric")


def relatives(metric: HeadMetric) -> list[HeadMetric]:
    """Return the metrics that are computed together with one, itself among them."""
    return [one for one in head_metrics().values() if one.family is metric.family]
