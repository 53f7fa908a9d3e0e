"""``haloscope explain``: one map, as a result file, a picture, or JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard.command import rows
from dashboard.command.computing import kept_or_computed
from dashboard.command.pairs import pairs
from dashboard.command.places import check_places
from dashboard.running import keeping
from engine.errors import HaloscopeError, ParameterError, nearest
from engine.inputs.arrays import is_array_file
from engine.inputs.images import FITS

if TYPE_CHECKING:
    from engine.models.loaded import LoadedModel
    from engine.models.outputs import Output
    from engine.results import Attribution


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "explain", help="say how much each part of a picture, or each column of a row, counts"
    )
    add = parser.add_argument
    add(
        "--model", required=True, metavar="REF",
        help="imagenet-cnn, hf:…, torchvision:…, timm:…, module:builder, or file:…?arch=…",
    )  # fmt: skip
    add("--image", metavar="FILE", help="a picture, sample:NAME, or a prepared .npy")
    add("--table", metavar="FILE", help="a CSV, TSV or Parquet file, or a table at hand (cancer)")
    add("--row", type=int, metavar="N", help="row of the table, the first being 1")
    add(
        "--set", action="append", default=[], metavar="COLUMN=VALUE", dest="changes",
        help="what if: another value in the row; may be repeated",
    )  # fmt: skip
    add("--method", required=True, metavar="NAME", help="`haloscope methods` lists them")
    add("--target", metavar="NAME|N", help="class to explain (default: the predicted one)")
    add("--versus", metavar="NAME|N", help="explain the difference to this class")
    add(
        "--output", metavar="WHAT",
        help="logit (default) or probability (default for estimators, which tell no logits)",
    )  # fmt: skip
    add("--param", action="append", default=[], metavar="k=v", help="parameter of the method")
    add(
        "--background", metavar="SET",
        help="what to compare with: pictures (a folder, a CSV file, or a set at hand), or a table; "
        "a row is compared with its own table by default",
    )  # fmt: skip
    add("--fit", default="crop", metavar="HOW", help="crop (default) or letterbox")
    add("--seed", type=int, default=0, metavar="N", help="for methods that draw (default 0)")
    add("--device", default=argparse.SUPPRESS, help="auto, cpu, cuda or mps")
    add("--out", metavar="FILE", help="write the result (safetensors)")
    add("--png", metavar="FILE", help="write input, map and overlay of a picture")
    add("--html", metavar="FILE", help="write the contributions of a row as a page of its own")
    add("--view", metavar="KIND", help="of the picture: positive, signed or magnitude")
    add("--no-cache", action="store_true", help="compute even what is kept, and keep nothing")
    add("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute and write."""
    rows.check(options)
    _check_places(options)
    parameters = pairs(options.param, "--param")
    given = rows.load(options) if options.table else _picture(options.image, options.fit)
    from engine.attribution.explain import plan
    from engine.attribution.registry import find_method
    from engine.models.loading import load_model

    # Wrong names are told before the model is loaded.
    declared = [parameter.name for parameter in find_method(options.method).parameters]
    for name in parameters:
        if name not in declared:
            told = nearest(name, declared) if declared else "it takes none"
            raise ParameterError(f"{options.method} has no parameter {name!r}; {told}")
    model = load_model(options.model, device=getattr(options, "device", "auto"))
    planned = plan(
        model,
        given,
        options.method,
        options.target,
        versus=options.versus,
        output=options.output or _usual_output(model),
        background=_background(options),
        seed=options.seed,
        **parameters,
    )
    attribution, kept = kept_or_computed(
        planned, planned.method.title, keeping.find, use_kept=not options.no_cache
    )
    if options.out:
        attribution.save(options.out)
    if options.png:
        _draw(attribution, model, given, options)
    if options.html:
        rows.draw(attribution, Path(options.html))
    _report(attribution, options, cached=kept)
    return 0


def _usual_output(model: LoadedModel) -> Output:
    estimates = not model.differentiable and model.activation != "identity"
    return "probability" if estimates else "logit"


def _background(options: argparse.Namespace) -> Any:
    if options.background is None:
        return None
    if options.table:
        from engine.inputs.sample_tables import load_named_table

        return load_named_table(options.background)
    from engine.inputs.samples import load_set

    return load_set(options.background)


def _check_places(options: argparse.Namespace) -> None:
    """A folder that is not there is told before the work, not after it."""
    check_places(options.out, options.png, options.html)
    if options.png and is_array_file(options.image):
        raise HaloscopeError(f"--png: {options.image} is no picture; write the result with --out")
    if options.png and Path(options.png).suffix.lower() != ".png":
        raise HaloscopeError(f"--png {options.png}: the picture is a PNG file; name it so")
    if options.out and options.png and Path(options.out).absolute() == Path(options.png).absolute():
        raise HaloscopeError("--out and --png name the same file; name two")
    from components.views import KINDS

    if options.view and options.view not in KINDS:
        raise ParameterError(f"no view {options.view!r}; {nearest(options.view, KINDS)}")


def _picture(source: str, fit: str) -> Any:
    from engine.inputs.samples import load_named

    if fit not in FITS:
        raise ParameterError(f"no fit {fit!r}; {nearest(fit, FITS)}")
    return load_named(source, fit=fit)


def _draw(attribution: Attribution, model: Any, picture: Any, options: argparse.Namespace) -> None:
    from components import export, views
    from engine.results import write_whole

    kind = options.view or attribution.manifest["display"]["view"]
    view = views.look_at(attribution, kind)
    sheet = export.sheet(attribution, view, model.spec.fitted(picture), opacity=0.8)
    write_whole(Path(options.png), export.png(sheet))


def _report(attribution: Attribution, options: argparse.Namespace, *, cached: bool) -> None:
    manifest = attribution.manifest
    if options.json:
        told = {
            "out": options.out,
            "png": options.png,
            "html": options.html,
            "cached": cached,
            "shape": list(attribution.values.shape),
            **manifest,
        }
        print(json.dumps(told, sort_keys=True))
        return
    from components import words

    if options.table:
        rows.tell(attribution)
    else:
        _tell_prediction(manifest["outcome"]["prediction"])
    print(words.caption(attribution))
    if cached:
        print("Computed earlier and kept; --no-cache computes it again.")
    for path in (options.out, options.png, options.html):
        if path:
            print(f"Written: {path}")


def _tell_prediction(said: dict[str, Any]) -> None:
    from components.predictions import percent

    print(f"Prediction: {said['name']} ({percent(said['probability'])})")
