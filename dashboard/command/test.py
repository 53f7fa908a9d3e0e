"""``haloscope test``: how often a model is right on an image set."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.command.places import check_places
from dashboard.command.progress import Progress
from engine.errors import ParameterError, nearest
from engine.inputs.images import FITS

if TYPE_CHECKING:
    from engine.inputs.image_sets import ImageSet
    from engine.scores import Scores

_MIXED_UP = 5
_LISTED = 5


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("test", help="say how often a model is right on an image set")
    add = parser.add_argument
    add("--model", required=True, metavar="REF", help="a model; `haloscope models` lists them")
    add(
        "--images", required=True, metavar="SET",
        help="a folder of class folders, a CSV with path, label, mask, or a set at hand (scenes)",
    )  # fmt: skip
    add("--fit", default="crop", metavar="HOW", help="crop (default) or letterbox")
    add("--device", default=argparse.SUPPRESS, help="auto, cpu, cuda or mps")
    add("--out", metavar="FILE", help="write the result (safetensors)")
    add("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute, tell, write."""
    if options.fit not in FITS:
        raise ParameterError(f"no fit {options.fit!r}; {nearest(options.fit, FITS)}")
    check_places(options.out)
    from engine.inputs.samples import load_set

    images = load_set(options.images)
    from engine.evaluation.scoring import plan_scores
    from engine.models.loading import load_model

    model = load_model(options.model, device=getattr(options, "device", "auto"))
    planned = plan_scores(model, images, fit=options.fit)
    with Progress(f"{model.card.title} on {images.name}") as progress:
        scores = planned.run(progress)
    if options.out:
        scores.save(options.out)
    skipped = _skipped(images, scores)
    if options.json:
        print(json.dumps(_told(scores, skipped, options.out), sort_keys=True))
    else:
        _tell(scores, skipped, options.out)
    return 0


def _skipped(images: ImageSet, scores: Scores) -> list[list[str]]:
    listed = [[left_out.name, left_out.reason] for left_out in images.skipped]
    return listed + scores.manifest["outcome"]["skipped"]


def _told(scores: Scores, skipped: list[list[str]], out: str | None) -> dict[str, Any]:
    accuracy, calibration = scores.accuracy(), scores.calibration()
    labelled = bool(scores.labelled.any())
    return {
        **scores.manifest,
        "out": out,
        "pictures": len(scores.labels),
        "labelled": accuracy.count,
        "accuracy": accuracy.value if labelled else None,
        "accuracy_interval": [accuracy.low, accuracy.high] if labelled else None,
        "accuracy_top5": scores.accuracy(5).value if labelled else None,
        "calibration_error": calibration.error if labelled else None,
        "mixed_up": _mixed_up(scores, None),
        "skipped": skipped,
    }


def _tell(scores: Scores, skipped: list[list[str]], out: str | None) -> None:
    accuracy = scores.accuracy()
    if accuracy.count:
        print(
            f"Right: {100 * accuracy.value:.1f} % of {accuracy.count} pictures "
            f"(95 % interval {100 * accuracy.low:.1f} to {100 * accuracy.high:.1f})"
        )
        print(f"Calibration error: {100 * scores.calibration().error:.1f} points")
        for row in _mixed_up(scores, _MIXED_UP):
            print(f"  {row['true']} taken for {row['predicted']}: {row['count']}")
    else:
        print(f"{len(scores.labels)} pictures, none with a label: nothing to be right about")
    unknown = len(scores.labels) - accuracy.count
    if accuracy.count and unknown:
        print(f"Not counted: {unknown} pictures without a label that the model knows")
    if skipped:
        print(f"Left out: {len(skipped)} files", file=sys.stderr)
        for name, reason in skipped[:_LISTED]:
            print(f"  {name}: {reason}", file=sys.stderr)
        if len(skipped) > _LISTED:
            print(f"  … and {len(skipped) - _LISTED} more; --json has all", file=sys.stderr)
    if out:
        print(f"Written: {out}")


def _mixed_up(scores: Scores, count: int | None) -> list[dict[str, Any]]:
    """Return the pairs of classes that are mixed up, the most frequent first."""
    table, names = scores.confusion(), scores.manifest["source"]["classes"]
    np.fill_diagonal(table, 0)
    rows, columns = np.nonzero(table)
    order = np.argsort(-table[rows, columns], kind="stable")[:count]
    return [
        {
            "true": names[rows[i]],
            "predicted": names[columns[i]],
            "count": int(table[rows[i], columns[i]]),
        }
        for i in order
    ]
