"""Pieces of work in threads of their own, and torch as it was for everybody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch

from engine.execution import workers
from engine.execution.workers import in_threads, workers_for


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_pieces_come_back_in_order_from_threads_where_torch_is_alone() -> None:
    together = threading.Barrier(2, timeout=20)

    def piece(number: int) -> tuple[int, int]:
        together.wait()  # two at once, or never
        return number, torch.get_num_threads()

    assert workers_for(torch.device("cpu")) == 2
    assert in_threads(piece, range(6), 2) == [(number, 1) for number in range(6)]
    assert torch.get_num_threads() == 2
    later: list[int] = []
    other = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert later == [2]


def test_pools_that_are_made_at_once_leave_torch_its_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(20):
        monkeypatch.setattr(workers, "_pools", {})
        begin, found = threading.Barrier(3), []

        def ask(count: int, begin: threading.Barrier = begin, found: list[int] = found) -> None:
            begin.wait()
            found.extend(in_threads(lambda _: torch.get_num_threads(), range(4), count))

        asking = [threading.Thread(target=ask, args=(count,)) for count in (2, 2, 3)]
        for one in asking:
            one.start()
        for one in asking:
            one.join(20)
        assert found == [1] * 12
        assert sorted(workers._pools) == [2, 3]
        for pool in workers._pools.values():
            pool.shutdown()
        later: list[int] = []
        other = threading.Thread(
            target=lambda told: told.append(torch.get_num_threads()), args=(later,)
        )
        other.start()
        other.join()
        assert later == [2]


def test_an_error_comes_when_all_have_ended() -> None:
    ended = []

    def piece(number: int) -> None:
        if number == 1:
            raise MemoryError("too many")
        ended.append(number)

    with pytest.raises(MemoryError, match="too many"):
        in_threads(piece, range(4), 2)
    assert sorted(ended) == [0, 2, 3]


def test_one_worker_needs_no_threads() -> None:
    assert workers_for(torch.device("meta")) == 1
    own = threading.get_ident()
    assert in_threads(lambda _: threading.get_ident(), range(3), 1) == [own] * 3
    assert in_threads(lambda _: threading.get_ident(), [0], 2) == [own]
