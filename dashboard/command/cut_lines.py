"""A network made smaller, as lines on the terminal and as one JSON object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dashboard.command.prune_lines import cost_told, many, share, tell_left_out

if TYPE_CHECKING:
    from pathlib import Path

    from engine.pruning.cut_study import Cut, CutPlan
    from engine.pruning.measuring.costs import Costs


def tell_plan(plan: CutPlan, *, as_json: bool) -> int:
    """Print what a smaller network costs to make and to judge; return 0."""
    if as_json:
        passes = {"forward": plan.cost.forward, "backward": plan.cost.backward}
        notes = [plan.parts.note] if plan.parts.note else []
        print(json.dumps({"request": plan.told(), "passes": passes, "notes": notes}))
        return 0
    print(cost_told(plan))
    if plan.parts.note:
        print(f"Note: {plan.parts.note}.")
    return 0


def as_object(plan: CutPlan, found: Cut, file: Path, problem: str) -> dict[str, Any]:
    """Return what ``--json`` prints.

    Args:
        plan: what was asked.
        found: what came of it.
        file: where the network was written.
        problem: why the file is not read without help, or "".
    """
    return {
        "model": plan.model.ref,
        "request": plan.told(),
        "out": str(file),
        "loads": f"file:{file}",
        "problem": problem or None,
        "labelled": found.labelled,
        "accuracy": share(found.accuracy()),
        "dense_accuracy": share(found.dense_accuracy()),
        "change": share(found.change()),
        "agreement": share(found.agreement()),
        "costs": {"dense": _costs(found.dense_costs), "sliced": _costs(found.costs)},
        "file_bytes": file.stat().st_size,
        "kept": {
            name: {"of": len(stays), "left": int(stays.sum())} for name, stays in found.kept.items()
        },
        "latency": _latency(found),
        "fine_tuned": _tuned(found),
        "notes": list(found.notes),
        "skipped": [list(one) for one in found.skipped],
        "passes": {"forward": found.used.forward, "backward": found.used.backward},
        "seconds": found.seconds,
    }


def _costs(costs: Costs) -> dict[str, Any]:
    return {"parameters": costs.parameters, "macs": costs.macs, "bytes": costs.size}


def _latency(found: Cut) -> dict[str, Any]:
    timed = found.latency
    rows = zip(timed.names, timed.median.tolist(), timed.quartiles.tolist(), strict=True)
    return {
        "seconds": {name: {"median": mid, "quartiles": ends} for name, mid, ends in rows},
        "rounds": timed.seconds.shape[1],
        "batch": timed.batch,
        "threads": timed.threads,
        "device": timed.device,
    }


def _tuned(found: Cut) -> dict[str, Any] | None:
    if found.tuned is None:
        return None
    return {
        "losses": found.tuned.losses.tolist(),
        "pictures": found.tuned.pictures,
        "taught_by": found.tuned.taught_by,
    }


def tell(plan: CutPlan, found: Cut, file: Path, problem: str) -> None:
    """Print what the smaller network keeps, costs and takes, and how it is loaded."""
    from components import prune_names
    from components.prune_words import amount, costs_words, latency_sentence

    print(found.small.card.title)
    what = "Accuracy" if found.labelled else "Agreement with the untouched network"
    after, before = (prune_names.told(one) for one in (found.accuracy(), found.dense_accuracy()))
    told = f"{after} instead of {before}, {prune_names.points(found.change())}"
    if not found.labelled:
        told = f"{after}, without labels to hold them against"
    print(f"{what} on {many(len(found.predicted), 'picture')}: {told}.")
    if found.tuned is not None:
        by = found.tuned.taught_by
        taught = "their labels" if by == "labels" else f"what {by} says of them"
        losses = " → ".join(f"{loss:.3g}" for loss in found.tuned.losses)
        print(f"Trained on {many(found.tuned.pictures, 'picture')}, by {taught}: loss {losses}.")
    pairs = ((one.parameters, one.macs, one.size) for one in (found.dense_costs, found.costs))
    for (one, other), name in zip(zip(*pairs, strict=True), _COSTS, strict=True):
        print(f"{costs_words(one, other, name)}{' of weights' if name == 'B' else ''}")
    print(latency_sentence(*_timings(found)))
    print(
        f"  (medians of {found.latency.seconds.shape[1]} passes of one picture, "
        f"{many(found.latency.threads, 'thread')}, {found.latency.device})"
    )
    for note in found.notes:
        print(f"Note: {note}.")
    tell_left_out([list(one) for one in found.skipped])
    print(f"Written: {file} ({amount(file.stat().st_size, 'B')})")
    print(f"Load it with --model file:{file}" + (f" and arch=…: {problem}" if problem else ""))


_COSTS = ("parameters", "MACs", "B")


def _timings(found: Cut) -> list[Any]:
    from components.prune_costs import Timing

    timed = found.latency
    return [
        Timing(1e3 * low, 1e3 * mid, 1e3 * high)
        for mid, (low, high) in zip(timed.median, timed.quartiles, strict=True)
    ]
