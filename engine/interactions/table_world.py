"""Rows of a table and a model for them: many masked models and permutations in one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import torch

from engine.execution.chunks import Chunks
from engine.execution.cost import Cost
from engine.execution.passes import Passes
from engine.execution.workers import in_threads, workers_for
from engine.interactions.chain_draws import ChainDraws, is_drawable
from engine.interactions.samples import Samples, blocks_of, inputs_of
from engine.interactions.world import Subset, World, losses_or_infinite
from engine.models.rows import Rows

# (start, stop) → an answer for each job in between.
Some = Callable[[int, int], np.ndarray]
# Rows multiplied out are many: those of a pair are kept, no more.
_KEPT = 3
# Chunks that each thread does before all meet again.
_PIECES = 4


class TableWorld(World):
    """Losses of masked models on the rows of a table.

    The network is given a transposed tensor: features first in memory, then models or
    permutations, then rows (see ``columns_first``).

    Args:
        passes, chunks: the model, counted, and how many rows go through at once.
        rows: with their truth.
        bank: permutations of the rows, ``(repeats, n)``.
    """

    def __init__(self, passes: Passes, chunks: Chunks, rows: Rows, bank: np.ndarray) -> None:
        self.passes = passes
        self.chunks = chunks
        self.rows = rows
        self.bank = bank
        spec = rows.spec
        coded = spec.encoding == "codes"
        self.maskable = np.array([not (coded and c.kind == "category") for c in spec.columns])
        self._column_of = spec.column_of
        self._blocks = blocks_of(spec.column_of)
        self._sizes: dict[Subset, int] = {}
        self._multiplied: dict[Subset, _Prepared] = {}

    @cached_property
    def samples(self) -> Samples:
        """All rows, one after the other."""
        return Samples.of(self.rows)

    @cached_property
    def _merged(self) -> _Prepared:
        return self._prepared(self.samples.merged())

    @cached_property
    def _whole(self) -> _Prepared:
        return self._prepared(self.samples)

    def losses(self, masks: np.ndarray) -> np.ndarray:
        """As in ``World``."""
        return self._means(masks, self._merged)

    def moved(
        self, masks: np.ndarray, subsets: Sequence[Subset], *, exact: bool
    ) -> list[np.ndarray]:
        """As in ``World``."""
        if exact:
            return [self._means(masks, self._product(subset))[:, None] for subset in subsets]
        return [self._drawn(masks, subset) for subset in subsets]

    def exact(self, subsets: Sequence[Subset]) -> bool:
        """As in ``World``."""
        return all(self._size(subset) <= self._most for subset in subsets)

    def cost_of(self, subset: Subset, *, exact: bool) -> int:
        """As in ``World``."""
        return self._size(subset) if exact else self._most

    @property
    def cost_of_loss(self) -> int:
        """As in ``World``."""
        return len(self._merged.samples)

    @property
    def _most(self) -> int:
        """How many rows drawing takes: an exact average is to take no more."""
        return len(self.bank) * len(self.rows)

    def _size(self, subset: Subset) -> int:
        if subset not in self._sizes:
            inputs = inputs_of(self._blocks, subset)
            self._sizes[subset] = self.samples.size_multiplied(inputs)
        return self._sizes[subset]

    def _product(self, subset: Subset) -> _Prepared:
        if subset not in self._multiplied:
            if len(self._multiplied) >= _KEPT:
                self._multiplied.pop(next(iter(self._multiplied)))
            inputs = inputs_of(self._blocks, subset)
            self._multiplied[subset] = self._prepared(self.samples.multiplied(inputs))
        return self._multiplied[subset]

    def _prepared(self, samples: Samples) -> _Prepared:
        return _Prepared(samples, self._tensor(np.ascontiguousarray(samples.x.T)))

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        weight = next(self.passes.model.module.parameters(), None)
        dtype = torch.float64 if values.dtype == np.float64 else torch.float32
        if weight is not None and weight.is_floating_point():
            dtype = weight.dtype
        return torch.from_numpy(values).to(self.passes.model.device, dtype)

    def _spread(self, masks: np.ndarray) -> torch.Tensor:
        """Return one m for each input of the network, ``(inputs, models)``."""
        kept = np.where(self.maskable, masks, 1.0)
        return self._tensor(np.ascontiguousarray(kept[:, self._column_of].T))

    def _means(self, masks: np.ndarray, data: _Prepared) -> np.ndarray:
        """Return the mean loss of masked models on weighted rows, float64 ``(k,)``."""
        spread, count = self._spread(masks), len(data.samples)

        def some(start: int, stop: int) -> np.ndarray:
            inputs = data.x[:, None, :] * spread[:, start:stop, None]  # (inputs, models, n)
            return self._losses(inputs, data.samples.truth) @ data.samples.weights

        return self._over(len(masks), count, some)

    def _drawn(self, masks: np.ndarray, subset: Subset) -> np.ndarray:
        """Return the mean loss under every permutation of the bank, ``(k, repeats)``."""
        moved = inputs_of(self._blocks, subset)
        count, repeats = len(self.rows), len(self.bank)
        jobs, chain = len(masks) * repeats, is_drawable(self.passes.model)
        with torch.inference_mode():
            if not chain:
                some = self._by_passes(self._spread(masks), moved)
                return self._over(jobs, count, some).reshape(-1, repeats)
            some = self._by_chain(self._spread(masks), moved)
            pieces = _PIECES * workers_for(self.passes.model.device)
            return self._over(jobs, count, some, pieces).reshape(-1, repeats)

    def _by_chain(self, spread: torch.Tensor, moved: np.ndarray) -> Some:
        """Return what answers jobs, a model with a permutation each, of a chain of layers."""
        model, count = self.passes.model, len(self.rows)
        truth = self._whole.samples.truth
        draws = ChainDraws(model, self._whole.x, truth, spread, moved, self.bank)
        workers = workers_for(model.device)

        def some(start: int, stop: int) -> np.ndarray:
            self.passes.check()
            wanted = evenly(max(1, self.chunks.size // count), len(self.bank))
            each = min(wanted, -(-(stop - start) // workers))
            pieces = cut(start, stop, each, len(self.bank))
            with model.lock:
                means = np.concatenate(in_threads(lambda one: draws.losses(*one), pieces, workers))
            self.passes.add(Cost(forward=len(means) * count))
            return means

        return some

    def _by_passes(self, spread: torch.Tensor, moved: np.ndarray) -> Some:
        """Return the same for whatever else the model is."""
        data, repeats = self._whole, len(self.bank)
        where = torch.from_numpy(moved)
        shuffled = data.x[where][:, torch.from_numpy(self.bank)]  # (moved, repeats, n)

        def some(start: int, stop: int) -> np.ndarray:
            job = torch.arange(start, stop)
            m = spread[:, job // repeats, None]
            x = data.x[:, None, :] * m  # (inputs, jobs, n)
            x[where] = shuffled[:, job % repeats] * m[where]
            return self._losses(x, data.samples.truth).mean(axis=-1)

        return some

    def _over(self, jobs: int, rows: int, some: Some, pieces: int = 1) -> np.ndarray:
        """Do jobs of so many rows each, as many at once as the chunk has rows.

        Args:
            jobs: how many.
            rows: of each.
            some: does some of them.
            pieces: how many chunks it takes at once.
        """
        wanted = max(1, self.chunks.size // max(1, rows)) * pieces
        at_once = Chunks(wanted)
        parts = at_once.over(jobs, self.passes, some)
        if at_once.size < wanted:  # memory ran out: fewer from now on, whatever comes
            self.chunks.size = max(1, at_once.size * rows // pieces)
        return np.concatenate(parts) if parts else np.zeros(0)

    def _losses(self, x: torch.Tensor, truth: np.ndarray) -> np.ndarray:
        """Return the loss of each row: ``(inputs, jobs, n)`` → float64 ``(jobs, n)``."""
        _, jobs, count = x.shape
        with torch.inference_mode():
            logits = self.passes.forward(x.reshape(len(x), -1).t())  # (jobs · n, classes)
        told = logits.cpu().reshape(jobs, count, -1)
        return losses_or_infinite(told, truth, self.passes.model.activation)


def evenly(wanted: int, repeats: int) -> int:
    """Return how many jobs to do at once, so that no part goes over from one model to the next.

    Of as many as wanted at the most: whole models, or equal parts of one.
    """
    if wanted >= repeats:
        return wanted - wanted % repeats
    return -(-repeats // -(-repeats // wanted))


def cut(start: int, stop: int, most: int, repeats: int) -> list[tuple[int, int]]:
    """Cut jobs ``[start, stop)`` into pieces of so many at the most, and where a model ends.

    Pieces of whole models may hold several.
    """
    found = []
    while start < stop:
        end = start + (most if most >= repeats else min(most, repeats - start % repeats))
        found.append((start, min(end, stop)))
        start = found[-1][1]
    return found


class _Prepared:
    """Samples and what the network is given of them, ``(inputs, n)``."""

    def __init__(self, samples: Samples, x: torch.Tensor) -> None:
        self.samples = samples
        self.x = x
