"""Previews of masks as lines on the terminal, and as one JSON object."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from dashboard.command.listing import describe, parameter_rows

if TYPE_CHECKING:
    from engine.mask_results import MaskPreview
    from engine.masking.generators.generator import Generator

_TOLD = 5
_SHOWN = 10


def as_object(preview: MaskPreview, options: argparse.Namespace, *, cached: bool) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    return {
        **preview.manifest,
        "out": options.out,
        "png": options.png,
        "cached": cached,
        "grid": list(preview.keep.shape[1:]),
        "before": _top(preview, 0),
        "masks": [
            {"hidden": float(share), "after": _top(preview, index)}
            for index, share in enumerate(preview.hidden, start=1)
        ],
    }


def _top(preview: MaskPreview, row: int) -> list[dict[str, Any]]:
    order = (-preview.logits[row]).argsort(kind="stable")[:_TOLD]
    return [
        {
            "index": int(index),
            "name": preview.classes[index],
            "probability": float(preview.probabilities[row, index]),
        }
        for index in order
    ]


def tell(preview: MaskPreview, written: tuple[str | None, ...]) -> None:
    """Print what was hidden, and what is predicted before and after."""
    from components.predictions import percent

    source, request = preview.manifest["source"], preview.manifest["request"]
    rows, columns = preview.keep.shape[1:]
    reached = percent(float(preview.hidden.mean()))
    print(f"{source['generator_title']}: {reached} of {rows} × {columns} cells hidden")
    drawn = request["generator"]["name"] == "drawn"
    guided = f"; guided by {source['guide_title']}" if source["guide_title"] and not drawn else ""
    print(f"({source['model_title']}; {source['input']}; {source['fill_title']}{guided})")
    asked = request["hidden"]
    if not preview.manifest["display"]["exact"] and not drawn:
        print(f"Asked for {percent(asked)}; this is the nearest that it can do.")
    before = int(preview.logits[0].argmax())
    name, share = preview.classes[before], float(preview.probabilities[0, before])
    print(f"Before: {name} ({percent(share)})")
    for index in range(1, min(len(preview.logits), _SHOWN + 1)):
        print(f"{_called(preview, index)}: {_after(preview, index, before)}")
    if len(preview.keep) > _SHOWN:
        print(f"  … and {len(preview.keep) - _SHOWN} more; --json has all")
    for path in written:
        if path:
            print(f"Written: {path}")


def _called(preview: MaskPreview, index: int) -> str:
    return "After" if len(preview.keep) == 1 else f"Mask {index}"


def _after(preview: MaskPreview, index: int, before: int) -> str:
    from components.predictions import percent

    shares = preview.probabilities[index]
    best = int(preview.logits[index].argmax())
    told = f"{preview.classes[best]} ({percent(float(shares[best]))})"
    if best == before:
        return told
    return f"{told}; {preview.classes[before]} {percent(float(shares[before]))}"


def list_generators(*, as_json: bool) -> int:
    """Print all generators with their parameters, and the fills; return 0."""
    from engine.masking.fills.registry import FILLS
    from engine.masking.generators.registry import generators

    rows = [_row(found) for found in generators().values()]
    fills = [
        {"name": one.name, "title": one.title, "summary": one.summary} for one in FILLS.values()
    ]
    if as_json:
        print(json.dumps({"generators": rows, "fills": fills}))
        return 0
    for row in rows:
        guided = f"; guided by {row['guide']}" if row["guide"] else ""
        share = "an exact share" if row["exact"] else "the nearest share"
        print(f"{row['name']}  ({row['title']}; {share}{guided})")
        describe(row)
    print("Fills: " + ", ".join(f"{fill['name']} ({fill['title']})" for fill in fills))
    return 0


def _row(found: Generator) -> dict[str, Any]:
    from engine.bibliography import paper

    return {
        "name": found.name,
        "title": found.title,
        "summary": found.summary,
        "guide": found.guide,
        "exact": found.exact,
        "drawn": found.drawn,
        "paper_hidden": found.paper_hidden,
        "paper": paper(found.paper).cite() if found.paper else "",
        "caveat": found.caveat,
        "parameters": parameter_rows(found.parameters),
    }
