"""How long a forward pass takes: dense, gated and sliced networks, measured in turn."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch

from engine.errors import ParameterError
from engine.execution.chunks import telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.draws import generator
from engine.execution.passes import Cancel, Passes, Progress
from engine.models.loaded import LoadedModel


@dataclass(frozen=True, eq=False)
class Latency:
    """Seconds that passes took.

    Attributes:
        names: of the models, in the order in which they were given.
        seconds: float64 ``(models, rounds)``, of one pass of the whole batch.
        batch: samples in a pass.
        threads: that torch computed with.
        device: on which.
    """

    names: tuple[str, ...]
    seconds: np.ndarray
    batch: int
    threads: int
    device: str

    @property
    def median(self) -> np.ndarray:
        """Seconds of one pass, ``(models,)``."""
        return np.asarray(np.median(self.seconds, axis=1))

    @property
    def quartiles(self) -> np.ndarray:
        """First and third quartile of the same, ``(models, 2)``."""
        return np.asarray(np.quantile(self.seconds, (0.25, 0.75), axis=1).T)

    def ratios(self, to: str) -> np.ndarray:
        """Return how long each takes against one of them: median and quartiles over rounds.

        Both are compared within a round, so what slows the machine for a while slows both.

        Args:
            to: name of that one.

        Returns:
            float64 ``(models, 3)``: first quartile, median, third quartile.
        """
        within = self.seconds / self.seconds[self.names.index(to)]
        return np.asarray(np.quantile(within, (0.25, 0.5, 0.75), axis=1).T)


def latency_cost(models: int, batch: int = 1, rounds: int = 20, warm_up: int = 3) -> Cost:
    """Return how many samples are sent through all models together."""
    return Cost(models * batch * (rounds + warm_up))


def measure_latency(
    models: Mapping[str, LoadedModel],
    *,
    batch: int = 1,
    rounds: int = 20,
    warm_up: int = 3,
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Latency:
    """Time forward passes of several models on the same noise.

    In each round every model takes one pass, in an order that is drawn anew. All models' locks
    are held during a round, so nobody else's passes are in the times; between rounds others may
    go on. What else runs on the machine is in the times.

    Args:
        models: by name; all take the same input, on the same device.
        batch: samples in a pass.
        rounds: how often each is timed.
        warm_up: rounds before that, which do not count.
        seed: of noise and orders.
        progress, cancel: as everywhere; looked at between passes.

    Raises:
        ParameterError: no models, models that take different inputs, or numbers out of range.
        Cancelled: the caller asked to stop.
    """
    _check(models, batch, rounds, warm_up)
    names = tuple(models)
    first = models[names[0]]
    x = torch.randn((batch, *first.spec.shape), generator=torch.Generator().manual_seed(seed))
    x = x.to(first.device)
    total = latency_cost(len(models), batch, rounds, warm_up)
    done = 0
    seconds = np.empty((len(models), warm_up + rounds))
    for turn in range(warm_up + rounds):
        with ExitStack() as held, torch.inference_mode(), telling_out_of_memory():
            for model in _in_one_order(models):
                held.enter_context(model.ready())
            for index in generator(seed, turn).permutation(len(models)):
                seconds[index, turn] = _timed(Passes(models[names[index]], cancel=cancel), x)
                done += batch
                if progress is not None:
                    progress(done, total.total)
    return Latency(names, seconds[:, warm_up:], batch, torch.get_num_threads(), str(first.device))


def _in_one_order(models: Mapping[str, LoadedModel]) -> list[LoadedModel]:
    """Return the models so that two who lock several never wait for each other."""
    return sorted(
        {id(model): model for model in models.values()}.values(), key=lambda m: id(m.lock)
    )


def _timed(passes: Passes, x: torch.Tensor) -> float:
    _wait(x.device)
    began = time.perf_counter()
    passes.forward(x)
    _wait(x.device)
    return time.perf_counter() - began


def _wait(device: torch.device) -> None:
    """Let the device finish what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _check(models: Mapping[str, LoadedModel], batch: int, rounds: int, warm_up: int) -> None:
    if not models:
        raise ParameterError("no model to time")
    for name, value, low in (("batch", batch, 1), ("rounds", rounds, 1), ("warm_up", warm_up, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise ParameterError(f"{name}={value!r}: expected a whole number from {low}")
    (first, one), *rest = models.items()
    for name, model in rest:
        if model.spec.shape != one.spec.shape or model.device != one.device:
            raise ParameterError(
                f"{first} takes {one.spec.shape} on {one.device}, {name} {model.spec.shape} on "
                f"{model.device}: only models of one input and device can be timed together"
            )
