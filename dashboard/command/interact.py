"""``haloscope interact``: which columns or regions interact, for all good models of a kind."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from dashboard.command import interaction_lines
from dashboard.command.computing import kept_or_computed
from dashboard.command.places import check_places
from dashboard.running import keeping
from engine.errors import HaloscopeError

_RATE = 0.1


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "interact", help="say which columns, or regions, interact, for all models about as good"
    )
    add = parser.add_argument
    add("--model", metavar="REF", help="for tables or pictures; `haloscope models` lists them")
    add("--table", metavar="FILE", help="CSV, TSV or Parquet, or a table at hand (compas)")
    add("--label", metavar="COLUMN", help="the column with the truth (default: the model's)")
    add("--image", metavar="FILE", help="instead of a table a picture, or sample:NAME")
    add("--regions", type=int, metavar="N", help="of a picture, at the most (default 8)")
    add("--division", metavar="HOW", help="regions: superpixels (default) or grid")
    add("--target", metavar="NAME|N", help="class of the picture (default: its label's)")
    add("--fit", metavar="HOW", help="of a picture: crop (default) or letterbox")
    add(
        "--pairs", action="append", metavar="A:B",
        help="two of them; may be repeated (default: all of up to six, else the 15 strongest)",
    )  # fmt: skip
    add("--rate", type=float, metavar="R",
        help=f"how far above the model's loss, as a share of it (default {_RATE})")  # fmt: skip
    add("--epsilon", type=float, metavar="E", help="the same as a number, instead of --rate")
    add("--repeats", type=int, metavar="N", help="permutations of rows (default 100)")
    add("--rows", type=int, metavar="N", help="how many rows (default: 1000 that differ)")
    add(
        "--retrained", type=int, metavar="N",
        help="train N models again as well, a second way into the set (default 0)",
    )  # fmt: skip
    add("--seed", type=int, default=0, metavar="N", help="for what is drawn (default 0)")
    add("--plan", action="store_true", help="tell what it costs, and compute nothing")
    add("--device", default=argparse.SUPPRESS, help="auto, cpu, cuda or mps")
    add("--out", metavar="FILE", help="write the result (safetensors)")
    add("--no-cache", action="store_true", help="compute even what is kept, and keep nothing")
    add("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute, tell, write. Work that is stopped goes on from the last pair that was done."""
    _check(options)
    planned = _of_picture(options) if options.image else _of_table(options)
    if options.plan:
        return interaction_lines.tell_plan(planned, as_json=options.json)
    if not options.json:
        print(interaction_lines.cost_told(planned), file=sys.stderr, flush=True)
    keeper = None if options.no_cache else keeping.Keeping(_tell_problem)
    found, kept = kept_or_computed(
        keeping.Resumable(planned, keeper),
        "Interactions",
        keeping.find_interactions,
        use_kept=not options.no_cache,
    )
    if options.out:
        found.save(options.out)
    if options.json:
        told = {**interaction_lines.as_object(found, options.out), "cached": kept}
        print(json.dumps(told, sort_keys=True))
        return 0
    interaction_lines.tell(found, options.out)
    if kept:
        print("Computed earlier and kept; --no-cache computes it again.")
    return 0


def _tell_problem(problem: HaloscopeError) -> None:
    keeping.log_once(problem)  # type: ignore[arg-type]


def _check(options: argparse.Namespace) -> None:
    """Tell what is missing or does not go together, and a folder that is not there."""
    if not options.model or not (options.table or options.image):
        raise HaloscopeError(
            "name a model with --model and a table with --table, or a picture with --image"
        )
    if options.table and options.image:
        raise HaloscopeError("--table and --image are both given; name one of them")
    if options.rate is not None and options.epsilon is not None:
        raise HaloscopeError(
            "--rate and --epsilon are both given; name one of them: --rate is a share of the "
            "model's loss, --epsilon the same as a number"
        )
    kind, others = ("--image", _OF_TABLES) if options.image else ("--table", _OF_PICTURES)
    for name in others:
        if getattr(options, name) is not None:
            raise HaloscopeError(f"--{name} does not go with {kind}")
    check_places(options.out)


_OF_TABLES = ("label", "rows", "repeats", "retrained")
_OF_PICTURES = ("regions", "division", "target", "fit")


def _of_picture(options: argparse.Namespace) -> Any:
    from engine.inputs.samples import load_named
    from engine.interactions.asking import check_count
    from engine.interactions.picture_data import MOST_REGIONS, plan_picture_interactions
    from engine.models.loading import load_model

    regions = 8 if options.regions is None else options.regions
    check_count("regions", regions, 2, MOST_REGIONS)
    picture = load_named(options.image)
    target = options.target
    return plan_picture_interactions(
        load_model(options.model, device=getattr(options, "device", "auto")),
        picture,
        target=int(target) if target and target.isdecimal() else target,
        division=options.division,
        segments=regions,
        fit=options.fit or "crop",
        pairs=options.pairs,
        rate=_RATE if options.rate is None else options.rate,
        epsilon=options.epsilon,
        seed=options.seed,
    )


def _of_table(options: argparse.Namespace) -> Any:
    from engine.inputs.sample_tables import load_named_table
    from engine.interactions.planning import plan_interactions
    from engine.models.loading import load_model

    return plan_interactions(
        load_model(options.model, device=getattr(options, "device", "auto")),
        load_named_table(options.table),
        label=options.label,
        pairs=options.pairs,
        rate=_RATE if options.rate is None else options.rate,
        epsilon=options.epsilon,
        repeats=100 if options.repeats is None else options.repeats,
        rows=options.rows,
        seed=options.seed,
        retrained=options.retrained or 0,
    )
