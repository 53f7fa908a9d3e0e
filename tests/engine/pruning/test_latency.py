"""Timing: rounds, orders, locks and cancelling; never how many seconds."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch
from torch import nn

from engine.errors import Cancelled, ParameterError
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import TensorSpec
from engine.pruning.measuring.latency import Latency, latency_cost, measure_latency
from tests.engine import zoo
from tests.engine.counting import counted


class Slow(nn.Module):
    """Sleeps, and writes down when."""

    def __init__(self, seconds: float, log: list[float]) -> None:
        super().__init__()
        self.seconds, self.log = seconds, log
        self.linear = nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.log.append(self.seconds)
        time.sleep(self.seconds)
        return self.linear(x)


def slow(seconds: float, log: list[float]) -> LoadedModel:
    return load_model(Slow(seconds, log), input_spec=TensorSpec((5,)), device="cpu")


def test_the_slower_one_takes_longer_in_every_round() -> None:
    log: list[float] = []
    models = {"slow": slow(0.02, log), "quick": slow(0.0, log)}
    log.clear()
    told: list[tuple[int, int]] = []
    found = measure_latency(
        models, batch=2, rounds=6, warm_up=1, progress=lambda *t: told.append(t)
    )
    assert found.names == ("slow", "quick")
    assert found.seconds.shape == (2, 6)
    assert found.median[0] >= 0.02 > found.median[1]
    assert (found.quartiles[:, 0] <= found.median).all()
    assert (found.median <= found.quartiles[:, 1]).all()
    assert (found.ratios("slow")[0] == 1).all()
    assert found.ratios("quick")[0, 1] > 1
    assert (found.threads, found.batch, found.device) == (torch.get_num_threads(), 2, "cpu")
    rounds = np.array(log).reshape(7, 2)
    assert (np.sort(rounds, axis=1) == [0.0, 0.02]).all()  # each once in every round
    assert len({tuple(one) for one in rounds.tolist()}) == 2  # in both orders
    assert told[-1] == (28, 28) == (latency_cost(2, 2, 6, 1).total,) * 2


def test_quartiles_by_hand() -> None:
    seconds = np.array([[1.0, 2, 3, 4, 5], [2, 2, 2, 2, 2]])
    found = Latency(("a", "b"), seconds, 1, 1, "cpu")
    assert found.median.tolist() == [3, 2]
    assert found.quartiles.tolist() == [[2, 4], [2, 2]]
    assert found.ratios("b").tolist() == [[1, 1.5, 2], [1, 1, 1]]


def test_passes_are_those_promised() -> None:
    model = zoo.load("tiny-cnn")
    with counted(model.module) as passes:
        measure_latency({"one": model}, batch=3, rounds=4, warm_up=2)
    assert passes.forward == latency_cost(1, 3, 4, 2).forward == 18


def test_waits_for_whoever_holds_the_lock_and_leaves_it() -> None:
    model, began = zoo.load("tiny-cnn"), time.perf_counter()
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with model.lock:
            held.set()
            free.wait(0.3)

    other = threading.Thread(target=hold)
    other.start()
    held.wait()
    found = measure_latency({"one": model, "same": model}, rounds=2, warm_up=0)
    assert time.perf_counter() - began >= 0.3
    assert found.seconds.max() < 0.3  # waiting is in no time
    other.join()
    done = threading.Event()
    threading.Thread(target=lambda: model.lock.acquire(timeout=5) and done.set()).start()
    assert done.wait(5)


def test_cancelled_between_passes() -> None:
    log: list[float] = []
    models = {"a": slow(0.0, log), "b": slow(0.0, log)}
    log.clear()
    stop = threading.Event()

    def progress(done: int, _total: int) -> None:
        if done == 3:
            stop.set()

    with pytest.raises(Cancelled):
        measure_latency(models, rounds=50, progress=progress, cancel=stop)
    assert len(log) == 3


@pytest.mark.parametrize(
    ("given", "told"),
    [({"batch": 0}, "batch=0"), ({"rounds": 1.5}, "rounds=1.5"), ({"warm_up": -1}, "warm_up=-1")],
)
def test_numbers_out_of_range(given: dict[str, int], told: str) -> None:
    with pytest.raises(ParameterError, match=told):
        measure_latency({"one": zoo.load("mlp")}, **given)


def test_models_that_cannot_be_timed_together() -> None:
    with pytest.raises(ParameterError, match="no model"):
        measure_latency({})
    with pytest.raises(ParameterError, match=r"one takes .* two .*: only models of one input"):
        measure_latency({"one": zoo.load("mlp"), "two": zoo.load("tiny-cnn")})
