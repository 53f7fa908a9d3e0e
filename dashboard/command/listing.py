"""``haloscope models`` and ``haloscope methods``."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dashboard.command import inspecting
from dashboard.command.references import KINDS
from engine.models.bundled import bundled_models

if TYPE_CHECKING:
    from engine.parameters import Parameter


def add_to(commands: Any) -> None:
    """Declare both commands."""
    models = commands.add_parser(
        "models",
        help="list the models that come with Haloscope, or say what one of your own is",
        epilog=KINDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    inspecting.add_to(models)
    models.add_argument("--json", action="store_true", help="one JSON object")
    models.set_defaults(run=_models)
    methods = commands.add_parser("methods", help="list the methods and their parameters")
    methods.add_argument("--json", action="store_true", help="one JSON object")
    methods.set_defaults(run=_methods)


def _models(options: argparse.Namespace) -> int:
    inspecting.check(options)
    if options.inspect is not None:
        return inspecting.run(options)
    rows = [
        {
            "name": model.name,
            "title": model.card.title,
            "family": model.family,
            "summary": model.card.summary,
            "licence": model.card.licence,
            "origin": model.card.origin,
        }
        for model in bundled_models()
    ]
    if options.json:
        print(json.dumps({"models": rows}))
        return 0
    for row in rows:
        print(f"{row['name']}  ({row['title']}, {row['family']})")
        _indented(f"{row['summary']} {row['licence']}; {row['origin']}.")
    print("\nYour own: haloscope models --inspect REF says what it is; --help tells how to name it")
    return 0


def _methods(options: argparse.Namespace) -> int:
    from engine.attribution.registry import methods
    from engine.bibliography import paper

    rows = [
        {
            "name": method.name,
            "title": method.title,
            "summary": method.summary,
            "families": sorted(method.families),
            "paper": paper(method.paper).cite(),
            "caveat": method.caveat,
            "parameters": parameter_rows(method.parameters),
        }
        for method in methods().values()
    ]
    if options.json:
        print(json.dumps({"methods": rows}))
        return 0
    for row in rows:
        _method(row)
    return 0


def parameter_rows(parameters: Sequence[Parameter]) -> list[dict[str, Any]]:
    """Return parameters as ``--json`` tells them."""
    return [
        {
            "name": parameter.name,
            "kind": parameter.kind,
            "default": parameter.default,
            "low": parameter.low,
            "high": parameter.high,
            "choices": list(parameter.choices),
            "help": parameter.help,
        }
        for parameter in parameters
    ]


def _method(row: dict[str, Any]) -> None:
    print(f"{row['name']}  ({row['title']}; for {', '.join(row['families'])})")
    describe(row)


def describe(row: dict[str, Any]) -> None:
    """Print summary, paper and parameters of a method or a measure."""
    _indented(row["summary"])
    if row["paper"]:
        _indented(f"{row['paper']}.")
    for parameter in row["parameters"]:
        choices = f" One of {', '.join(parameter['choices'])}." if parameter["choices"] else ""
        default = parameter["default"] if parameter["default"] != "" else "found out"
        _indented(f"--param {parameter['name']}={default}: {parameter['help']}{choices}")


def _indented(text: str) -> None:
    print(textwrap.fill(text, 96, initial_indent="    ", subsequent_indent="      "))
