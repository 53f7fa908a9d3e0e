"""``haloscope columns``: which columns of a table matter to a model, and to the data."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard.command import column_lines
from dashboard.command.computing import kept_or_computed
from dashboard.command.pairs import pairs
from dashboard.command.places import check_places
from dashboard.running import keeping
from engine.errors import HaloscopeError, MethodError, ParameterError, nearest

if TYPE_CHECKING:
    from engine.tables.measure import Measure

_OUTPUTS = ("probability", "logit")


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("columns", help="say which columns of a table matter")
    add = parser.add_argument
    add("--model", metavar="REF", help="a model for tables; `haloscope models` lists them")
    add("--table", metavar="FILE", help="CSV, TSV or Parquet, or a table at hand (cancer)")
    add(
        "--measure", action="append", default=[], metavar="NAME", dest="measures",
        help="`haloscope columns --list` lists them; may be repeated",
    )  # fmt: skip
    add("--column", metavar="NAME", help="for measures of one column: which")
    add("--label", metavar="COLUMN", help="the column with the truth (default: the model's)")
    add("--target", metavar="NAME|N", help="class to explain")
    add("--output", metavar="WHAT", help="probability (default) or logit")
    add("--param", action="append", default=[], metavar="k=v", help="parameter of the measure")
    add("--rows", type=int, metavar="N", help="how many rows to look at")
    add("--seed", type=int, default=0, metavar="N", help="for what is drawn (default 0)")
    add("--device", default=argparse.SUPPRESS, help="auto, cpu, cuda or mps")
    add("--out", metavar="FILE", help="write the result; of several measures, into this folder")
    add("--no-cache", action="store_true", help="compute even what is kept, and keep nothing")
    add("--json", action="store_true", help="one JSON object; of several, a list in “results”")
    add("--list", action="store_true", help="list the measures and their parameters")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute, tell, write."""
    if options.list:
        return column_lines.list_measures(as_json=options.json)
    if not options.table or not options.measures:
        raise HaloscopeError("name a table with --table and a measure with --measure; or --list")
    measures = _measures(options)
    given = _parameters(options.param, measures)
    _check_places(options, measures)
    from engine.inputs.sample_tables import load_named_table

    table = load_named_table(options.table)
    model = _model(options, measures)
    told = []
    for measure in measures:
        from engine.tables.measuring import plan_measure

        planned = plan_measure(model, table, measure.name, **_asked(measure, options, given))
        result, kept = kept_or_computed(
            planned, measure.title, keeping.find_measured, use_kept=not options.no_cache
        )
        out = _out(options.out, measure, len(measures))
        if out:
            result.save(out)
        if options.json:
            told.append({**column_lines.as_object(result, out), "cached": kept})
        else:
            column_lines.tell(result, out, last=measure is measures[-1])
            if kept:
                print("Computed earlier and kept; --no-cache computes it again.")
    if options.json:
        print(json.dumps(told[0] if len(told) == 1 else {"results": told}, sort_keys=True))
    return 0


def _measures(options: argparse.Namespace) -> list[Measure]:
    """Return the measures asked for, each once; wrong choices are told before any work."""
    from engine.tables.registry import find_measure

    found = [find_measure(name) for name in dict.fromkeys(options.measures)]
    if options.output is not None and options.output not in _OUTPUTS:
        raise ParameterError(f"no output {options.output!r}; {nearest(options.output, _OUTPUTS)}")
    if options.column is not None and not any(measure.takes_column for measure in found):
        raise MethodError(f"{found[0].title} looks at all columns; it takes no --column")
    if options.target is not None and not any(measure.takes_target for measure in found):
        raise MethodError(f"{found[0].title} takes no --target")
    return found


def _parameters(texts: list[str], measures: list[Measure]) -> dict[str, str]:
    """Read name=value; a name that none of the measures has is told with the nearest."""
    known = [parameter.name for measure in measures for parameter in measure.parameters]
    given = pairs(texts, "--param")
    for name in given:
        if name not in known:
            told = nearest(name, known) if known else "it takes none"
            raise ParameterError(f"{measures[0].name} has no parameter {name!r}; {told}")
    return given


def _check_places(options: argparse.Namespace, measures: list[Measure]) -> None:
    """A folder that is not there is told before the work, not after it."""
    if not options.out:
        return
    place = Path(options.out).absolute()
    if len(measures) > 1 and not place.is_dir():
        raise HaloscopeError(
            f"cannot write {options.out}: with several measures, --out is a folder that is there"
        )
    if len(measures) == 1:
        check_places(options.out)


def _model(options: argparse.Namespace, measures: list[Measure]) -> Any:
    if options.model:
        from engine.models.loading import load_model

        return load_model(options.model, device=getattr(options, "device", "auto"))
    needing = [measure.title for measure in measures if measure.needs_model]
    if needing:
        raise HaloscopeError(f"{needing[0]} asks a model: name one with --model")
    return None


def _asked(measure: Measure, options: argparse.Namespace, given: dict[str, str]) -> dict[str, Any]:
    """Return what of the options a measure takes."""
    own = {parameter.name for parameter in measure.parameters}
    return {
        "label": options.label,
        "seed": options.seed,
        "rows": options.rows,
        "column": options.column if measure.takes_column else None,
        "target": options.target if measure.takes_target else None,
        "output": options.output if measure.takes_target else None,
        **{name: value for name, value in given.items() if name in own},
    }


def _out(out: str | None, measure: Measure, count: int) -> str | None:
    return str(Path(out) / f"{measure.name}.safetensors") if out and count > 1 else out
