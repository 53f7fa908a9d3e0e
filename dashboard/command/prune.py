"""``haloscope prune``: what a network keeps and loses when parts of it go."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from dashboard.command import cut_lines, geometry_lines, prune_lines
from dashboard.command.computing import kept_or_computed
from dashboard.command.pairs import pairs
from dashboard.command.places import check_places
from dashboard.command.progress import Progress
from dashboard.running import keeping
from engine.errors import HaloscopeError, ParameterError, nearest
from engine.inputs.images import FITS


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("prune", help="say what a smaller network keeps and loses")
    add = parser.add_argument
    add("--model", metavar="REF", help="a model for pictures; `haloscope models` lists them")
    add(
        "--images", metavar="SET",
        help="a folder of class folders, a CSV with path, label, mask, or a set at hand (scenes)",
    )  # fmt: skip
    add("--calibration", metavar="SET", help="to score and repair with (default: a third of SET)")
    add(
        "--criterion", metavar="A,B",
        help="what scores units (default group-l2); --list lists them",
    )  # fmt: skip
    add("--ratio", metavar="R,S", help="shares of units to remove, from 0 to below 1")
    add("--scope", default="uniform", metavar="HOW",
        help="uniform (default), global or standardised")  # fmt: skip
    add(
        "--repair",
        metavar="A,B",
        help="none, bn, bias or both (default both; bias where few pictures calibrate)",
    )
    add("--override", action="append", default=[], metavar="LAYER=R", help="a layer's own ratio")
    add("--draws", type=int, metavar="N", help="of the random control (default 3)")
    add("--corruptions", metavar="A,B", help="test under these as well, or under `all`")
    add("--severities", metavar="A,B", help="of corruptions (default 1,2,3,4,5)")
    add("--physical", action="store_true", help="write the smaller network itself to --out")
    add("--round", type=int, metavar="N",
        help="with --physical: layers stay multiples of N wide, 16 (default), 8 or 1")  # fmt: skip
    add("--fine-tune", type=int, metavar="EPOCHS", help="with --physical: train that long after")
    add("--geometry", action="store_true",
        help="where pictures lie at the classifier, for --ratio R,S and --corruptions")  # fmt: skip
    add("--fit", default="crop", metavar="HOW", help="crop (default) or letterbox")
    add("--seed", type=int, default=0, metavar="N", help="for what is drawn (default 0)")
    add("--device", default=argparse.SUPPRESS, help="auto, cpu, cuda or mps")
    add("--out", metavar="FILE", help="write the result (safetensors)")
    add("--plan", action="store_true", help="tell what it costs, and compute nothing")
    add("--no-cache", action="store_true", help="compute even what is kept, and keep nothing")
    add("--json", action="store_true", help="print one JSON object")
    add("--list", action="store_true", help="list criteria and corruptions")
    add("--layers", action="store_true", help="list what can be removed from the model")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute, tell, write. Work that is stopped goes on from the last network that was asked."""
    if options.list:
        return prune_lines.list_known(as_json=options.json)
    _check(options)
    from engine.models.loading import load_model

    model = load_model(options.model, device=getattr(options, "device", "auto"))
    if options.layers:
        return prune_lines.list_layers(model, as_json=options.json)
    work = _cut if options.physical else _geometry if options.geometry else _sweep
    images, calibration = _sets(options)
    options.repair = options.repair or _usual_repair(options, model, images, calibration)
    return work(options, model, images, calibration)


def _usual_repair(options: argparse.Namespace, model: Any, images: Any, calibration: Any) -> str:
    """Return the repair where none was asked for; say so where it is not both."""
    from components.prune_words import few_words
    from engine.pruning.repairing.repairs import usual_repair
    from engine.pruning.sweeping.asking import prunable
    from engine.pruning.sweeping.judged import calibrating

    prunable(model)
    count = calibrating(images, calibration)
    usual = usual_repair(model, count)
    if usual != "both" and not options.json:
        told = few_words(count, len(model.classes))
        print(f"{told} --repair both does it all the same.", file=sys.stderr)
    return usual


def _check(options: argparse.Namespace) -> None:
    """Tell what is missing or does not go together, before the work."""
    if not options.model:
        raise HaloscopeError("name a model with --model; or --list")
    if not options.layers and not options.images:
        raise HaloscopeError("name pictures to judge on with --images")
    if options.fit not in FITS:
        raise ParameterError(f"no fit {options.fit!r}; {nearest(options.fit, FITS)}")
    if options.physical and not (options.out or options.plan):
        raise HaloscopeError("--physical writes the smaller network: name a file with --out")
    if options.physical and options.geometry:
        raise ParameterError("--physical and --geometry are two things: ask for one")
    if options.severities and not options.corruptions:
        raise ParameterError("--severities are those of --corruptions: name some, or `all`")
    for name in _NOT_WITH[_kind(options)]:
        if getattr(options, name) is not None:
            raise ParameterError(f"{_kind(options)} takes no --{name.replace('_', '-')}")
    for name in _ONE_OF[_kind(options)]:
        if len(_listed(getattr(options, name))) > 1:
            raise ParameterError(f"{_kind(options)} takes one --{name}")
    check_places(options.out)


def _kind(options: argparse.Namespace) -> str:
    return "--physical" if options.physical else "--geometry" if options.geometry else "a sweep"


