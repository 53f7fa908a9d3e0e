from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.errors import Cancelled, InputError
from engine.execution import jobs as home
from engine.execution.jobs import Job, JobQueue
from tests.engine.refusals import is_one_line

LONG = 20  # seconds after which a test that hangs is given up


class Gate:
    """Work that tells when it has begun and waits until it may go on."""

    def __init__(self, result: Any = "done") -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.result = result

    def __call__(self, progress: Any, cancel: Any) -> Any:
        self.begun.set()
        assert self.go.wait(LONG)
        if cancel.is_set():
            raise Cancelled("cancelled")
        return self.result


def returns(value: Any) -> Callable[..., Any]:
    return lambda _progress, _cancel: value


def raises(error: BaseException) -> Callable[..., Any]:
    def work(_progress: Any, _cancel: Any) -> None:
        raise error

    return work


@pytest.fixture
def jobs() -> JobQueue:
    return JobQueue()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.go.set()


def finished(job: Job) -> Job:
    assert job.wait(LONG)
    return job


def test_done(jobs: JobQueue) -> None:
    job = finished(jobs.submit("k", "Title", returns(42)))
    assert (job.state, job.result, job.error) == ("done", 42, None)
    assert (job.key, job.title, job.active, job.usable) == ("k", "Title", False, True)


def test_first_come_first_served(jobs: JobQueue, gate: Gate) -> None:
    order: list[int] = []
    jobs.submit("gate", "", gate)
    found = [jobs.submit(str(i), "", lambda *_, i=i: order.append(i)) for i in range(6)]
    assert order == []
    assert [jobs.ahead_of(job) for job in found] == [1, 2, 3, 4, 5, 6]
    gate.go.set()
    for job in found:
        finished(job)
    assert order == [0, 1, 2, 3, 4, 5]
    assert jobs.ahead_of(found[-1]) == 0


def test_one_at_a_time(jobs: JobQueue) -> None:
    running = []
    most = []

    def work(*_: Any) -> None:
        running.append(1)
        most.append(len(running))
        running.pop()

    for job in [jobs.submit(str(i), "", work) for i in range(20)]:
        finished(job)
    assert set(most) == {1}
    assert len(most) == 20


def test_the_same_key_shares_the_job(jobs: JobQueue, gate: Gate) -> None:
    first = jobs.submit("k", "", gate)
    assert jobs.submit("k", "", raises(AssertionError("ran twice"))) is first
    assert jobs.find("k") is first
    gate.go.set()
    finished(first)
    assert jobs.submit("k", "", raises(AssertionError("ran twice"))) is first
    assert jobs.find("other") is None


def test_cancelled_while_running(jobs: JobQueue, gate: Gate) -> None:
    job = jobs.submit("k", "", gate)
    assert gate.begun.wait(LONG)
    assert (job.state, job.cancelling) == ("running", False)
    job.cancel()
    assert (job.active, job.cancelling, job.usable) == (True, True, False)
    gate.go.set()
    assert finished(job).state == "cancelled"
    assert (job.result, job.error) == (None, None)


def test_cancelled_by_the_next_report_of_progress(jobs: JobQueue, gate: Gate) -> None:
    after: list[str] = []

    def work(progress: Any, _cancel: Any) -> None:
        gate(progress, threading.Event())
        progress(1, 2)
        after.append("went on")

    job = jobs.submit("k", "", work)
    job.cancel()
    gate.go.set()
    assert finished(job).state == "cancelled"
    assert after == []


def test_cancelled_while_waiting(jobs: JobQueue, gate: Gate) -> None:
    jobs.submit("gate", "", gate)
    ran: list[int] = []
    job = jobs.submit("k", "", lambda *_: ran.append(1))
    last = jobs.submit("last", "", returns(1))
    job.cancel()
    gate.go.set()
    assert finished(job).state == "cancelled"
    finished(last)
    assert ran == []


