"""One sentence in plain words under each picture of a table. Plain text: escape it for Markdown."""

from __future__ import annotations

from components.column_words import (
    agreement_sentence,
    groups_sentence,
    scores_sentence,
    swarm_sentence,
)
from components.effect_words import effects_sentence
from components.row_words import nearest_sentence, waterfall_sentence
from components.tree_words import surrogate_sentence
from engine.errors import ResultError
from engine.table_results import (
    Agreement,
    ColumnScores,
    Effects,
    Groups,
    Measured,
    Surrogate,
    Swarm,
)

__all__ = [
    "agreement_sentence",
    "effects_sentence",
    "groups_sentence",
    "nearest_sentence",
    "scores_sentence",
    "sentence_of",
    "surrogate_sentence",
    "swarm_sentence",
    "waterfall_sentence",
]


def sentence_of(result: Measured) -> str:
    """Say in one sentence what was found about the columns, whatever the measure."""
    if isinstance(result, Effects):
        return effects_sentence(result)
    if isinstance(result, Swarm):
        return swarm_sentence(result)
    if isinstance(result, Groups):
        return groups_sentence(result)
    if isinstance(result, Agreement):
        return agreement_sentence(result)
    if isinstance(result, Surrogate):
        return surrogate_sentence(result)
    if isinstance(result, ColumnScores):
        return scores_sentence(result)
    raise ResultError(f"no sentence for a result of kind {result.kind}")
