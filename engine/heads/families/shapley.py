"""Shapley values of heads as players, from orders drawn at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.attention.site import AttentionSites
from engine.execution.cost import Cost
from engine.heads.ablation import Ablation, Place
from engine.heads.families.ablating import no_classes
from engine.heads.metric import Family, HeadMetric
from engine.heads.reuse import find_reuse
from engine.heads.running import Batch, Rows, Run
from engine.heads.said import Said
from engine.models.loaded import LoadedModel
from engine.parameters import Value

Players = list[Place]
ORDERS = "orders"


class Shapley(Family):
    """Heads are switched off one after the other, in orders drawn for each picture."""

    name = "shapley"
    cost_told = "a pass for each head and order"
    exact = True
    asks_class = True
    drawn = True

    def cost(
        self,
        found: AttentionSites,
        pictures: int,
        parameters: Mapping[str, Value],
        keep_one: bool,
        places: int | None = None,
    ) -> Cost:
        """Each picture as it is, without any head, and once for each step of each order."""
        heads = sum(site.heads for site in found.sites)
        return Cost(pictures * (2 + int(parameters["permutations"]) * (heads - 1)))

    def compute(self, run: Run, metrics: Sequence[HeadMetric]) -> Rows:
        """Return what each head adds, mean over a picture's orders; and each order, ``ORDERS``."""
        reuse = find_reuse(run.model)
        count = int(run.parameters["permutations"])

        def work(batch: Batch, size: int) -> Rows:
            drawn = [_orders(run, number, count) for number in batch.numbers]
            ablation = Ablation(run.passes, run.sites, reuse)
            added, used = [], np.zeros(0, dtype=bool)
            for place in range(len(batch.x)):
                one = Batch(
                    batch.x[place : place + 1],
                    batch.labels[place : place + 1],
                    batch.numbers[place : place + 1],
                )
                values, of_class = _added(run, ablation, one, drawn[place], size)
                added.append(values)
                used = np.append(used, of_class)
            run.blocks.update(ablation.counted)
            orders = np.stack(added)[used]  # (used, orders, heads)
            return {metric.name: orders.mean(axis=1) for metric in metrics} | {ORDERS: orders}

        return run.collect(1, work)

    def refusal(self, model: LoadedModel, found: AttentionSites) -> str:
        """Of a regression there are no classes."""
        return no_classes(model)


def _added(
    run: Run, ablation: Ablation, one: Batch, orders: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return what each head adds in each order, ``(orders, heads)``, for one picture.

    A head that goes in an order takes with it what the model loses at that step.
    """
    heads = run.heads
    sets: list[Players] = [list(heads)]
    for order in orders:
        gone = [heads[player] for player in order]
        sets += [gone[:many] for many in range(1, len(heads))]
    said, others = ablation.outputs(one.x, sets, size)
    classes = run.classes(one, said)
    worth = _worth(run.parameters)
    found = np.empty(len(sets))
    for chosen, without in others:
        found[chosen] = worth(without, classes)[:, 0]
    full, none = float(worth(said, classes)[0]), found[0]
    added = np.empty((len(orders), len(heads)))
    for place, order in enumerate(orders):
        steps = found[1 + place * (len(heads) - 1) :][: len(heads) - 1]
        chain = np.concatenate([[full], steps, [none]])
        added[place, order] = chain[:-1] - chain[1:]
    return added, run.used(one, said)


def _orders(run: Run, number: int, count: int) -> np.ndarray:
    """Return orders of the heads, int ``(count, heads)``, those of one picture in any chunk."""
    draws = (np.random.default_rng([run.seed % 2**32, number, index]) for index in range(count))
    return np.stack([draw.permutation(len(run.heads)) for draw in draws])


def _worth(parameters: Mapping[str, Value]) -> Any:
    def worth(said: Said, classes: Any) -> np.ndarray:
        log_p = said.log_p_of(classes)
        of = log_p if parameters["of"] == "cross-entropy" else log_p.exp()
        return np.asarray(of.numpy())

    return worth