def test_a_cancelled_or_failed_job_is_queued_again(jobs: JobQueue, gate: Gate) -> None:
    job = jobs.submit("k", "", gate)
    job.cancel()
    again = jobs.submit("k", "", returns("fresh"))
    assert again is not job
    assert jobs.find("k") is again
    gate.go.set()
    assert finished(again).result == "fresh"
    assert job.state == "cancelled"
    failed = finished(jobs.submit("f", "", raises(InputError("bad"))))
    assert jobs.submit("f", "", returns(1)) is not failed


def test_jobs_ahead_include_one_that_is_still_stopping(jobs: JobQueue, gate: Gate) -> None:
    first = jobs.submit("k", "", gate)
    assert gate.begun.wait(LONG)
    first.cancel()
    again = jobs.submit("k", "", returns(1))
    assert jobs.ahead_of(again) == 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InputError("cat.png is empty"), "cat.png is empty"),
        (ValueError("oh"), "unexpected ValueError: oh"),
        (RuntimeError("first\nsecond\n"), "unexpected RuntimeError: first"),
        (MemoryError(), "unexpected MemoryError"),
        (KeyError("layer"), "unexpected KeyError: 'layer'"),
        (SystemExit(3), "unexpected SystemExit: 3"),
    ],
    ids=repr,
)
def test_failure_is_told_in_one_line_and_the_queue_lives_on(
    jobs: JobQueue, error: BaseException, told: str
) -> None:
    job = finished(jobs.submit("k", "", raises(error)))
    assert job.state == "failed"
    assert job.error is not None
    assert is_one_line(job.error)
    assert told in job.error
    assert finished(jobs.submit("next", "", returns(7))).result == 7


def test_finished_jobs_are_forgotten_beyond_keep() -> None:
    jobs = JobQueue(keep=3)
    for index in range(6):
        finished(jobs.submit(str(index), "", returns(index)))
    last = finished(jobs.submit("last", "", returns(0)))
    assert [key for key in "012345" if jobs.find(key)] == ["3", "4", "5"]
    assert jobs.find("last") is last


def test_those_looked_at_lately_stay() -> None:
    jobs = JobQueue(keep=2)
    for key in ("a", "b"):
        finished(jobs.submit(key, "", returns(key)))
    assert jobs.find("a") is not None
    finished(jobs.submit("c", "", returns("c")))
    finished(jobs.submit("d", "", returns("d")))
    assert (jobs.find("a") is not None, jobs.find("b") is not None) == (True, False)


def test_jobs_that_wait_are_never_forgotten(gate: Gate) -> None:
    jobs = JobQueue(keep=0)
    jobs.submit("gate", "", gate)
    waiting = [jobs.submit(str(index), "", returns(index)) for index in range(5)]
    assert all(jobs.find(job.key) is job for job in waiting)
    gate.go.set()
    assert [finished(job).result for job in waiting] == [0, 1, 2, 3, 4]


def test_estimate_only_after_three_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 103.0, 104.0])
    monkeypatch.setattr(home.time, "monotonic", lambda: next(clock))
    estimates: list[float | None] = []
    fractions: list[float] = []

    def work(progress: Any, _cancel: Any) -> None:
        for done in (1, 2, 3, 4):
            progress(done, 10)
            estimates.append(job.seconds_left)
            fractions.append(job.fraction)

    job = Job("k", "", work)
    assert (job.fraction, job.seconds_left) == (0.0, None)
    job.run()
    assert fractions == [0.1, 0.2, 0.3, 0.4]
    assert estimates == [None, None, pytest.approx(3 * 7 / 3), pytest.approx(4 * 6 / 4)]
    assert (job.passes_done, job.passes_total) == (4, 10)


def test_no_estimate_without_progress() -> None:
    def work(progress: Any, _cancel: Any) -> None:
        for _ in range(5):
            progress(0, 10)
        assert job.seconds_left is None

    job = Job("k", "", work)
    job.run()
    assert job.state == "done"


def test_order_grows() -> None:
    first, second = Job("a", "", returns(1)), Job("b", "", returns(2))
    assert first.order < second.order
