"""How far cheap metrics put heads in the order of exact ablation, as measured on bundled models."""

from __future__ import annotations

from engine.heads.agreement import Agreement, measured_agreement


def _found(ref: str, metric: str) -> Agreement | None:
    measured = measured_agreement().get(ref)
    if measured is None:
        return None
    return next((one for one in measured.metrics if one.metric == metric), None)


def titled(title: str, ref: str, metric: str) -> str:
    """Return a metric's title with its measured agreement, where there is one."""
    found = _found(ref, metric)
    return title if found is None else f"{title} · {found.rank:.2f}"


def told(ref: str, metric: str) -> str:
    """Say the measured agreement of a metric, or nothing where none was measured."""
    found = _found(ref, metric)
    if found is None:
        return ""
    measured = measured_agreement()[ref]
    return (
        f"Its order agrees with that of exact ablation by {found.rank:.2f} (rank correlation, on "
        f"{measured.ranked} pictures). With the {measured.off} of {measured.heads} heads off that "
        f"it puts last, {100 * found.accuracy:.0f} % of {measured.tested} others are named right, "
        f"with all on {100 * measured.accuracy:.0f} %."
    )
