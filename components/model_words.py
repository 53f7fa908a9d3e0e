"""Sentences about one model of a Rashomon set."""

from __future__ import annotations

import math

from components import saying
from components.interaction_names import listed_pair, masks_told
from components.sign_agreement import SURE
from engine.interaction_results import Interactions


def model_sentence(found: Interactions, pair: int, model: int) -> str:
    """Say what one model is: its masks, its loss, its score against the reference's.

    Args:
        found: the interactions.
        pair: its place in ``found.pairs``.
        model: its place in the cloud; −1 − its place if it was trained again.
    """
    name = listed_pair(found, pair)
    own = float(found.swept(found.scores[pair, 0]))
    if model == 0:
        return (
            f"This is the reference: {found.manifest['display']['loss']} "
            f"{saying.number(found.base_loss, 4)}; its interaction score of {name} is "
            f"{_score(own, float(found.error[pair, 0, 3]))}."
        )
    if model < 0:
        who, loss, score, error = _trained(found, pair, -1 - model)
    else:
        titles = [found.titles[i] for i in found.pairs[pair]]
        who = f"The reference with {masks_told(titles, found.pair_masks(pair)[model])}"
        loss = float(found.loss[pair, model])
        score = float(found.swept(found.scores[pair, model]))
        error = float(found.error[pair, model, 3])
    if not math.isfinite(score):
        return (
            f"{who}: it returns what is not finite, as it is or with features moved: out of bound."
        )
    return (
        f"{who}: {_loss(found, loss)} Its interaction score of {name} is {_score(score, error)}, "
        f"the reference's {saying.signed(own)}."
    )


def _trained(found: Interactions, pair: int, place: int) -> tuple[str, float, float, float]:
    """Return who a model is that was trained again, its loss, its score and its error."""
    losses, scores, errors = found.other_loss, found.other_scores, found.other_error
    if losses is None or scores is None or errors is None or place >= len(losses):
        known = 0 if losses is None else len(losses)
        raise IndexError(f"{known} models were trained again; there is no number {place + 1}")
    who = f"Model {place + 1} of those that were trained again"
    return who, float(losses[place]), float(scores[pair, place]), float(errors[pair, place, 3])


def _score(score: float, error: float) -> str:
    give = f" ± {saying.number(SURE * error, 2)}" if error > 0 else ""
    return f"{saying.signed(score)}{give}"


def _loss(found: Interactions, loss: float) -> str:
    """Say a loss, how far it is above the reference's, and whether that is good enough."""
    apart = loss - found.base_loss
    size = saying.number(abs(apart), 2)
    how = f"{size} above" if apart > 0 else f"{size} below" if apart < 0 else "the same as"
    good = loss <= found.base_loss + found.epsilon
    verdict = "a good model" if good else "out of bound"
    return (
        f"{found.manifest['display']['loss']} {saying.number(loss, 4)}, {how} the reference: "
        f"{verdict}, ε is {saying.number(found.epsilon, 2)}."
    )
