"""How well a model does with ever more heads off, least important first."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.attention.site import AttentionSites
from engine.attention.sites import attention_sites
from engine.errors import MethodError, ParameterError
from engine.execution.chunks import Chunks, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.head_results import HeadScores, PruningCurve
from engine.heads import asking, telling
from engine.heads.ablation import Ablation, Place, all_heads
from engine.heads.families.ablating import no_classes
from engine.heads.pictures import Pictures, load_pictures
from engine.heads.reuse import find_reuse
from engine.heads.running import Batch, Rows, Run
from engine.inputs.images import Fit
from engine.manifest import key_of
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model

ORDERS = ("least important first", "most important first", "random")
STEPS = 12


@dataclass(frozen=True, eq=False)
class CurvePlan:
    """A curve that could be computed.

    Attributes:
        model: whose heads.
        found: its attention.
        pictures: what it is tested on.
        steps: how many heads are off at each point.
        orders: least important first, most important first, then those drawn.
        request: all that decides the numbers.
        key: its digest.
        cost: an upper bound of the passes.
    """

    model: LoadedModel
    found: AttentionSites
    pictures: Pictures
    steps: tuple[int, ...]
    orders: tuple[tuple[Place, ...], ...]
    request: dict[str, Any]
    key: str
    cost: Cost

    def run(self, progress: Progress | None = None, cancel: Cancel | None = None) -> PruningCurve:
        """Compute; errors as those of ``HeadPlan.run``."""
        started = time.perf_counter()
        passes = Passes(self.model, self.cost, progress, cancel)
        passes.check()
        run = Run(
            model=self.model,
            found=self.found,
            pictures=self.pictures,
            target=None,
            only=None,
            keep_one=False,
            parameters={},
            seed=self.request["seed"],
            passes=passes,
            chunks=Chunks(self.request["chunk"]),
        )
        with telling_out_of_memory():
            rows = self._rows(run)
        manifest = {
            "key": self.key,
            "request": self.request,
            "source": telling.source_of(self.model, self.pictures),
            "display": {
                "orders": list(ORDERS),
                "units": {"accuracy": "share of right answers", "loss": "cross-entropy (nats)"},
                **telling.layers_told(self.found),
            },
            "outcome": telling.outcome_of(run, started),
        }
        accuracy, accuracy_error = self._by_order(rows["right"])
        loss, loss_error = self._by_order(rows["loss"])
        off = np.array(self.steps, dtype=np.int32)
        return PruningCurve(manifest, off, accuracy, accuracy_error, loss, loss_error)

    def _rows(self, run: Run) -> Rows:
        """Return right answers and losses, float64 ``(pictures, orders, steps)``."""
        reuse = find_reuse(self.model)
        sets = [order[:count] for order in self.orders for count in self.steps]

        def work(batch: Batch, size: int) -> Rows:
            ablation = Ablation(run.passes, run.sites, reuse)
            said, others = ablation.outputs(batch.x, [one for one in sets if one], size)
            classes, _ = run.classes(batch, said), run.used(batch, said)
            right = (said.predicted == classes).double().numpy()
            loss = -said.log_p_of(classes).numpy()
            found = {name: np.tile(row, (len(sets), 1)) for name, row in
                     (("right", right), ("loss", loss))}  # fmt: skip
            places = [place for place, one in enumerate(sets) if one]
            for chosen, without in others:
                into = [places[place] for place in chosen]
                found["right"][into] = (without.predicted == classes).double().numpy()
                found["loss"][into] = -without.log_p_of(classes).numpy()
            run.blocks.update(ablation.counted)
            shape = (len(self.orders), len(self.steps), len(batch.x))
            return {name: np.moveaxis(each.reshape(shape), 2, 0) for name, each in found.items()}

        return run.collect(4, work)

    def _by_order(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard error over pictures, ``(3, steps)``; drawn orders as one."""
        each = np.stack([rows[:, 0], rows[:, 1], rows[:, 2:].mean(axis=1)], axis=1)
        spread = each.std(axis=0, ddof=1) if len(each) > 1 else np.full(each.shape[1:], np.nan)
        error = spread / np.sqrt(len(each))
        return each.mean(axis=0).astype(np.float32), error.astype(np.float32)


def plan_curve(
    model: Any,
    images: Any,
    ranking: HeadScores | Sequence[Place],
    *,
    steps: Sequence[int] | None = None,
    drawn: int = 5,
    fit: Fit = "crop",
    seed: int = 0,
) -> CurvePlan:
    """Check a request and return what it would be known by and cost, without computing it.

    Args:
        model: a loaded model, a reference, or an ``nn.Module``.
        images: as in ``head_scores``; pictures without a label count as right where the answer
            is that of the whole model. Rank heads on others than they are tested on.
        ranking: scores of all heads, or layer and head of each, the most important first.
        steps: how many heads are off at each point; by default 0, all, and ten between.
        drawn: how many random orders.
        fit, seed: as in ``head_scores``.

    Raises:
        MethodError: heads that cannot be gated, with the reason.
        ParameterError: a ranking of other heads, or steps that are no numbers of heads.
        InputError, ModelError: one line each.
    """
    loaded = load_model(model)
    found = attention_sites(loaded)
    reason = found.problem or no_classes(loaded)
    if reason:
        raise MethodError(reason)
    asking.check_seed(seed)
    heads = all_heads(found.sites)
    first = ranking.ranking if isinstance(ranking, HeadScores) else [tuple(one) for one in ranking]
    if sorted(first) != heads:
        raise ParameterError(
            f"the ranking has {len(first)} heads; expected each of the model's {len(heads)} once"
        )
    at = _steps(steps, len(heads))
    orders = [first[::-1], first, *_drawn(heads, drawn, seed)]
    pictures = load_pictures(loaded, images, fit)
    request = asking.request_for(
        loaded,
        pictures,
        PruningCurve.kind,
        seed,
        ranking=[list(place) for place in first],
        steps=list(at),
        drawn=drawn,
    )
    return CurvePlan(
        model=loaded,
        found=found,
        pictures=pictures,
        steps=at,
        orders=tuple(tuple((layer, head) for layer, head in order) for order in orders),
        request=request,
        key=key_of(request),
        cost=Cost(len(pictures) * (1 + len(orders) * sum(count > 0 for count in at))),
    )


def _steps(given: Sequence[int] | None, heads: int) -> tuple[int, ...]:
    if given is None:
        return tuple(sorted({round(heads * step / (STEPS - 1)) for step in range(STEPS)}))
    if not given or any(not 0 <= step <= heads for step in given):
        raise ParameterError(f"steps={list(given)}: expected numbers of heads, 0 to {heads}")
    return tuple(int(step) for step in given)


def _drawn(heads: Sequence[Place], count: int, seed: int) -> list[list[Place]]:
    if count < 1:
        raise ParameterError(f"drawn={count}: at least one random order is needed")
    draws = (np.random.default_rng([seed % 2**32, index]) for index in range(count))
    return [[heads[place] for place in draw.permutation(len(heads))] for draw in draws]
