from __future__ import annotations

import threading

import pytest
import torch

from engine.errors import Cancelled
from engine.execution.cost import Cost
from engine.execution.passes import Passes
from tests.engine import zoo
from tests.engine.counting import counted


def test_forward_passes_are_counted() -> None:
    model = zoo.load("tiny-cnn")
    passes = Passes(model)
    with counted(model.module) as count, torch.no_grad():
        for size in (1, 4, 2):
            found = passes.forward(zoo.noise(model, size))
            assert found.shape == (size, 3)
    assert passes.used == Cost(7, 0)
    assert (count.forward, count.backward) == (7, 0)


def test_backward_passes_are_counted_when_they_happen() -> None:
    model = zoo.load("tiny-cnn")
    passes = Passes(model)
    with counted(model.module) as count:
        x = zoo.noise(model, 3).requires_grad_()
        logits = passes.forward(x)
        assert passes.used == Cost(3, 0)
        torch.autograd.grad(logits[:, 0].sum(), x, retain_graph=True)
        assert passes.used == Cost(3, 3)
        torch.autograd.grad(logits[:, 1].sum(), x)
    assert passes.used == Cost(3, 6)
    assert (count.forward, count.backward) == (3, 6)


def test_cancelled_before_a_pass() -> None:
    model = zoo.load("tiny-cnn")
    cancel = threading.Event()
    passes = Passes(model, cancel=cancel)
    passes.forward(zoo.noise(model))
    cancel.set()
    with counted(model.module) as count, pytest.raises(Cancelled):
        passes.forward(zoo.noise(model))
    assert count.forward == 0
    assert passes.used == Cost(1)


def test_progress_ends_at_what_was_promised() -> None:
    model = zoo.load("mlp")
    told: list[tuple[int, int]] = []
    passes = Passes(model, Cost(4, 1), progress=lambda done, total: told.append((done, total)))
    for size in (1, 2):
        passes.forward(zoo.noise(model, size))
    x = zoo.noise(model).requires_grad_()
    passes.forward(x).sum().backward()
    passes.forward(zoo.noise(model, 3))
    assert told == [(1, 5), (3, 5), (4, 5), (5, 5), (5, 5)]
    assert passes.used == Cost(7, 1)


def test_progress_may_raise() -> None:
    model = zoo.load("mlp")

    def stop(_done: int, _total: int) -> None:
        raise Cancelled("from the page")

    with pytest.raises(Cancelled, match="from the page"):
        Passes(model, Cost(4), progress=stop).forward(zoo.noise(model))


def test_rewind_forgets() -> None:
    model = zoo.load("mlp")
    passes = Passes(model)
    passes.forward(zoo.noise(model, 2))
    before = passes.used
    passes.forward(zoo.noise(model, 3))
    passes.rewind(before)
    assert passes.used == Cost(2)


def test_counting_from_many_threads() -> None:
    model = zoo.load("mlp")
    passes = Passes(model)
    x = zoo.noise(model, 2)

    def work() -> None:
        for _ in range(20):
            passes.forward(x)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert passes.used == Cost(320)
