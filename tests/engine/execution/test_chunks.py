from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from engine.errors import Cancelled, OutOfMemory
from engine.execution.chunks import Chunks, default_chunk
from engine.execution.cost import Cost
from engine.execution.exhaustion import is_out_of_memory
from engine.execution.passes import Passes
from engine.models.loaded import LoadedModel
from engine.models.specs import TensorSpec
from tests.engine import zoo
from tests.engine.refusals import expect_refusal

EXHAUSTED: list[Callable[[], Exception]] = [
    lambda: RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes"),
    lambda: RuntimeError("MPS backend out of memory (allocated: 1 GB)"),
    lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    MemoryError,
]


def passes() -> Passes:
    return Passes(zoo.load("mlp"))


def test_ranges_cover_all_in_order() -> None:
    chunks = Chunks(4)
    found = chunks.over(10, passes(), lambda start, stop: (start, stop))
    assert found == [(0, 4), (4, 8), (8, 10)]
    assert chunks.over(0, passes(), lambda start, stop: (start, stop)) == []
    assert chunks.size == 4


@pytest.mark.parametrize("error", EXHAUSTED)
def test_a_range_that_runs_out_of_memory_is_halved(error: Callable[[], Exception]) -> None:
    chunks = Chunks(8)
    attempts: list[tuple[int, int]] = []

    def work(start: int, stop: int) -> list[int]:
        attempts.append((start, stop))
        if start >= 8 and stop - start > 3:
            raise error()
        return list(range(start, stop))

    found = chunks.over(15, passes(), work)
    assert [index for part in found for index in part] == list(range(15))
    assert attempts == [(0, 8), (8, 15), (8, 12), (8, 10), (10, 12), (12, 14), (14, 15)]
    assert chunks.size == 2


@pytest.mark.parametrize("error", EXHAUSTED)
def test_whole_is_done_again_with_less(error: Callable[[], Exception]) -> None:
    chunks = Chunks(8)
    sizes: list[int] = []

    def work(size: int) -> str:
        sizes.append(size)
        if size > 1:
            raise error()
        return "done"

    assert chunks.whole(passes(), work) == "done"
    assert sizes == [8, 4, 2, 1]
    assert chunks.size == 1


@pytest.mark.parametrize("error", EXHAUSTED)
def test_one_at_a_time_does_not_fit(error: Callable[[], Exception]) -> None:
    def work(*_: int) -> None:
        raise error()

    with expect_refusal(OutOfMemory, "even with one sample at a time"):
        Chunks(8).over(10, passes(), work)
    with expect_refusal(OutOfMemory, "even with one sample at a time"):
        Chunks(8).whole(passes(), work)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        ValueError("out of memory"),
        Cancelled("cancelled"),
        KeyError("x"),
    ],
    ids=repr,
)
def test_other_errors_pass_through(error: Exception) -> None:
    chunks = Chunks(8)

    def work(*_: int) -> None:
        raise error

    for attempt in (chunks.over, lambda _count, *rest: chunks.whole(*rest)):
        with pytest.raises(type(error)) as caught:
            attempt(10, passes(), work)
        assert caught.value is error
    assert chunks.size == 8
    assert not is_out_of_memory(error)


def test_counters_stay_honest() -> None:
    counter = passes()
    model = counter.model

    def work(start: int, stop: int) -> None:
        counter.forward(zoo.noise(model, stop - start))
        if stop - start > 2:
            raise MemoryError

    Chunks(8).over(5, counter, work)
    assert counter.used == Cost(5)

    def all_at_once(size: int) -> None:
        for start in range(0, 5, size):
            counter.forward(zoo.noise(model, min(size, 5 - start)))
            if size > 1 and start:
                raise MemoryError

    Chunks(2).whole(counter, all_at_once)
    assert counter.used == Cost(10)


@pytest.mark.parametrize(("size", "halved"), [(8, 4), (7, 3), (3, 1), (2, 1)])
def test_halving(size: int, halved: int) -> None:
    chunks = Chunks(size)
    chunks.shrink(MemoryError(), passes())
    assert chunks.size == halved


def on(device: str, name: str = "tiny-cnn") -> LoadedModel:
    model = zoo.load(name)
    model.device = torch.device(device)
    return model


def test_default_depends_on_the_device() -> None:
    assert default_chunk(on("cuda")) > default_chunk(on("cpu")) >= 1


def test_an_unknown_device_is_treated_as_a_cpu() -> None:
    assert default_chunk(on("meta")) == default_chunk(on("cpu"))


def test_rows_of_a_table_go_through_many_at_once() -> None:
    assert default_chunk(zoo.load("mlp")) == 4096


def test_the_wider_the_rows_the_fewer_at_once() -> None:
    model = zoo.load("mlp")
    model.spec = TensorSpec((2**14,))
    assert default_chunk(model) == 2**20 // 2**14
    model.spec = TensorSpec((2**21,))
    assert default_chunk(model) == default_chunk(on("cpu"))
