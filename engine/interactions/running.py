"""Computing interactions, stage by stage: search, the reference, pair after pair."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import ParameterError
from engine.execution.chunks import Chunks, telling_out_of_memory
from engine.execution.environment import environment
from engine.execution.keeping import Keeper
from engine.execution.passes import Cancel, Progress, not_finite
from engine.interaction_results import Interactions, PairCloud, masks_of
from engine.interactions.asking import USUAL_PAIRS, Pair
from engine.interactions.combining import cloud_models, halo_models
from engine.interactions.costing import NESTED, cloud_cost, losses_cost
from engine.interactions.counting import Tally
from engine.interactions.effects import OneModel, pair_effects
from engine.interactions.retraining import Others, retrain
from engine.interactions.searching import Found, losses_once, search
from engine.interactions.world import World, permutations
from engine.manifest import key_of

if TYPE_CHECKING:
    from engine.interactions.planning import InteractionPlan

# A loss this small is none: no share of it allows anything.
_NOTHING = 1e-12


@dataclass(frozen=True, eq=False)
class Stage:
    """What all pairs share.

    Attributes:
        plan: what was asked.
        tally: passes of all copies of the model.
        exact: the reference in double precision where it can be: losses and searches.
        quick: the reference as many permutations are asked of it.
        base: L*.
        epsilons: ``(rates,)``, ascending.
        found: the masks.
    """

    plan: InteractionPlan
    tally: Tally
    exact: World
    quick: World
    base: float
    epsilons: np.ndarray
    found: Found


def run_interactions(
    plan: InteractionPlan,
    progress: Progress | None,
    cancel: Cancel | None,
    keeper: Keeper | None,
) -> Interactions:
    """Compute what a plan promises; arguments and errors as in its ``run``."""
    started = time.perf_counter()
    with telling_out_of_memory():
        stage = open_stage(plan, progress, cancel)
        reference = OneModel(stage.quick)
        alone, together = reference.alone(), reference.pairs()
        check_finite(plan, alone[0], together[0][~np.eye(len(alone[0]), dtype=bool)])
        pairs = plan.pairs if plan.pairs is not None else _strongest(together[0])
        _expect(stage, pairs)
        clouds, resumed = _clouds(stage, pairs, keeper)
        others = retrain(plan, stage.tally, pairs, stage.base) if plan.retrained else None
    arrays: dict[str, Any] = {
        **_searched(stage),
        "pairs": np.array(pairs, np.int32),
        **dict(zip(("steps", "signs"), cloud_models(), strict=True)),
        **dict(zip(("halo_steps", "halo_signs"), halo_models(), strict=True)),
        **{name: np.stack([getattr(one, name) for one in clouds]) for name in _OF_PAIRS},
        "halo_loss": np.stack([one.halo_loss for one in clouds], axis=1),
        **dict(zip(("reliance", "reliance_error"), alone, strict=True)),
        **dict(zip(("strength", "strength_error"), together, strict=True)),
        **_of_others(others),
        "regions": plan.data.regions,
    }
    manifest = _manifest(stage, pairs, others, resumed, time.perf_counter() - started)
    return Interactions(manifest=manifest, **arrays)


_OF_PAIRS = ("loss", "effects", "error")


def open_stage(plan: InteractionPlan, progress: Progress | None, cancel: Cancel | None) -> Stage:
    """Ask the reference, settle ε and search for the masks.

    Raises:
        ParameterError: L* is 0, and only a rate of it was asked for.
        ModelError: the reference returns NaN or infinity.
    """
    tally = Tally(plan.usual, plan.cost.forward, progress, cancel)
    data, model = plan.data, plan.data.model
    bank = permutations(data.count, plan.repeats, plan.seed)
    forms = data.exactly(model), data.quickly(model)
    exact = data.world(tally.passes(forms[0]), Chunks(data.chunk), bank)
    quick = exact
    if forms[1] is not forms[0]:
        quick = data.world(tally.passes(forms[1]), Chunks(data.chunk), bank)
    base = float(exact.losses(np.ones((1, exact.features)))[0])
    check_finite(plan, base)
    epsilons = _epsilon(plan, base) * np.array(NESTED)
    return Stage(plan, tally, exact, quick, base, epsilons, search(exact, base, epsilons))


def check_finite(plan: InteractionPlan, *found: np.ndarray | float) -> None:
    """Raise ``ModelError`` if the reference returns NaN or infinity.

    Of a masked model that is no mistake: it is out of the set.
    """
    if not all(np.isfinite(one).all() for one in found):
        raise not_finite(plan.data.model)


def _epsilon(plan: InteractionPlan, base: float) -> float:
    if plan.epsilon is not None:
        return plan.epsilon
    if base <= _NOTHING:
        raise ParameterError(
            f"the loss of {plan.data.model.card.title} is 0 on these samples, so that a rate of it "
            "allows nothing; say how far above it a loss may be: epsilon=0.01 (--epsilon)"
        )
    return plan.rate * base


def _strongest(strength: np.ndarray) -> tuple[Pair, ...]:
    """Return the pairs with the largest score of the reference, strongest first."""
    pairs = list(combinations(range(len(strength)), 2))
    size = np.array([abs(strength[pair]) for pair in pairs])
    return tuple(pairs[place] for place in np.argsort(-size, kind="stable")[:USUAL_PAIRS])


def _expect(stage: Stage, pairs: tuple[Pair, ...]) -> None:
    """Say how many passes are left, now that the search is over."""
    models, halos = len(cloud_models()[0]), len(halo_models()[0]) * len(NESTED)
    clouds = sum(cloud_cost(stage.quick, pair, models + stage.plan.retrained) for pair in pairs)
    stage.tally.expect(clouds + len(pairs) * losses_cost(stage.exact, halos, models))


def _clouds(
    stage: Stage, pairs: tuple[Pair, ...], keeper: Keeper | None
) -> tuple[list[PairCloud], int]:
    """Return the clouds of all pairs, and how many were kept from earlier work."""
    clouds, resumed = [], 0
    for pair in pairs:
        request = _pair_request(stage.plan, pair)
        kept = None if keeper is None else keeper.find(key_of(request))
        if isinstance(kept, PairCloud):
            resumed += 1
            clouds.append(kept)
            continue
        clouds.append(_cloud(stage, pair, request))
        if keeper is not None:
            keeper.keep(clouds[-1])
    return clouds, resumed


def _pair_request(plan: InteractionPlan, pair: Pair) -> dict[str, Any]:
    """Return all that decides the numbers of one pair, whatever is asked beside it."""
    shared = {name: told for name, told in plan.request.items() if name not in _ASIDE}
    return {**shared, "kind": PairCloud.kind, "pair": list(pair)}


_ASIDE = ("pairs", "retrained")


def _cloud(stage: Stage, pair: Pair, request: dict[str, Any]) -> PairCloud:
    started, before = time.perf_counter(), stage.tally.used
    features = np.array(pair)
    steps, signs = cloud_models()
    masks = whole_masks(stage, stage.found.masks[-1], features, steps, signs)
    effects, error = pair_effects(stage.quick, masks, pair)
    halos = [
        losses_once(stage.exact, whole_masks(stage, of_rate, features, *halo_models()))
        for of_rate in stage.found.masks
    ]
    outcome = {"passes": stage.tally.used - before, "seconds": time.perf_counter() - started}
    manifest = {
        "key": key_of(request),
        "request": request,
        "source": stage.plan.source(),
        "display": display_of(stage),
        "outcome": outcome,
    }
    loss = losses_once(stage.exact, masks)
    return PairCloud(
        manifest=manifest,
        loss=np.where(np.isfinite(effects).all(axis=1), loss, np.inf),
        effects=effects,
        error=error,
        halo_loss=np.stack(halos),
    )


def whole_masks(
    stage: Stage, masks: np.ndarray, features: np.ndarray, steps: np.ndarray, signs: np.ndarray
) -> np.ndarray:
    """Return masks over all features for models told by steps and signs, ``(models, p)``."""
    whole = np.ones((len(steps), stage.exact.features))
    whole[:, features] = masks_of(masks, features, steps, signs)
    return whole


def display_of(stage: Stage) -> dict[str, Any]:
    """Return what every finding about interactions shows."""
    data = stage.plan.data
    squared = data.model.activation == "identity"
    return {
        "columns": list(data.columns),
        "titles": list(data.titles),
        "loss": "mean squared error" if squared else "log-loss",
        "unit": "squared units of the output" if squared else "nats",
        "base_loss": stage.base,
        "epsilon": float(stage.epsilons[-1]),
        "rates": [] if stage.base <= _NOTHING else (stage.epsilons / stage.base).tolist(),
        "notes": list(data.notes),
    }


def _searched(stage: Stage) -> dict[str, np.ndarray]:
    found = stage.found
    return {
        "epsilons": stage.epsilons,
        "masks": found.masks,
        "search_loss": found.losses,
        "status": found.status,
    }


def _of_others(others: Others | None) -> dict[str, np.ndarray | None]:
    names = ("loss", "effects", "error")
    return {f"other_{name}": None if others is None else getattr(others, name) for name in names}


def _manifest(
    stage: Stage, pairs: tuple[Pair, ...], others: Others | None, resumed: int, seconds: float
) -> dict[str, Any]:
    plan, quick = stage.plan, stage.quick
    exact = [quick.exact([(i,), (j,), (i, j)]) for i, j in pairs]
    return {
        "key": plan.key,
        "request": plan.request,
        "source": plan.source(),
        "display": {**display_of(stage), "others": [] if others is None else others.told},
        "outcome": {
            "passes": {"forward": stage.tally.used, "backward": 0},
            "seconds": seconds,
            "samples": plan.data.count,
            "searched": stage.found.asked,
            "slow_searches": stage.found.slow,
            "exact_pairs": sum(exact),
            "resumed_pairs": resumed,
            "chunk": stage.quick.chunks.size,
            "environment": environment(plan.data.model.device),
        },
    }
