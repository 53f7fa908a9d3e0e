"""One sentence in plain words under each picture of a table. Plain text: escape it for Markdown."""

from components.column_words import (
    agreement_sentence,
    groups_sentence,
    scores_sentence,
    swarm_sentence,
)
from components.effect_words import effects_sentence
from components.row_words import nearest_sentence, waterfall_sentence
from components.tree_words import surrogate_sentence

__all__ = [
    "agreement_sentence",
    "effects_sentence",
    "groups_sentence",
    "nearest_sentence",
    "scores_sentence",
    "surrogate_sentence",
    "swarm_sentence",
    "waterfall_sentence",
]
