"""``haloscope models --inspect REF``: what was found out about a model, and whether it works."""

from __future__ import annotations

import argparse
import json
import textwrap
from typing import TYPE_CHECKING, Any

from engine.errors import HaloscopeError

if TYPE_CHECKING:
    from engine.inspection.inspecting import Inspection
    from engine.inspection.self_test import SelfTest
    from engine.models.loaded import LoadedModel

_WIDTH = 96
_BEST = 3


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--inspect", metavar="REF", help="say what was found out about this model")
    parser.add_argument(
        "--image", metavar="FILE", help="try it on this picture, a .npy file, or sample:NAME"
    )
    parser.add_argument("--device", default=argparse.SUPPRESS, help="auto, cpu, cuda or mps")


def check(options: argparse.Namespace) -> None:
    """Refuse options that do not go together.

    Raises:
        HaloscopeError: a picture, but no model to try on it.
    """
    if options.image is not None and options.inspect is None:
        raise HaloscopeError("--image is what a model is tried on: name one with --inspect REF")


def run(options: argparse.Namespace) -> int:
    """Load, inspect, try, tell; 1 if the model does not pass its test."""
    from dashboard.command.references import check_model

    check_model(options.inspect)
    from engine.inputs.samples import load_named
    from engine.inspection.inspecting import inspect_model
    from engine.models.loading import load_model

    given = None if options.image is None else load_named(options.image)
    model = load_model(options.inspect, device=getattr(options, "device", "auto"))
    found = inspect_model(model)
    test, problem = _tried(model, given)
    if options.json:
        print(json.dumps(_told(model, found, test, problem), sort_keys=True))
    else:
        _show(model, found)
        _indented("\nTest: ", problem or _result(model, test))
    return int(bool(problem))


def _tried(model: LoadedModel, given: Any) -> tuple[SelfTest | None, str]:
    from engine.inspection.self_test import self_test
    from engine.inspection.suited import suited_sample

    try:
        return self_test(model, suited_sample(model) if given is None else given), ""
    except HaloscopeError as error:
        return None, f"failed: {error}"


def _told(
    model: LoadedModel, found: Inspection, test: SelfTest | None, problem: str
) -> dict[str, Any]:
    told: dict[str, Any] = {"passed": test is not None, "problem": problem}
    if test is not None:
        top = [
            {"index": index, "name": name, "probability": share}
            for index, name, share in test.prediction.top(_BEST)
        ]
        told |= {
            "sample": str(getattr(test.given, "name", None) or "noise"),
            "seconds": test.seconds,
            "method": test.attribution.manifest["request"]["method"]["name"],
            "top": top,
            "warnings": list(test.warnings),
        }
    return {**found.as_dict(), "family": model.family, "test": told}


def _show(model: LoadedModel, found: Inspection) -> None:
    print(f"{found.title}  ({found.ref if len(found.ref) < _WIDTH else found.ref[:_WIDTH] + '…'})")
    if model.card.summary:
        print(f"  {model.card.summary}")
    print()
    wide = max(len(entry.name) for entry in found.entries)
    for entry in found.entries:
        how = f"  ({entry.how})" if entry.how else ""
        _indented(f"  {entry.name:<{wide}}  ", f"{entry.value}{how}")
    for note in found.notes:
        _indented("  Note: ", f"{note[0].upper()}{note[1:]}.")
    suited = [method.name for method in found.methods if not method.reason]
    print("\nMethods that take it:")
    _indented("  ", ", ".join(suited) or "none")
    print("\nMethods that do not:")
    for method in found.methods:
        if method.reason:
            _indented("  ", f"{method.name}: {method.reason}")


def _indented(begin: str, text: str) -> None:
    print(
        textwrap.fill(
            text,
            _WIDTH,
            initial_indent=begin,
            subsequent_indent=" " * len(begin.lstrip("\n")),
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def _result(model: LoadedModel, test: SelfTest | None) -> str:
    from components.predictions import percent

    assert test is not None
    _, name, share = test.prediction.top(1)[0]
    method = test.attribution.manifest["source"]["method_title"]
    warned = "".join(f"; but {warning}" for warning in test.warnings)
    said = f"{float(test.prediction.logits[0]):.4g}" if model.activation == "identity" else name
    sure = "" if model.activation == "identity" else f" {percent(share)}"
    return (
        f"passed on {test.sample_told}: {said}{sure}, "
        f"with a map by {method}, in {test.seconds:.2f} s{warned}"
    )