# What each kind of work has no use for, and of what it takes one.
_NOT_WITH = {
    "--physical": ("corruptions", "severities", "draws"),
    "--geometry": ("round", "fine_tune", "draws"),
    "a sweep": ("round", "fine_tune"),
}
_ONE_OF = {
    "--physical": ("criterion", "ratio", "repair"),
    "--geometry": ("criterion", "repair"),
    "a sweep": (),
}


def _sets(options: argparse.Namespace) -> tuple[Any, Any]:
    from engine.inputs.samples import load_set

    images = load_set(options.images)
    return images, None if options.calibration is None else load_set(options.calibration)


def _sweep(options: argparse.Namespace, model: Any, images: Any, calibration: Any) -> int:
    from engine.pruning.sweeping.planning import plan_pruning

    planned = plan_pruning(model, images, calibration=calibration, **_asked(options))
    if options.plan:
        return prune_lines.tell_plan(planned, as_json=options.json)
    keeper = None if options.no_cache else keeping.Keeping()
    return _told(options, keeping.Resumable(planned, keeper), keeping.find_pruning, prune_lines)


def _geometry(options: argparse.Namespace, model: Any, images: Any, calibration: Any) -> int:
    from engine.pruning.geometry.study import plan_geometry

    asked = _asked(options)
    given: dict[str, Any] = {n: asked[n] for n in ("ratios", "severities") if n in asked}
    for name, plural in (("criterion", "criteria"), ("repair", "repairs")):
        if plural in asked:
            given[name] = asked[plural][0]
    given |= {name: asked[name] for name in ("scope", "overrides", "corruptions", "fit", "seed")}
    planned = plan_geometry(model, images, calibration=calibration, **given)
    if options.plan:
        return prune_lines.tell_plan(planned, as_json=options.json)
    return _told(options, planned, keeping.find_geometry, geometry_lines)


def _told(options: argparse.Namespace, planned: Any, find: Any, lines: Any) -> int:
    """Say the cost, compute unless it is kept, write, tell."""
    if not options.json:
        print(prune_lines.cost_told(planned), file=sys.stderr)
    found, kept = kept_or_computed(
        planned, planned.model.card.title, find, use_kept=not options.no_cache
    )
    if options.out:
        found.save(options.out)
    if options.json:
        print(json.dumps({**lines.as_object(found, options.out), "cached": kept}, sort_keys=True))
        return 0
    lines.tell(found, options.out)
    if kept:
        print("Computed earlier and kept; --no-cache computes it again.")
    return 0


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    """Return what was asked for, as the engine takes it; what was not asked is left out."""
    asked: dict[str, Any] = {
        "criteria": _listed(options.criterion),
        "ratios": [_number("--ratio", text) for text in _listed(options.ratio)],
        "repairs": _listed(options.repair),
        "scope": options.scope,
        "overrides": _overrides(options),
        "draws": options.draws,
        "corruptions": _corruptions(options.corruptions),
        "severities": [_whole(text) for text in _listed(options.severities)],
        "fit": options.fit,
        "seed": options.seed,
    }
    lists = ("criteria", "ratios", "repairs", "severities")
    usual: dict[str, Any] = {**{name: [] for name in lists}, "draws": None}
    return {name: value for name, value in asked.items() if value != usual.get(name, ...)}


def _overrides(options: argparse.Namespace) -> dict[str, float]:
    given = pairs(options.override, "--override")
    return {name: _number(f"--override {name}", text) for name, text in given.items()}


def _corruptions(text: str | None) -> list[str]:
    from engine.pruning.corruptions.corrupting import corruptions

    return list(corruptions(extra=False)) if text == "all" else _listed(text)


def _cut(options: argparse.Namespace, model: Any, images: Any, calibration: Any) -> int:
    """Make the smaller network, hold it against the whole one, and write it."""
    from engine.pruning.cut_study import plan_cut
    from engine.pruning.repairing.tuning import Recipe
    from engine.pruning.saving import save_pruned

    asked = _asked(options)
    given: dict[str, Any] = {
        name: asked[plural][0]
        for name, plural in (("criterion", "criteria"), ("ratio", "ratios"), ("repair", "repairs"))
        if plural in asked
    }
    given |= {name: asked[name] for name in ("scope", "overrides", "fit", "seed")}
    if options.round is not None:
        given["round_to"] = options.round
    if options.fine_tune is not None:
        given["recipe"] = Recipe(epochs=options.fine_tune, seed=options.seed)
    planned = plan_cut(model, images, calibration=calibration, **given)
    if options.plan:
        return cut_lines.tell_plan(planned, as_json=options.json)
    if not options.json:
        print(prune_lines.cost_told(planned), file=sys.stderr)
    with Progress(model.card.title) as progress:
        found = planned.run(progress)
    file = save_pruned(found.small, options.out)
    problem = _problem(file)
    if options.json:
        told = cut_lines.as_object(planned, found, file, problem)
        print(json.dumps(told, sort_keys=True))
    else:
        cut_lines.tell(planned, found, file, problem)
    return 0


def _problem(file: Path) -> str:
    """Say why a file of ours cannot be loaded without help, or nothing."""
    from engine.models.loading import load_model

    try:
        load_model(f"file:{file}", device="cpu")
    except HaloscopeError as error:
        return str(error)
    return ""


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ParameterError(f"{name}: {text!r} is no number") from None


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ParameterError(f"--severities: {text!r} is no whole number") from None
