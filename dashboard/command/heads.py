"""``haloscope heads``: which attention heads of a model matter."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from dashboard.command import head_lines
from dashboard.command.computing import kept_or_computed
from dashboard.command.pairs import pairs
from dashboard.command.places import check_places
from dashboard.running import keeping
from engine.errors import HaloscopeError, ParameterError, nearest
from engine.inputs.images import FITS

if TYPE_CHECKING:
    from engine.heads.metric import HeadMetric


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("heads", help="say which attention heads of a model matter")
    add = parser.add_argument
    add("--model", metavar="REF", help="a vision transformer; `haloscope models` lists them")
    add("--image", metavar="FILE", help="a picture, sample:NAME, or a prepared .npy")
    add(
        "--images", metavar="SET",
        help="a folder of class folders, a CSV with path, label, mask, or a set at hand (scenes)",
    )  # fmt: skip
    add("--metric", metavar="NAME", help="`haloscope heads --list` lists them")
    add("--target", metavar="NAME|N", help="ask all pictures about this class (default: their own)")
    add("--class", metavar="NAME|N", dest="only_class", help="pictures of this class alone")
    add("--keep-one", action="store_true", help="judge a head as the only one of its layer")
    add(
        "--top", type=int, metavar="K",
        help="gradients first; switch off only the K heads that they put first",
    )  # fmt: skip
    add("--param", action="append", default=[], metavar="k=v", help="parameter of the metric")
    add("--fit", default="crop", metavar="HOW", help="crop (default) or letterbox")
    add("--seed", type=int, default=0, metavar="N", help="for metrics that draw (default 0)")
    add("--device", default=argparse.SUPPRESS, help="auto, cpu, cuda or mps")
    add("--out", metavar="FILE", help="write the result (safetensors)")
    add("--no-cache", action="store_true", help="compute even what is kept, and keep nothing")
    add("--json", action="store_true", help="print one JSON object")
    add("--list", action="store_true", help="list the metrics and their parameters")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute, tell, write."""
    if options.list:
        return head_lines.list_metrics(as_json=options.json)
    _check(options)
    from engine.heads.registry import find_metric

    metric = find_metric(options.metric)
    parameters = _parameters(options.param, metric)
    images = _images(options)
    from engine.heads.judging import plan_heads
    from engine.models.loading import load_model

    model = load_model(options.model, device=getattr(options, "device", "auto"))
    planned = plan_heads(
        model,
        images,
        metric.name,
        target=options.target,
        only_class=options.only_class,
        keep_one=options.keep_one,
        exact_top=options.top,
        fit=options.fit,
        seed=options.seed,
        **parameters,
    )
    scores, kept = kept_or_computed(
        planned, metric.title, keeping.find_heads, use_kept=not options.no_cache
    )
    if options.out:
        scores.save(options.out)
    if options.json:
        told = {**head_lines.as_object(scores, options.out), "cached": kept}
        print(json.dumps(told, sort_keys=True))
        return 0
    head_lines.tell(scores, options.out)
    if kept:
        print("Computed earlier and kept; --no-cache computes it again.")
    return 0


def _check(options: argparse.Namespace) -> None:
    """Tell what is missing, and a folder that is not there, before the work."""
    if not options.model or not options.metric:
        raise HaloscopeError("name a model with --model and a metric with --metric; or --list")
    if bool(options.image) == bool(options.images):
        raise HaloscopeError("name a picture with --image, or a set of them with --images")
    if options.fit not in FITS:
        raise ParameterError(f"no fit {options.fit!r}; {nearest(options.fit, FITS)}")
    check_places(options.out)


def _parameters(texts: list[str], metric: HeadMetric) -> dict[str, str]:
    """Read name=value; a name that the metric has not is told with the nearest."""
    from engine.parameters import check_all

    given = pairs(texts, "--param")
    check_all(given, metric.parameters, metric.name)
    return given


def _images(options: argparse.Namespace) -> Any:
    from engine.inputs.samples import load_named, load_set

    return (
        load_set(options.images) if options.images else load_named(options.image, fit=options.fit)
    )
