"""All metrics of heads, found by looking at the modules of their package."""

from __future__ import annotations

from functools import cache

from engine.attribution.registry import found_in
from engine.errors import MethodError, nearest
from engine.heads import metrics
from engine.heads.metric import HeadMetric


@cache
def head_metrics() -> dict[str, HeadMetric]:
    """Return all metrics by name, in alphabetical order of their titles."""
    return found_in(metrics, HeadMetric)


def find_metric(name: str) -> HeadMetric:
    """Return a metric by name.

    Raises:
        MethodError: there is none of that name; the nearest are told.
    """
    known = head_metrics()
    if name not in known:
        raise MethodError(f"no metric {name!r}; {nearest(str(name), known)}")
    return known[name]


def relatives(metric: HeadMetric) -> list[HeadMetric]:
    """Return the metrics that are computed together with one, itself among them."""
    return [one for one in head_metrics().values() if one.family is metric.family]
