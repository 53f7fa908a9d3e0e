"""Pruning as lines on the terminal, and as one JSON object."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.command.listing import parameter_rows

if TYPE_CHECKING:
    from engine.models.loaded import LoadedModel
    from engine.prune_results import PruneSweep
    from engine.pruning.geometry.study import GeometryPlan
    from engine.pruning.sweeping.planning import PrunePlan
    from engine.scores import Share

_LISTED = 5


def tell_plan(plan: PrunePlan | GeometryPlan, *, as_json: bool) -> int:
    """Print what a plan costs, and what to know before it is run; return 0."""
    if as_json:
        told = {
            "key": plan.key,
            "request": plan.request,
            "passes": {"forward": plan.cost.forward, "backward": plan.cost.backward},
            "pictures": len(plan.parts.judged),
            "calibration": len(plan.parts.calibration),
            "units": plan.groups.units,
            "notes": [plan.parts.note] if plan.parts.note else [],
        }
        print(json.dumps(told, sort_keys=True))
        return 0
    print(cost_told(plan))
    if plan.parts.note:
        print(f"Note: {plan.parts.note}.")
    return 0


def cost_told(plan: Any) -> str:
    """Say what a plan costs, before it is run."""
    return (
        f"{many(len(plan.parts.judged), 'picture')} to judge on, {len(plan.parts.calibration)} to "
        f"calibrate with: up to {plan.cost.describe()}"
    )


def as_object(found: PruneSweep, out: str | None) -> dict[str, Any]:
    """Return what ``--json`` prints; ``out`` is where the result was written."""
    dense = {
        "accuracy": share(found.dense_accuracy()),
        "confidence": share(found.dense_certainty()),
        "calibration_error": known(found.dense_calibration().error),
        "parameters": found.display["parameters"],
        "macs": found.display["macs"],
        "corrupted": _corrupted(found.dense_corrupted),
    }
    rows = [
        _row(found, way, ratio)
        for way in range(len(found.ways))
        for ratio in range(len(found.ratios))
    ]
    judged = {"labelled": found.labelled, "dense": dense, "found": rows}
    return {**found.manifest, "out": out, **judged}


def _row(found: PruneSweep, way: int, ratio: int) -> dict[str, Any]:
    against = found.against_control(way, ratio)
    corrupted = None if found.corrupted is None else found.corrupted[way, ratio]
    return {
        **vars(found.ways[way]),
        "ratio": float(found.ratios[ratio]),
        "accuracy": share(found.accuracy(way, ratio)),
        "change": share(found.change(way, ratio)),
        "agreement": share(found.agreement(way, ratio)),
        "confidence": share(found.certainty(way, ratio)),
        "calibration_error": known(found.calibration(way, ratio).error),
        "against_control": None if against is None else share(against),
        "parameters": int(found.parameters[way, ratio]),
        "macs": int(found.macs[way, ratio]),
        "kept": {name: int(stays.sum()) for name, stays in found.kept_in(way, ratio).items()},
        "corrupted": _corrupted(corrupted),
    }


def _corrupted(shares: np.ndarray | None) -> list[list[float | None]] | None:
    """Return shares by corruption, then severity."""
    return None if shares is None else [[known(float(one)) for one in row] for row in shares]


def share(found: Share) -> dict[str, Any]:
    """Return a share with its interval as plain values."""
    return {
        "value": known(found.value),
        "interval": [known(found.low), known(found.high)],
        "count": found.count,
    }


def known(value: float) -> float | None:
    """Return a number as JSON knows it: no NaN, no infinity."""
    return float(value) if np.isfinite(value) else None


def tell(found: PruneSweep, out: str | None) -> None:
    """Print how accuracy falls, way by way, and how far each can go."""
    from components import prune_names, prune_words, saying

    source, outcome = found.manifest["source"], found.manifest["outcome"]
    count = len(found.dense_predicted)
    print(f"Pruning {source['model_title']}, judged on {many(count, 'picture')} of "
          f"{source['images']}, calibrated on {outcome['calibrated_on']}")  # fmt: skip
    what = saying.begun(prune_names.value_title(found, "accuracy"))
    dense = prune_names.told(found.dense_accuracy())
    costs = (prune_words.amount(found.display[name], text) for name, text in _COSTS.items())
    right = f"{saying.inside(what)} {dense}, " if found.labelled else ""
    print(f"The untouched network: {right}{', '.join(costs)}")
    _tell_table(found, what)
    for way, one in enumerate(found.ways):
        if one.criterion != "random":
            ratio = telling(found, way)
            told = prune_words.sweep_sentence(found, way, ratio)
            print(f"At {saying.share(float(found.ratios[ratio]))}: {told}")
            if found.corrupted is not None:
                print(f"  {prune_words.corruptions_sentence(found, way, ratio)}")
    for note in found.display["notes"]:
        print(f"Note: {note}.")
    tell_left_out(outcome["skipped"])
    if outcome["resumed"]:
        print(f"Taken from earlier work: {many(outcome['resumed'], 'network')}.")
    if out:
        print(f"Written: {out}")


_COSTS = {"parameters": "parameters", "macs": "MACs"}


_FIRST = " (drawing 1)"


def _tell_table(found: PruneSweep, what: str) -> None:
    """Print a line for each way; of the control the mean over its drawings."""
    from components import prune_names

    shown = [way for way, one in enumerate(found.ways) if one.draw == 0]
    names = {w: prune_names.way_name(found, w, shown).replace(_FIRST, "") for w in shown}
    width = max(len(f"{what} (%), % removed"), *(len(name) + 2 for name in names.values()))
    ratios = "".join(f"{100 * ratio:7.0f}" for ratio in found.ratios)
    print(f"\n{f'{what} (%), % removed':{width}}{ratios}")
    for way in shown:
        places = found.controls(way) if found.ways[way].criterion == "random" else [way]
        means = (
            np.mean([found.accuracy(place, ratio).value for place in places])
            for ratio in range(len(found.ratios))
        )
        cells = "".join(f"{100 * mean:7.1f}" for mean in means)
        print(f"  {names[way]:{width - 2}}{cells}")
    first = found.parameters[0] / max(1, found.display["parameters"])
    print(f"  {'% of parameters':{width - 2}}{''.join(f'{100 * one:7.1f}' for one in first)}\n")


def telling(found: PruneSweep, way: int) -> int:
    """Return the place of the ratio to tell of: the largest without a loss beyond doubt.

    Where every ratio above 0 loses, or only one was asked, the smallest of them.
    """
    places = range(1, len(found.ratios))
    fine = [place for place in places if found.change(way, place).high >= 0]
    return max(fine, default=min(1, len(found.ratios) - 1))


def tell_left_out(skipped: list[list[str]]) -> None:
    """Print which pictures could not be read."""
    if skipped:
        print(f"Left out: {many(len(skipped), 'picture')}")
    for name, reason in skipped[:_LISTED]:
        print(f"  {name}: {reason}")


def list_layers(model: LoadedModel, *, as_json: bool) -> int:
    """Print what can be removed from a model, and of which layers nothing can; return 0."""
    from components.prune_names import unit
    from engine.pruning.sweeping.asking import prunable

    groups = prunable(model)
    rows: list[dict[str, Any]] = [
        {"name": one.name, "title": one.title, "kind": one.kind, "size": one.size,
         "multiple": one.multiple, "layers": list(one.layers)}
        for one in groups.groups
    ]  # fmt: skip
    if as_json:
        print(json.dumps({"layers": rows, "refused": dict(groups.refused)}))
        return 0
    print(f"{many(groups.units, 'unit')} of {model.card.title} can be removed:")
    for row in rows:
        lots = f", {row['multiple']} at a time" if row["multiple"] != 1 else ""
        print(f"  {row['name']:30} {many(row['size'], unit(row['kind']))}{lots}")
    if groups.refused:
        print("Nothing can be removed from:")
    for name, why in groups.refused.items():
        print(f"  {name}: {why}")
    return 0


def list_known(*, as_json: bool) -> int:
    """Print criteria, other ways, repairs, scopes and corruptions; return 0."""
    from components.prune_names import REPAIRS, SCOPES
    from engine.bibliography import paper
    from engine.pruning.corruptions.corrupting import corruptions
    from engine.pruning.methods.catalogue import pruning_methods
    from engine.pruning.scoring.registry import criteria

    rows: list[dict[str, Any]] = [
        {"name": one.name, "title": one.title, "summary": one.summary, "needs": one.needs,
         "kinds": list(one.kinds), "paper": paper(one.paper).cite(), "caveat": one.caveat}
        for one in criteria().values()
    ]  # fmt: skip
    others: list[dict[str, Any]] = [
        {"name": one.name, "title": one.title, "summary": one.summary, "trains": one.trains,
         "paper": paper(one.paper).cite(), "caveat": one.caveat,
         "parameters": parameter_rows(one.parameters)}
        for one in pruning_methods().values()
    ]  # fmt: skip
    harms = [vars(one) for one in corruptions().values()]
    if as_json:
        names = {"repairs": REPAIRS, "scopes": SCOPES, "corruptions": harms}
        told = {"criteria": rows, "methods": others, **names}
        print(json.dumps(told))
        return 0
    for row in rows:
        print(f"{row['name']}  ({row['title']}; {_NEEDS[row['needs']]}; {', '.join(row['kinds'])})")
        _indented(row["summary"])
        _indented(f"{row['paper']}.")
    print("\nother ways, run on the page Prune and in Python, not by this command:")
    for row in others:
        print(
            f"{row['name']}  ({row['title']}; {'trained' if row['trains'] else 'trains nothing'})"
        )
        _indented(row["summary"])
        _indented(f"{row['paper']}.")
    _tell_names("repairs", REPAIRS)
    _tell_names("scopes", SCOPES)
    standard = [one["name"] for one in harms if one["standard"]]
    extra = [one["name"] for one in harms if not one["standard"]]
    print(f"\ncorruptions, `all` of them:\n{_filled(', '.join(standard))}")
    print(f"and by name:\n{_filled(', '.join(extra))}")
    return 0


_NEEDS = {
    "weights": "weights alone",
    "activations": "a forward pass of each calibration picture",
    "gradients": "a forward and backward pass of each calibration picture",
    "passes": "passes of each calibration picture for every unit",
}


def _tell_names(title: str, names: dict[str, str]) -> None:
    print(f"\n{title}:")
    for name, told in names.items():
        print(f"    {name:14}{told}")


def _indented(text: str) -> None:
    print(_filled(text))


def _filled(text: str) -> str:
    return textwrap.fill(text, 96, initial_indent="    ", subsequent_indent="      ")


def many(count: int, what: str) -> str:
    """Say a number of things."""
    return f"{count:,} {what}{'s' if count != 1 else ''}"
