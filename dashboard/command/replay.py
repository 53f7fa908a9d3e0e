"""``haloscope replay``: compute a saved result again, and say whether it came out the same."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from dashboard.command.progress import Progress
from engine.results import load_result

if TYPE_CHECKING:
    from engine.replay import Replayed


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("replay", help="compute a saved result again and compare")
    add = parser.add_argument
    add("file", metavar="FILE", help="a result that --out has written")
    add("--model", metavar="REF", help="where the model is now (default: where it was)")
    add("--input", metavar="FILE", help="where the input, image set or table is now")
    add("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute again, compare, and tell; 1 if the result is another one."""
    saved = load_result(options.file)
    from engine.replay import replay

    with Progress("Replay") as progress:
        found = replay(saved, options.model, options.input, progress=progress)
    if options.json:
        print(json.dumps(_told(options.file, found), sort_keys=True))
    else:
        _show(found)
    return int(found.verdict == "different")


def _told(file: str, found: Replayed) -> dict[str, Any]:
    from engine.replay import TOLERANCE

    return {
        "file": file,
        "verdict": found.verdict,
        "difference": _number(found.difference),
        "largest": _number(found.largest),
        "tolerance": TOLERANCE,
        "environment": {name: list(pair) for name, pair in found.environment.items()},
        "key": found.result.manifest["key"],
        "seconds": found.result.manifest["outcome"]["seconds"],
    }


def _number(value: float) -> float | None:
    return value if value < float("inf") else None  # JSON knows no infinity


def _show(found: Replayed) -> None:
    from engine.replay import TOLERANCE

    verdict = found.verdict[0].upper() + found.verdict[1:]
    if found.verdict == "equal to the bit":
        print(f"{verdict}: {found.values} values.")
    else:
        print(
            f"{verdict}: off by {found.difference:.2%} in all (tolerance {TOLERANCE:.0%}), "
            f"a single value by at most {found.largest:.3g}."
        )
    for name, (then, now) in found.environment.items():
        print(f"Another {name}: {then} then, {now} now.")
    if not found.environment:
        print("Versions, device, threads and chunk are those of then.")
