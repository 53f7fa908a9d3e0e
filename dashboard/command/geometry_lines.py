"""Where pictures lie at the classifier, as lines on the terminal and as one JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.command.prune_lines import known, many, share, tell_left_out

if TYPE_CHECKING:
    from engine.prune_results import Geometry


def as_object(found: Geometry, out: str | None) -> dict[str, Any]:
    """Return what ``--json`` prints; ``out`` is where the result was written."""
    return {**found.manifest, "out": out, "found": _rows(found), "tree": _tree(found)}


def _rows(found: Geometry) -> list[dict[str, Any]]:
    """Return the medians of each network and benchmark, and where it lies on the map."""
    from components.geometry_names import MEASURES, middle
    from engine.scores import share_of

    sets, rows = len(found.benchmarks), []
    for place in range(len(found.models) * sets):
        model, benchmark = divmod(place, sets)
        medians = {name: known(middle(found, name, model, benchmark)) for name in MEASURES}
        rows.append(
            {
                "model": found.models[model],
                "benchmark": found.benchmarks[benchmark],
                "right": share(share_of(found.right[model, benchmark])),
                "median": medians,
                "place": [known(float(one)) for one in found.places[place]],
            }
        )
    return rows


def _tree(found: Geometry) -> list[dict[str, Any]]:
    lengths = found.tree_lengths.tolist()
    return [
        {"between": pair, "length": length}
        for pair, length in zip(found.tree.tolist(), lengths, strict=True)
    ]


def tell(found: Geometry, out: str | None) -> None:
    """Print the medians, and what becomes of the pictures of each network."""
    from components.prune_words import geometry_sentence

    source, display = found.manifest["source"], found.manifest["display"]
    print(f"Pictures at the classifier of {source['model_title']}: "
          f"{many(len(found.labels), 'picture')} of {source['images']}")  # fmt: skip
    rows = _rows(found)
    width = max(len(f"{row['model']} on {row['benchmark']}") for row in rows)
    print(f"{'':{width + 2}}{'right %':>9}{'angle °':>9}{'norm':>9}{'margin':>9}")
    for row in rows:
        numbers = (100 * row["right"]["value"], *row["median"].values())
        cells = "".join(f"{'—' if one is None else format(one, '9.3g'):>9}" for one in numbers)
        print(f"  {row['model'] + ' on ' + row['benchmark']:{width}}{cells}")
    last = len(found.models) - 1
    worst = int(np.argmin(found.right[last].mean(axis=-1)))
    for model, benchmark in dict.fromkeys([(0, 0), (last, 0), (last, worst)]):
        print(geometry_sentence(found, model, benchmark))
    for note in display["notes"]:
        print(f"Note: {note}.")
    tell_left_out(found.manifest["outcome"]["skipped"])
    if out:
        print(f"Written: {out}")
