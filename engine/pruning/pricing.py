"""What a sweep costs: pictures through scores, repairs, and every network once."""

from __future__ import annotations

from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.pruning.asking import Asked
from engine.pruning.repairs import repair_cost
from engine.pruning.scoring import scores_cost
from engine.pruning.units import Groups


def sweep_cost(
    model: LoadedModel, groups: Groups, asked: Asked, judged: int, calibrating: int
) -> Cost:
    """Return an upper bound of the passes of a sweep.

    Args:
        model, groups: what is pruned.
        asked: how often.
        judged: pictures that networks are judged on, each once, and once for each corruption at
            each severity.
        calibrating: pictures that they are scored and repaired with.
    """
    cuts = 1 + (len(asked.ratios) - 1) * len(asked.choices)  # at ratio 0 all choices are one
    each = 1 + len(asked.corruptions) * len(asked.severities)
    cost = scores_cost(groups, asked.criteria, calibrating)
    cost += Cost(judged * each * (1 + cuts * len(asked.repairs)))  # the untouched network as well
    for repair in asked.repairs:
        cost += cuts * repair_cost(model, groups, repair, calibrating)
    return cost
