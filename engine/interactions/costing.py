"""What a search may cost."""

from __future__ import annotations

from engine.interaction_results import STEPS
from engine.interactions.walking import CAP, PER_UNIT, STILL
from engine.interactions.world import World

# Each ε is searched on its own; nested halos, as shares of the one that was asked for.
NESTED = (0.2, 0.4, 0.6, 0.8, 1.0)


# Places that are asked before brackets close, and on each budget's bracket.
_LOOKS = 40 + STILL
_CLOSING = 30


def search_cost(world: World) -> int:
    """Return an upper bound: what the slow search asks, whole steps to the cap and back."""
    each = CAP // (PER_UNIT // 10) + (STEPS + 1) * 4 * (10 + world.ahead)  # the slow search
    closing = _LOOKS + len(NESTED) * (STEPS + 1) * _CLOSING
    directions = 2 * int(world.maskable.sum())
    return world.cost_of_loss * directions * (len(NESTED) * (each + STEPS + 1) + closing)


def usual_search(world: World) -> int:
    """Return what a search takes as a rule, where losses rise steadily."""
    return world.cost_of_loss * 2 * int(world.maskable.sum()) * (world.usual + len(NESTED) * STEPS)


def cloud_cost(world: World, pair: tuple[int, int], models: int) -> int:
    """Return how many samples the effects of some models on a pair take, and their losses."""
    subsets = ((pair[0],), (pair[1],), pair)
    exact = world.exact(subsets)
    each = [world.cost_of(one, exact=exact) for one in subsets]
    if world.hides:  # what is left of a model is the other feature's m: few
        return each[0] * (models + 2 * 2 * (STEPS + 1) + 1)
    return models * (sum(each) + world.cost_of_loss)


def losses_cost(world: World, halos: int, models: int) -> int:
    """Return how many samples the losses of a pair's halos and of its cloud take, once more."""
    return world.cost_of_loss * (halos + (0 if world.remembers else models))
