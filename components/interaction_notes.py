"""What to know before interactions are believed: how the search went, how exact the scores are."""

from __future__ import annotations

import numpy as np

from components import saying
from components.interaction_names import features_of, is_one_picture, samples_of
from components.sign_agreement import SURE
from engine.halo_shapes import NO_EFFECT, NOT_MASKABLE, NOT_REACHABLE
from engine.interaction_results import Interactions

_WAYS = {(True, False): "going up", (False, True): "going down", (True, True): "going either way"}


def notes(found: Interactions) -> list[str]:
    """Return what to know, one sentence each."""
    display = found.manifest["display"]
    told = [*searched(found), *_exact(found), *_trained(found)]
    if not display["rates"]:
        told.append("The reference's loss is 0: ε is a number, and no share of it.")
    return [*told, *(saying.begun(f"{note}.") for note in display["notes"])]


def not_spent(found: Interactions, pair: int, rate: int = -1) -> list[str]:
    """Say which budgets of a pair's features were not spent, one phrase for each reason."""
    return _phrases(found, found.status[rate], [int(i) for i in found.pairs[pair]])


def searched(found: Interactions) -> list[str]:
    """Say how the search went, one sentence for each thing that is out of the ordinary."""
    everything = list(range(len(found.columns)))
    told = [f"{saying.begun(p)}." for p in _phrases(found, found.status[-1], everything)]
    slow = int(found.outcome.get("slow_searches", 0))
    if slow:
        told.append(
            f"The loss rises and falls along {saying.counted(slow, 'direction')}: "
            f"{'it was' if slow == 1 else 'they were'} searched step by step."
        )
    broken = found.not_finite
    if broken:
        told.append(
            f"{saying.counted(broken, 'masked model')} {'returns' if broken == 1 else 'return'} "
            f"what is not finite, and {'is' if broken == 1 else 'are'} out of the set."
        )
    return told


def _phrases(found: Interactions, status: np.ndarray, features: list[int]) -> list[str]:
    """Say what became of searches, of status ``(11, features, 2)``."""
    told = []
    fixed = [i for i in features if (status[:, i] == NOT_MASKABLE).any()]
    for way, idle in _by_way(status == NO_EFFECT, features):
        stay = "its mask stays where it is" if len(idle) == 1 else "their masks stay where they are"
        names = features_of(found, idle)
        masking = f"masking {names}" if all(way) else f"m of {names} {_WAYS[way]}"
        told.append(f"{masking} makes no difference to the loss: {stay}")
    if fixed:
        told.append(
            f"{features_of(found, fixed)} cannot be masked, for the model is given names of "
            "categories"
        )
    for way, short in _by_way(status == NOT_REACHABLE, features):
        told.append(
            f"the loss does not rise far enough with m of {features_of(found, short)} "
            f"{_WAYS[way]}: not every budget up to ε can be spent"
        )
    return told


def _by_way(states: np.ndarray, features: list[int]) -> list[tuple[tuple[bool, bool], list[int]]]:
    """Return features by the ways in which they have a state at any budget; others are left out.

    Args:
        states: bool ``(11, features, 2)``.
        features: to be told.
    """
    ways = {i: (bool(states[:, i, 0].any()), bool(states[:, i, 1].any())) for i in features}
    told = [(way, [i for i in features if ways[i] == way]) for way in _WAYS]
    return [(way, some) for way, some in told if some]


def _exact(found: Interactions) -> list[str]:
    exact, pairs = int(found.outcome.get("exact_pairs", 0)), len(found.pairs)
    most = float(found.error[..., 3][found.members()].max(initial=0.0))
    if is_one_picture(found):
        return ["Scores are exact for this one picture: nothing is drawn."]
    rows = samples_of(found)
    if most == 0 or exact == pairs:
        return [f"Scores are exact on these {rows}: averages over all permutations."]
    repeats = found.manifest["request"].get("repeats")
    drawn = f"{repeats} drawn permutations" if repeats else "drawn permutations"
    some = f" ({exact} of {saying.counted(pairs, 'pair')} exact)" if exact else ""
    return [
        f"Scores are means over {drawn} of {rows}{some}: ± {saying.number(SURE * most, 2)} at the "
        "most, two standard errors."
    ]


def _trained(found: Interactions) -> list[str]:
    if found.other_loss is None:
        return []
    count, inside = len(found.other_loss), int(found.other_members().sum())
    return [
        f"{saying.counted(count, 'model')} {'was' if count == 1 else 'were'} trained again; "
        f"{inside or 'none'} of them {'is' if inside == 1 else 'are'} as good."
    ]
