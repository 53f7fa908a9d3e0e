"""A judgement of heads that could be made: what it will be known by, its cost, and how."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.attention.site import AttentionSites
from engine.execution.chunks import Chunks, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.head_results import HeadScores
from engine.heads import telling
from engine.heads.ablation import Place, all_heads
from engine.heads.metric import HeadMetric
from engine.heads.pictures import Pictures
from engine.heads.registry import head_metrics, relatives
from engine.heads.running import Rows, Run
from engine.heads.sharing import Shared, find_shared, share
from engine.manifest import key_of
from engine.models.loaded import LoadedModel
from engine.parameters import Value

Partial = Callable[[HeadScores], None]


@dataclass(frozen=True, eq=False)
class HeadPlan:
    """A judgement of heads that could be made: what it will be known by, and its cost.

    Attributes:
        model, metric: what will run.
        found: the model's attention.
        pictures: what the heads are judged on.
        target: the class that all pictures are asked about, or None: each about its own.
        only: pictures of this class alone, or None.
        keep_one: judge a head by what it does as the only one of its layer.
        exact_top: so many heads are switched off, those that the gradient puts first; None: all.
        parameters: a valid value for every parameter of the metric.
        seed: for whatever is drawn.
        request: all that decides the numbers.
        key: its digest, the content key of the result.
        cost: an upper bound of the passes, beside those that find out once for each loaded
            model where its heads are.
        fresh: compute even what another metric has computed.
    """

    model: LoadedModel
    metric: HeadMetric
    found: AttentionSites
    pictures: Pictures
    target: int | None
    only: int | None
    keep_one: bool
    exact_top: int | None
    parameters: dict[str, Value]
    seed: int
    request: dict[str, Any]
    key: str
    cost: Cost
    fresh: bool = False

    def run(
        self,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        partial: Partial | None = None,
    ) -> HeadScores:
        """Compute.

        Args:
            progress, cancel, partial: as in ``head_scores``.

        Raises:
            Cancelled: the caller asked to stop; the model is as it was.
            OutOfMemory: one sample at a time does not fit.
            InputError: not one picture could be read, or none is of the class asked for.
        """
        started = time.perf_counter()
        passes = Passes(self.model, self.cost, progress, cancel)
        passes.check()
        run = self._run(passes)
        with telling_out_of_memory():
            cheap = None if self.exact_top is None else self._cheap(passes, started, partial)
            if cheap is not None:
                run.places = self._top(cheap)
            if partial is not None:
                run.show = self._shown(run, started, cheap, partial)
            rows, told = self._computed(run, self.metric)
        scores = self._scores(run, rows, started, cheap)
        scores.manifest["outcome"].update(told)
        return scores

    def source(self) -> dict[str, Any]:
        """Return names a person would know; they decide nothing."""
        named = {"metric": self.metric.name, "metric_title": self.metric.title}
        return {**telling.source_of(self.model, self.pictures), **named}

    def _run(self, passes: Passes) -> Run:
        return Run(
            model=self.model,
            found=self.found,
            pictures=self.pictures,
            target=self.target,
            only=self.only,
            keep_one=self.keep_one,
            parameters=self.parameters,
            seed=self.seed,
            passes=passes,
            chunks=Chunks(self.request["chunk"]),
        )

    def _computed(self, run: Run, metric: HeadMetric) -> tuple[Rows, dict[str, Any]]:
        """Return the rows of a metric's family, and what is told of it if they were there."""
        key = self._family_key(run, metric)
        known = None if self.fresh else find_shared(key)
        if known is not None:
            return known.rows, {**known.told, "shared": True}
        asked = [one for one in relatives(metric) if not one.refusal(self.model, self.found)]
        rows = metric.family.compute(run, asked)
        told = telling.outcome_of(run, 0.0)
        kept = ("images", "classes_from", "skipped", "block_passes", "reused", "not_reused",
                "packed")  # fmt: skip
        share(key, Shared(rows, {name: told[name] for name in kept if name in told}))
        return rows, {}

    def _family_key(self, run: Run, metric: HeadMetric) -> str:
        drawn = metric.family.drawn
        places = None if run.places is None else [list(place) for place in run.places]
        decisive = {name: value for name, value in self.request.items() if name != "metric"}
        return key_of(
            {
                **decisive,
                "exact_top": None,
                "keep_one": run.keep_one,
                "family": metric.family.name,
                "parameters": self.parameters if drawn else None,
                "seed": self.seed if drawn else None,
                "places": places,
            }
        )

    def _cheap(self, passes: Passes, started: float, partial: Partial | None) -> np.ndarray:
        """Return what the gradient says of all heads, ``(layers, heads)``, and show it."""
        metric = head_metrics()["gradient"]
        run = self._run(passes)
        run.keep_one = False
        rows, _ = self._computed(run, metric)
        values, _ = metric.combined(rows, run.heads, {"normalise": False})
        cheap = self._on_grid(values)
        if partial is not None:
            nothing = np.full_like(cheap, np.nan)
            manifest = self._manifest(run, started)
            manifest["outcome"]["partial"] = True
            partial(HeadScores(manifest, nothing, None, cheap))
        return cheap

    def _top(self, cheap: np.ndarray) -> list[Place]:
        """Return the heads that the gradient puts first, layer by layer."""
        first = HeadScores({}, cheap.copy()).ranking[: self.exact_top]
        return sorted(first)

    def _shown(
        self, run: Run, started: float, cheap: np.ndarray | None, partial: Partial
    ) -> Callable[[Rows], None]:
        """Return what shows rows so far as scores, marked as partial."""

        def show(rows: Rows) -> None:
            scores = self._scores(run, rows, started, cheap)
            scores.manifest["outcome"]["partial"] = True
            partial(scores)

        return show

    def _scores(
        self,
        run: Run,
        rows: Rows,
        started: float,
        cheap: np.ndarray | None,
    ) -> HeadScores:
        values, error = self.metric.combined(rows, run.heads, self.parameters)
        manifest = self._manifest(run, started)
        return HeadScores(
            manifest=manifest,
            values=self._on_grid(values),
            error=None if error is None else self._on_grid(error),
            cheap=cheap,
        )

    def _on_grid(self, values: np.ndarray) -> np.ndarray:
        """Return one number for each head as float32 ``(layers, heads)``, padded with NaN."""
        sites = self.found.sites
        grid = np.full((len(sites), max(site.heads for site in sites)), np.nan, dtype=np.float32)
        for value, (layer, head) in zip(values, all_heads(sites), strict=True):
            grid[layer, head] = value
        return grid

    def _manifest(self, run: Run, started: float) -> dict[str, Any]:
        return {
            "key": self.key,
            "request": self.request,
            "source": self.source(),
            "display": {
                "metric": self.metric.name,
                "title": self.metric.title,
                "unit": self.metric.unit_for(self.parameters),
                "exact": self.metric.exact,
                **telling.layers_told(self.found),
            },
            "outcome": telling.outcome_of(run, started),
        }
