"""``measure_interactions``: one call from a model and data to halos and clouds of pairs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

from engine.execution.cost import Cost
from engine.execution.keeping import Keeper
from engine.execution.passes import Cancel, Progress
from engine.inputs.tables import load_table
from engine.interaction_results import Interactions
from engine.interactions.asking import (
    USUAL_PAIRS,
    Asked,
    Pair,
    check_allowance,
    check_count,
    check_repeats,
    pairs_asked,
)
from engine.interactions.combining import cloud_models, halo_models
from engine.interactions.costing import NESTED, cloud_cost, losses_cost, search_cost, usual_search
from engine.interactions.data import Data
from engine.interactions.retraining import MOST_RETRAINED, check_refittable
from engine.interactions.running import run_interactions
from engine.interactions.table_data import MOST_ASKED, table_data
from engine.interactions.world import World
from engine.manifest import SCHEMA, key_of, versions
from engine.models.loading import load_model
from engine.parameters import check_seed


@dataclass(frozen=True, eq=False)
class InteractionPlan:
    """Interactions that could be computed: what they will be known by, and their cost.

    Attributes:
        data: the model and what judges it.
        pairs: of features; None: the strongest are found first.
        rate: share of L* that a loss may be above it.
        epsilon: the same as a number, instead of the rate; or None.
        repeats: permutations.
        seed: for all that is drawn.
        retrained: how many models are trained again.
        request: all that decides the numbers.
        key: its digest.
        cost: an upper bound of the passes, those of training left out.
        usual: how many it takes as a rule; the bound is for losses that rise and fall.
    """

    data: Data
    pairs: tuple[Pair, ...] | None
    rate: float
    epsilon: float | None
    repeats: int
    seed: int
    retrained: int
    request: dict[str, Any]
    key: str
    cost: Cost
    usual: int

    def run(
        self,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        keeper: Keeper | None = None,
    ) -> Interactions:
        """Compute.

        Args:
            progress: called with passes done and promised.
            cancel: an object with ``is_set()``, looked at before every pass.
            keeper: keeps finished pairs, so that work that was stopped goes on from there.

        Raises:
            ParameterError: L* is 0, and only a rate of it was asked for.
            Cancelled: the caller asked to stop; the model is as it was.
            OutOfMemory: one sample at a time does not fit.
            ModelError: the network returns NaN or infinity, or the estimator fails.
        """
        return run_interactions(self, progress, cancel, keeper)

    def source(self) -> dict[str, Any]:
        """Return names a person would know; they decide nothing."""
        return self.data.source()


def plan_interactions(
    model: Any,
    table: Any,
    *,
    label: str | None = None,
    pairs: Asked = None,
    rate: float = 0.1,
    epsilon: float | None = None,
    repeats: int = 100,
    rows: int | None = None,
    seed: int = 0,
    retrained: int = 0,
) -> InteractionPlan:
    """Check a request and return what it would be known by and cost, without computing it.

    Arguments and errors as in ``measure_interactions``.
    """
    check_seed(seed)
    if rows is not None:
        check_count("rows", rows, 2, MOST_ASKED)
    loaded = load_model(model)
    data = table_data(loaded, load_table(table), label, rows, seed)
    return plan_of(data, pairs, rate, epsilon, repeats, seed, retrained)


def plan_of(
    data: Data,
    pairs: Asked,
    rate: float,
    epsilon: float | None,
    repeats: int,
    seed: int,
    retrained: int = 0,
) -> InteractionPlan:
    """Return the plan for data at hand, of whatever kind."""
    check_seed(seed)
    check_allowance(rate, epsilon)
    check_repeats(repeats, data.count)
    check_count("retrained", retrained, 0, MOST_RETRAINED)
    if retrained:
        check_refittable(data.model)
    found = pairs_asked(data, pairs)
    world = data.bare(repeats)
    effects = _cost(world, found, retrained)
    request = _request(data, found, rate, epsilon, repeats, retrained, seed)
    return InteractionPlan(
        data=data,
        pairs=found,
        rate=rate,
        epsilon=epsilon,
        repeats=repeats,
        seed=seed,
        retrained=retrained,
        request=request,
        key=key_of(request),
        cost=Cost(search_cost(world) + effects),
        usual=usual_search(world) + effects,
    )


def _request(
    data: Data,
    pairs: tuple[Pair, ...] | None,
    rate: float,
    epsilon: float | None,
    repeats: int,
    retrained: int,
    seed: int,
) -> dict[str, Any]:
    """Return all that decides the numbers."""
    model = data.model
    return {
        "schema": SCHEMA,
        "kind": Interactions.kind,
        "model": model.describe(),
        "classes": model.classes_digest,
        **data.identity(),
        "pairs": None if pairs is None else [list(pair) for pair in pairs],
        "rate": None if epsilon is not None else float(rate),
        "epsilon": None if epsilon is None else float(epsilon),
        "repeats": repeats,
        "retrained": retrained,
        "seed": seed,
        "device": model.device.type,
        "dtype": model.dtype,
        "chunk": data.chunk,
        "versions": {**versions(), **model.packages},
    }


def _cost(world: World, pairs: tuple[Pair, ...] | None, retrained: int) -> int:
    """Return how many samples go through the model at the most, those of the search left out."""
    features = world.features
    models, halos = len(cloud_models()[0]), len(halo_models()[0]) * len(NESTED)
    every = tuple(combinations(range(features), 2))
    dearest = max(world.cost_of((feature,), exact=False) for feature in range(features))
    alone = (features + 3 * len(every)) * dearest  # pairs of a wide table take long to look at
    if len(every) <= USUAL_PAIRS:
        alone = sum(cloud_cost(world, pair, 1) for pair in every)
    if pairs is None:
        count = min(USUAL_PAIRS, len(every))
        each = count * _dearest_cloud(world, dearest, models + retrained)
    else:
        count = len(pairs)
        each = sum(cloud_cost(world, pair, models + retrained) for pair in pairs)
    return alone + each + count * losses_cost(world, halos, models)


def _dearest_cloud(world: World, dearest: int, models: int) -> int:
    return cloud_cost(world, (0, 1), models) if world.hides else models * 4 * dearest


def measure_interactions(
    model: Any,
    table: Any,
    *,
    label: str | None = None,
    pairs: Asked = None,
    rate: float = 0.1,
    epsilon: float | None = None,
    repeats: int = 100,
    rows: int | None = None,
    seed: int = 0,
    retrained: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Interactions:
    """Say how strongly pairs of columns interact, for all good models of a kind (li2024exploring).

    The models are f_m(x) = f(m ⊙ x) around a reference f, those whose loss is at most ε above
    its own. The features of a category share one m.

    Args:
        model: the reference: a loaded model, a reference, an ``nn.Module`` or an estimator. An
            estimator's categories keep m = 1, because it is given their names.
        table: rows with the truth, or anything ``load_table`` takes.
        label: the column with the truth; by default the one of the model's card.
        pairs: names or numbers, each ``(a, b)`` or ``"a:b"``. By default all pairs of up to six
            features; of more, the 15 with the largest score of the reference (our definition).
        rate: ε as a share of the reference's loss.
        epsilon: ε itself, instead of the rate; needed where the loss is 0.
        repeats: permutations, 30 or more, shared by all models. Where averaging over all values
            exactly costs no more, it is done instead.
        rows: how many at the most; by default 1000 that differ.
        seed: for rows, permutations and training.
        retrained: how many models to train again, with other seeds, parts of the rows and
            regularisation, as a second way into the set (our definition); 0 for none.
        progress: called with passes done and promised.
        cancel: an object with ``is_set()``, looked at before every pass.

    Raises:
        InputError, ModelError, MethodError, ParameterError: one line each.
        Cancelled: the caller asked to stop.
        OutOfMemory: one sample at a time does not fit.
    """
    planned = plan_interactions(
        model,
        table,
        label=label,
        pairs=pairs,
        rate=rate,
        epsilon=epsilon,
        repeats=repeats,
        rows=rows,
        seed=seed,
        retrained=retrained,
    )
    return planned.run(progress, cancel)
