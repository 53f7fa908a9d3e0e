"""Taking models, result and figure away."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import streamlit as st

from components import sheet
from dashboard.explore import link as copy_link
from dashboard.interactions.looked import Drawn
from dashboard.tables import export
from engine.interaction_results import Interactions

_HEADER = (
    "first", "second", "model", "first step", "second step", "first sign", "second sign",
    "first mask", "second mask", "loss", "in set", "effect of first", "effect of second",
    "effect of both", "score", "standard error",
)  # fmt: skip


def menu(found: Interactions, drawn: Drawn | None, view: str, told: str) -> None:
    """Show the downloads and the link; files are made when they are asked for.

    Args:
        found: the interactions.
        drawn: the figure of the view, if there is one.
        view: its name.
        told: of what it is.
    """
    name = file_name(found)
    with st.container(horizontal=True, horizontal_alignment="right", key="tools"):
        with st.popover("Export", icon=":material/download:"):
            export.button(
                "Models (CSV)", "csv", lambda: as_csv(found), name, "text/csv", "table", _KEY
            )
            if drawn is not None:
                export.button(
                    "Figure (HTML)", "html", lambda: as_page(drawn, f"{name}-{view}", told),
                    f"{name}-{view}", "text/html", "image", _KEY,
                )  # fmt: skip
                st.caption("Needs no network; its camera saves a picture (PNG).")
            export.data(found, name, _KEY)
        copy_link.button()


_KEY = "interactions-"
_LEAST = 528  # pixels: a swarm's dots are laid for as much


def as_page(drawn: Drawn, name: str, told: str) -> str:
    """Return a figure as a file of its own, which says of what it is and saves a PNG."""
    return sheet.page(
        drawn.figure, title=drawn.title, of=told, words=drawn.words, name=name, least=_LEAST
    )


def file_name(found: Interactions) -> str:
    """Return a name for the files: "interactions-compas-logistic-regression-1a2b3c4d"."""
    source = found.manifest["source"]
    words = f"interactions {source['model_title']} {source['table']} {found.key[:8]}"
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def as_csv(found: Interactions) -> str:
    """Return one line for each model of each pair; those trained again have no mask."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_HEADER)
    for pair in range(len(found.pairs)):
        writer.writerows(_cloud(found, pair))
        writer.writerows(_others(found, pair))
    return out.getvalue()


def _cloud(found: Interactions, pair: int) -> Iterator[list[Any]]:
    names = [found.columns[feature] for feature in found.pairs[pair]]
    masks, inside, scores = found.pair_masks(pair), found.members()[pair], found.scores[pair]
    for model in range(len(found.steps)):
        yield [
            *names,
            model,
            *found.steps[model].tolist(),
            *found.signs[model].tolist(),
            *_told(*masks[model], found.loss[pair, model]),
            int(inside[model]),
            *_told(*found.effects[pair, model], scores[model], found.error[pair, model, 3]),
        ]


def _others(found: Interactions, pair: int) -> Iterator[list[Any]]:
    scores = found.other_scores
    if found.other_loss is None or found.other_effects is None or scores is None:
        return
    assert found.other_error is not None
    names = [found.columns[feature] for feature in found.pairs[pair]]
    inside = found.other_members()
    for model, loss in enumerate(found.other_loss):
        effects, error = found.other_effects[pair, model], found.other_error[pair, model, 3]
        yield [
            *names,
            f"trained again {model + 1}",
            *[""] * 6,
            *_told(loss),
            int(inside[model]),
            *_told(*effects, scores[pair, model], error),
        ]


def _told(*values: float) -> list[str]:
    return [f"{float(value):.9g}" for value in values]
