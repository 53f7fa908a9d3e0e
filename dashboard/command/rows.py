"""``haloscope explain --table FILE --row N``: what is special about rows."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.command.pairs import pairs
from engine.errors import HaloscopeError

if TYPE_CHECKING:
    from engine.inputs.tables import Row
    from engine.results import Attribution

_TOLD = 10


def check(options: argparse.Namespace) -> None:
    """Refuse options that do not go together.

    Raises:
        HaloscopeError: no input, two of them, an option of the other kind, or nothing to do.
    """
    if (options.image is None) == (options.table is None):
        raise HaloscopeError("name one input: --image FILE, or --table FILE with --row N")
    if options.table and options.row is None:
        raise HaloscopeError("name the row with --row N, the first being 1")
    if options.image and (options.row is not None or options.changes or options.html):
        raise HaloscopeError("--row, --set and --html belong to --table")
    if options.table and (options.png or options.view):
        raise HaloscopeError("--png and --view belong to --image; a row is drawn with --html FILE")
    if (
        options.out
        and options.html
        and Path(options.out).absolute() == Path(options.html).absolute()
    ):
        raise HaloscopeError("--out and --html name the same file; name two")
    if not (options.out or options.png or options.html or options.json):
        place = "--html" if options.table else "--png"
        raise HaloscopeError(f"nothing to do: name a file with --out or {place}, or ask for --json")


def load(options: argparse.Namespace) -> Row:
    """Return the row that is asked for, with its changes."""
    from engine.inputs.sample_tables import load_named_table

    row = load_named_table(options.table).row(options.row)
    changes = pairs(options.changes, "--set")
    return row.changed(**changes) if changes else row


def draw(attribution: Attribution, path: Path) -> None:
    """Write the contributions as one HTML file that needs nothing else."""
    from dashboard.tables.drawing import contributions
    from engine.results import write_whole

    figure, _ = contributions(attribution)
    write_whole(path, figure.to_html(include_plotlyjs=True).encode())


def tell(attribution: Attribution) -> None:
    """Print the prediction, and what each column adds."""
    from components import table_words

    print(table_words.waterfall_sentence(attribution))
    display = attribution.manifest["display"]
    values = attribution.values
    order = sorted(range(len(values)), key=lambda place: -abs(float(values[place])))
    width = max(len(display["titles"][place]) for place in order[:_TOLD])
    for place in order[:_TOLD]:
        print(f"  {display['titles'][place]:<{width}}  {float(values[place]):+.4g}")
    if len(order) > _TOLD:
        rest = float(sum(values[place] for place in order[_TOLD:]))
        print(f"  {f'{len(order) - _TOLD} others':<{width}}  {rest:+.4g}")
