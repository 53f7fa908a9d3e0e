"""Choosing a set of pictures: one at hand, or a folder or CSV file on this machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from components.words import sentence
from dashboard.running import scoring
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.inputs.image_sets import ImageSet
from engine.inputs.samples import sample_sets

OWN = "own"


def choose(sets: Sequence[str], key: str, label: str = "Pictures") -> str:
    """Show the chooser; return the name of a set at hand, or ``OWN``.

    Args:
        sets: names of the sets at hand that suit.
        key: of the widget.
        label: above it.
    """
    titles = {found.name: found.title for found in sample_sets()} | {OWN: "Your own folder or CSV"}
    options = [*sets, OWN]
    restore.valid(key, options)
    return st.selectbox(
        label, options, format_func=titles.__getitem__, key=key, persist_state="session"
    )


def images(chosen: str, key: str) -> ImageSet | None:
    """Return the chosen set; of ``OWN`` ask where it is, and say what is wrong with that.

    Args:
        chosen: of ``choose``.
        key: of the widget that asks for the path.
    """
    if chosen != OWN:
        return scoring.images(chosen, 0.0)
    restore.aloud(key, "")
    path = st.text_input(
        "Folder or CSV file on this machine", key=key, persist_state="session",
        placeholder="/pictures/test",
        help="A folder that holds one folder for each class, or a CSV with the columns path and "
        "label. Without labels the share of answers that stay is told.",
    ).strip()  # fmt: skip
    if not path:
        return None
    place = Path(path).expanduser()
    try:
        return scoring.images(str(place), place.stat().st_mtime if place.exists() else 0.0)
    except HaloscopeError as error:
        st.error(sentence(str(error)))
        return None


def evenly(images: ImageSet, count: int) -> ImageSet:
    """Return so many pictures of a set, of each class the same share; all where it has fewer."""
    if len(images) <= count:
        return images
    sizes, seen = Counter(images.labels), Counter[str | None]()
    ranks = []
    for place, label in enumerate(images.labels):
        ranks.append(((seen[label] + 0.5) / sizes[label], place))
        seen[label] += 1
    return images.part(sorted(place for _, place in sorted(ranks)[:count]))
