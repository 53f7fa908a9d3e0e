"""What was found of a model's attention, as lines of its card."""

from __future__ import annotations

from collections.abc import Iterator

from engine.inspection.entry import Entry
from engine.models.loaded import LoadedModel


def attention_entries(model: LoadedModel) -> Iterator[Entry]:
    """Yield layers, heads, tokens and patches; one line on what was not found."""
    calls = model.seen.attention_calls
    if not calls:
        yield Entry("Attention", "none", "seen in one pass")
        return
    yield Entry("Attention", f"{calls} layers", "seen in one pass")
