"""How a network's logits become probabilities: told, or seen."""

from __future__ import annotations

from typing import cast

from engine.models.discovery import Discovery
from engine.models.outputs import Activation
from engine.models.specs import InputSpec
from engine.models.table_specs import TableSpec

_OWN = {
    "softmax": "it ends in a softmax of its own; the logits before it are read",
    "log-softmax": "it ends in a log-softmax of its own; the logits before it are read",
    "sigmoid": "it ends in a sigmoid of its own; the logits before it are read",
}


def activation_of(
    spec: InputSpec, seen: Discovery, told: str
) -> tuple[Activation, tuple[str, ...]]:
    """Return how logits become probabilities, with notes on what was seen.

    Args:
        spec: what the network wants; a regression is told by its table.
        seen: what one pass told.
        told: what the caller or the network's library says, or "".
    """
    notes = (_OWN[seen.squash],) if seen.squash else ()
    if told:
        return cast(Activation, told), notes
    if isinstance(spec, TableSpec) and spec.task == "regression":
        return "identity", notes
    if seen.classes == 1:
        one = "one output, read through a sigmoid as the probability of its class"
        return "sigmoid", (*notes, one)
    if seen.squash == "sigmoid":
        return "sigmoid", (*notes, "several classes may be right at once: each has a probability")
    return "softmax", notes
