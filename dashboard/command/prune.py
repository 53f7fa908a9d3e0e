"""``haloscope prune``: what a network keeps and loses when parts of it go."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from dashboard.command import prune_lines
from dashboard.command.computing import kept_or_computed
from dashboard.command.pairs import pairs
from dashboard.command.places import check_places
from dashboard.command.progress import Progress
from dashboard.running import keeping
from engine.errors import HaloscopeError, ParameterError
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
    add("--repair", metavar="A,B", help="none, bn, bias or both (default both)")
    add("--override", action="append", default=[], metavar="LAYER=R", help="a layer's own ratio")
    add("--draws", type=int, default=3, metavar="N", help="of the random control (default 3)")
    add("--corruptions", metavar="A,B", help="test under these as well, or under `all`")
    add("--severities", metavar="A,B", help="of corruptions (default 1,2,3,4,5)")
    add("--physical", action="store_true", help="write the smaller network itself to --out")
    add("--round", type=int, default=16, metavar="N",
        help="with --physical: layers stay multiples of N wide, 16 (default), 8 or 1")  # fmt: skip
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
    images, calibration = _sets(options)
    return _cut(options, model, images, calibration) if options.physical else _sweep(
        options, model, images, calibration
    )  # fmt: skip


def _check(options: argparse.Namespace) -> None:
    """Tell what is missing or does not go together, before the work."""
    if not options.model:
        raise HaloscopeError("name a model with --model; or --list")
    if not options.layers and not options.images:
        raise HaloscopeError("name pictures to judge on with --images")
    if options.fit not in FITS:
        raise ParameterError(f"no fit {options.fit!r}; it is {' or '.join(FITS)}")
    if options.physical:
        if not options.out:
            raise HaloscopeError("--physical writes the smaller network: name a file with --out")
        for name in ("criterion", "ratio", "repair"):
            if len(_listed(getattr(options, name))) > 1:
                raise ParameterError(f"--physical makes one network: name one --{name}")
    check_places(options.out)


def _sets(options: argparse.Namespace) -> tuple[Any, Any]:
    from engine.inputs.samples import load_set

    images = load_set(options.images)
    return images, None if options.calibration is None else load_set(options.calibration)


def _sweep(options: argparse.Namespace, model: Any, images: Any, calibration: Any) -> int:
    from engine.pruning.planning import plan_pruning

    planned = plan_pruning(model, images, calibration=calibration, **_asked(options))
    if options.plan:
        return prune_lines.tell_plan(planned, as_json=options.json)
    print(f"Up to {planned.cost.describe()}", file=sys.stderr)
    keeper = None if options.no_cache else keeping.Keeping()
    found, kept = kept_or_computed(
        keeping.Resumable(planned, keeper),
        model.card.title,
        keeping.find_pruning,
        use_kept=not options.no_cache,
    )
    if options.out:
        found.save(options.out)
    if options.json:
        told = {**prune_lines.as_object(found, options.out), "cached": kept}
        print(json.dumps(told, sort_keys=True))
        return 0
    prune_lines.tell(found, options.out)
    if kept:
        print("Computed earlier and kept; --no-cache computes it again.")
    return 0


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    """Return what was asked for, as the engine takes it."""
    from engine.pruning.planning import RATIOS, USUAL

    asked: dict[str, Any] = {
        "criteria": _listed(options.criterion) or USUAL,
        "ratios": [_number("--ratio", text) for text in _listed(options.ratio)] or RATIOS,
        "repairs": _listed(options.repair) or ("both",),
        "scope": options.scope,
        "overrides": _overrides(options),
        "draws": options.draws,
        "corruptions": _corruptions(options.corruptions),
        "fit": options.fit,
        "seed": options.seed,
    }
    if options.severities:
        asked["severities"] = [_whole(text) for text in _listed(options.severities)]
    return asked


def _overrides(options: argparse.Namespace) -> dict[str, float]:
    given = pairs(options.override, "--override")
    return {name: _number(f"--override {name}", text) for name, text in given.items()}


def _corruptions(text: str | None) -> list[str]:
    from engine.pruning.corruptions.corrupting import corruptions

    return list(corruptions(extra=False)) if text == "all" else _listed(text)


def _cut(options: argparse.Namespace, model: Any, images: Any, calibration: Any) -> int:
    """Make the smaller network, and write it."""
    from engine.pruning.judged import parts_of
    from engine.pruning.saving import save_pruned
    from engine.pruning.smaller import prune

    if calibration is None:
        parts = parts_of(images, options.seed)
        calibration = images.part(parts.calibration.tolist())
    asked = _asked(options)
    with Progress(model.card.title) as progress:
        small = prune(
            model,
            calibration,
            criterion=asked["criteria"][0],
            ratio=_number("--ratio", options.ratio or "0.5"),
            scope=asked["scope"],
            repair=asked["repairs"][0],
            overrides=asked["overrides"],
            round_to=options.round,
            fit=options.fit,
            seed=options.seed,
            progress=progress,
        )
    save_pruned(small, options.out)
    return prune_lines.tell_cut(model, small, options.out, as_json=options.json)


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
