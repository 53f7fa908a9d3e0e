"""Heads switched off by hand, and the prediction beside the original."""

from __future__ import annotations

from collections.abc import Collection

from engine.attention.gates import gated
from engine.attention.sites import attention_sites
from engine.errors import MethodError, ParameterError
from engine.execution.passes import Passes
from engine.execution.predict import predict_prepared
from engine.head_results import HeadScores
from engine.heads.ablation import Place, check_heads, gates_of
from engine.models.loaded import LoadedModel, ModelInput
from engine.results import Prediction


def with_heads_off(
    model: LoadedModel, given: ModelInput, off: Collection[Place]
) -> tuple[Prediction, Prediction]:
    """Predict with all heads, and with some of them off; two forward passes.

    Args:
        model: a loaded model.
        given: an image, anything ``load_image`` takes, or a prepared tensor.
        off: layer and head of each that is off, counted from 0.

    Raises:
        MethodError: the model's heads cannot be gated, or a head that it does not have.
        InputError: the input cannot be read, or does not suit the model.
    """
    found = attention_sites(model)
    if found.problem:
        raise MethodError(found.problem)
    check_heads([off], found.sites)
    passes, x = Passes(model), model.prepare(given)
    before = predict_prepared(passes, x)
    with gated(gates_of([off], found.sites)):
        return before, predict_prepared(passes, x)


def least_important(scores: HeadScores, share: float) -> set[Place]:
    """Return the least important heads.

    Args:
        scores: of any metric.
        share: of all heads, 0 to 1; rounded to whole heads.

    Raises:
        ParameterError: the share lies outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ParameterError(f"share={share}: a share lies between 0 and 1")
    order = scores.ranking
    return set(order[len(order) - round(share * len(order)) :])
