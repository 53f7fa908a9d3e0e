"""Interactions as lines on the terminal, and as one JSON object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.execution.pace import seconds_told

if TYPE_CHECKING:
    from engine.interaction_results import Interactions
    from engine.interactions.planning import InteractionPlan

_SHOWN = 15
_THIRDS = (("top", "", "bottom"), ("left", "", "right"))
_WIDE = 18
_OVER_ALL = ("min", "median", "max")


def cost_told(plan: InteractionPlan) -> str:
    """Say what a plan costs, before it is run."""
    pairs = "the strongest pairs" if plan.pairs is None else _many(len(plan.pairs), "pair")
    if plan.data.regions is not None:
        from engine.interactions.pacing import seconds_each

        seconds = seconds_told(plan.usual * seconds_each(plan.data))
        return (
            f"{pairs}, {_many(len(plan.data.columns), 'region')}: about {plan.usual:,} forward "
            f"passes, {seconds} (up to {plan.cost.forward:,} where the loss rises and falls)"
        )
    return (
        f"{pairs}, {_many(plan.data.count, 'row')}, {plan.repeats} permutations: "
        f"about {plan.usual:,} forward passes, one row each (up to {plan.cost.forward:,} where the "
        "loss rises and falls)"
    )


def tell_plan(plan: InteractionPlan, *, as_json: bool) -> int:
    """Print what a plan costs, and what to know before it is run; return 0."""
    if as_json:
        told = {
            "key": plan.key,
            "request": plan.request,
            "passes": plan.usual,
            "passes_at_most": plan.cost.forward,
            "rows": plan.data.count,
            "features": len(plan.data.columns),
            "notes": list(plan.data.notes),
        }
        print(json.dumps(told, sort_keys=True))
        return 0
    print(cost_told(plan))
    for note in plan.data.notes:
        print(f"Note: {note}.")
    return 0


def as_object(found: Interactions, out: str | None) -> dict[str, Any]:
    """Return what ``--json`` prints; ``out`` is where the result was written."""
    return {**found.manifest, "out": out, "pairs": pair_rows(found), "columns": _columns(found)}


def pair_rows(found: Interactions) -> list[dict[str, Any]]:
    """Return what was found of each pair, the widest reaching first."""
    spread, agreement, inside = found.spread(), found.agreement(), found.members()
    others, member = found.other_scores, found.other_members()
    rows = []
    for pair in np.argsort(-np.abs(spread).max(axis=1), kind="stable"):
        i, j = found.pairs[pair]
        row = {
            "pair": [found.columns[i], found.columns[j]],
            "titles": [found.titles[i], found.titles[j]],
            "reference": float(found.scores[pair, 0]),
            "error": float(found.error[pair, 0, 3]),
            **dict(zip(("min", "median", "max"), map(float, spread[pair]), strict=True)),
            "agreement": float(agreement[pair]),
            "models": int(inside[pair, found.distinct(int(pair))].sum()),
            "out_of_bound": int((~inside[pair, found.distinct(int(pair))]).sum()),
        }
        if others is not None and member.any():
            told = others[pair, member]
            row["retrained"] = {"min": float(told.min()), "max": float(told.max())}
        rows.append(row)
    return rows


def _columns(found: Interactions) -> list[dict[str, Any]]:
    ranges, ratios = found.reliance_range(), found.reliance_range(ratio=True)
    return [
        {
            "name": name,
            "reliance": float(found.reliance[place]),
            **_lies(found, place),
            "range": _known(ranges[place]),
            "ratio_range": _known(ratios[place]),
        }
        for place, name in enumerate(found.columns)
    ]


def _lies(found: Interactions, place: int) -> dict[str, str]:
    """Return where the middle of a picture's region lies, as a person would say; or nothing."""
    if found.regions is None:
        return {}
    middle = np.argwhere(found.regions == place).mean(axis=0) / found.regions.shape
    thirds = zip(_THIRDS, middle, strict=True)
    words = [names[min(2, int(3 * share))] for names, share in thirds]
    return {"lies": " ".join(filter(None, words)) or "middle"}


def _samples(found: Interactions) -> str:
    what = "row" if found.regions is None else "picture"
    return _many(found.outcome["samples"], what)


def _known(values: np.ndarray) -> list[float] | None:
    return values.tolist() if np.isfinite(values).all() else None  # JSON knows no infinity


def tell(found: Interactions, out: str | None) -> None:
    """Print the pairs, what all good models agree on, and how the search went."""
    display, source, outcome = (found.manifest[k] for k in ("display", "source", "outcome"))
    rates = display["rates"]
    share = f" ({rates[-1]:.0%} of it)" if rates else ""
    print(f"Interactions of {source['model_title']} on {source['table']}, {display['unit']}")
    print(
        f"({_samples(found)}; {display['loss']} {found.base_loss:.4g}; good models: "
        f"up to {found.epsilon:.3g} above{share})"
    )
    rows = pair_rows(found)
    width = max(len(" × ".join(row["titles"])) for row in rows[:_SHOWN])
    header = (
        "reference".rjust(_WIDE) + "  " + "min".ljust(11) + "median".ljust(11) + "max".ljust(11)
    )
    print(f"{'':{width + 8}}{header}one sign")
    for place, row in enumerate(rows[:_SHOWN], start=1):
        print(f"{place:4}. {' × '.join(row['titles']):{width}}  {_numbers(found, row)}")
    if len(rows) > _SHOWN:
        print(f"  … and {len(rows) - _SHOWN} more; --json has all")
    print(_sentence(rows))
    if found.regions is not None:
        lie = (f"{at} {_lies(found, at)['lies']}" for at in range(len(found.columns)))
        print(f"Regions: {', '.join(lie)}.")
    _tell_search(found)
    _tell_others(found)
    for note in display["notes"]:
        print(f"Note: {note}.")
    if outcome["resumed_pairs"]:
        print(f"Taken from earlier work: {_many(outcome['resumed_pairs'], 'pair')}.")
    if out:
        print(f"Written: {out}")


def _numbers(found: Interactions, row: dict[str, Any]) -> str:
    """Say the numbers of a pair; what is no more than rounding is 0."""
    error = f" ± {row['error']:.2g}" if row["error"] else ""
    own, *rest = found.swept(np.array([row[name] for name in ("reference", *_OVER_ALL)]))
    reference = f"{own:.3g}{error}".rjust(_WIDE)
    over_all = "".join(f"{value:<11.3g}" for value in rest)
    return f"{reference}  {over_all}{int(100 * row['agreement'])}%"  # 100 % only if it is all


def _sentence(rows: list[dict[str, Any]]) -> str:
    """Say what all good models agree on."""
    sure = [row for row in rows if row["agreement"] == 1]
    if not any(row["agreement"] for row in rows):
        return "In no good model can an interaction be told from zero."
    if not sure and len(rows) == 1:
        return "Good models do not agree even in the sign of the interaction."
    if not sure:
        return "On no pair do all good models agree even in the sign of the interaction."
    told = ", ".join(" × ".join(row["titles"]) for row in sure[:3])
    more = f" and {len(sure) - 3} more" if len(sure) > 3 else ""
    others = "" if len(sure) == len(rows) else "; on the others they do not"
    return f"All good models agree in the sign of {told}{more}{others}."


def _tell_search(found: Interactions) -> None:
    from components import interaction_notes

    for sentence in interaction_notes.searched(found):
        print(sentence)


def _tell_others(found: Interactions) -> None:
    if found.other_loss is not None:
        inside = int(found.other_members().sum())
        print(f"Trained again: {_many(len(found.other_loss), 'model')}, {inside} of them as good.")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''}"
