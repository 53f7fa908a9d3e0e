"""``haloscope study``: what hiding parts does to a model's answers over a set of pictures."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from dashboard.command import study_lines
from dashboard.command.mask import grid_of
from dashboard.command.pairs import pairs
from dashboard.command.places import check_places
from dashboard.command.progress import Progress
from dashboard.running import keeping
from engine.errors import HaloscopeError, ParameterError, nearest

if TYPE_CHECKING:
    from engine.results import Result

PROBES = ("curves", "shape-leak", "linearity", "lime")
# What each probe takes beside model, images, fills, count and seed.
_TAKES = {
    "curves": ("order", "cells", "grid", "shares", "saliency", "param"),
    "shape-leak": (),
    "linearity": ("grid",),
    "lime": ("samples", "segments"),
}


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("study", help="say what hiding parts does over a set of pictures")
    add = parser.add_argument
    add("--model", required=True, metavar="REF", help="a model for pictures")
    add(
        "--images", required=True, metavar="SET",
        help="a folder of class folders, a CSV with path, label, mask, or a set at hand (scenes)",
    )  # fmt: skip
    add(
        "--probe", default="curves", metavar="NAME",
        help="curves (default): accuracy, class entropy and unchanged answers against the hidden "
        "share; shape-leak; linearity; lime",
    )  # fmt: skip
    add("--fills", metavar="A,B", help="what stands there; default: all fills that suit the model")
    add("--order", metavar="HOW", help="random (default), most-salient or least-salient")
    add("--cells", metavar="KIND", help="blocks (default) or superpixels")
    add("--grid", metavar="ROWSxCOLUMNS", help="blocks (default: as `haloscope mask`)")
    add("--shares", metavar="A,B", help="shares to hide, rising (default 0,0.1 … 1)")
    add("--saliency", metavar="METHOD", help="whose map orders the cells")
    add("--param", action="append", metavar="k=v", help="parameter of that method")
    add("--samples", type=int, metavar="N", help="masks that lime draws (default 512)")
    add("--segments", type=int, metavar="N", help="superpixels of lime at the most (default 100)")
    add("--count", type=int, metavar="N", help="pictures, as many of each class as can be")
    add("--seed", type=int, default=0, metavar="N", help="of all that is drawn (default 0)")
    add("--device", default=argparse.SUPPRESS, help="auto, cpu, cuda or mps")
    add("--out", metavar="FILE", help="write the result (safetensors)")
    add("--no-cache", action="store_true", help="compute even what is kept, and keep nothing")
    add("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute, tell, write."""
    _check(options)
    asked = _asked(options)
    from engine.inputs.samples import load_set
    from engine.masking.fills.registry import find_fill

    for fill in asked["fills"]:
        find_fill(fill)  # a wrong name is told before the model is loaded
    images = load_set(options.images)
    planned = _planned(options, images, asked)
    result, kept = _kept_or_computed(planned, options)
    if options.out:
        result.save(options.out)
    if options.json:
        told = {**study_lines.as_object(result, options.out), "cached": kept}
        print(json.dumps(told, sort_keys=True))
        return 0
    study_lines.tell(result, options.out)
    if kept:
        print("Computed earlier and kept; --no-cache computes it again.")
    return 0


def _check(options: argparse.Namespace) -> None:
    """Tell what does not go together before the work."""
    if options.probe not in PROBES:
        raise ParameterError(f"no probe {options.probe!r}; {nearest(options.probe, PROBES)}")
    for name in sorted({name for names in _TAKES.values() for name in names}):
        if getattr(options, name) is not None and name not in _TAKES[options.probe]:
            raise ParameterError(f"the probe {options.probe} takes no --{name}")
    check_places(options.out)


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    """Return what was asked for, as the engine takes it."""
    asked: dict[str, Any] = {
        "fills": _listed(options.fills),
        "count": options.count,
        "seed": options.seed,
    }
    for name in _TAKES[options.probe]:
        if getattr(options, name) is not None and name not in ("param", "shares", "grid"):
            asked[name] = getattr(options, name)
    if options.grid:
        asked["grid"] = grid_of(options.grid)
    if options.shares:
        asked["shares"] = [_number(text) for text in _listed(options.shares)]
    return {**pairs(options.param or [], "--param"), **asked}


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ParameterError(f"--shares: {text!r} is no number") from None


def _planned(options: argparse.Namespace, images: Any, asked: dict[str, Any]) -> Any:
    from engine.missingness.lime_by_fill import plan_lime
    from engine.missingness.linearity import plan_linearity
    from engine.missingness.shape_leak import plan_shape_leak
    from engine.missingness.study_asking import plan_study
    from engine.models.loading import load_model

    model = load_model(options.model, device=getattr(options, "device", "auto"))
    plans = dict(zip(PROBES, (plan_study, plan_shape_leak, plan_linearity, plan_lime), strict=True))
    return plans[options.probe](model, images, **asked)  # type: ignore[operator]


def _kept_or_computed(planned: Any, options: argparse.Namespace) -> tuple[Result, bool]:
    """Return the result, and whether it was kept; of curves each fill is kept by itself."""
    problems: list[HaloscopeError] = []
    use = not options.no_cache
    found: Result | None = keeping.find_any(planned.key, problems.append) if use else None
    if found is not None:
        return found, True
    print(f"Up to {planned.cost.describe()}{_longer(planned)}", file=sys.stderr)
    with Progress(f"{planned.model.card.title} on {planned.images.name}") as progress:
        if options.probe == "curves" and use:
            found = planned.run(
                progress,
                find=lambda key: keeping.find_any(key, problems.append),
                keep=lambda part: keeping.keep(part, problems.append),
            )
        else:
            found = planned.run(progress)
    if use and not problems:
        keeping.keep(found, problems.append)
    for problem in dict.fromkeys(map(str, problems)):
        print(f"haloscope: {problem}", file=sys.stderr)
    return found, False


def _longer(planned: Any) -> str:
    """Say how much longer masked passes take, where fills work inside the network."""
    from engine.masking.fills.registry import find_fill

    prices = [find_fill(fill).price(planned.model) for fill in planned.fills]
    mean = sum(prices) / len(prices)
    return f", each as long as {mean:.1f} plain ones" if mean >= 1.1 else ""
