"""Long work off the caller's thread: one queue per device, first come first served.

A job survives whoever asked for it: another caller finds it again by its key.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from engine.errors import Cancelled, HaloscopeError, one_line

if TYPE_CHECKING:
    from engine.execution.passes import Cancel, Progress

State = Literal["waiting", "running", "done", "failed", "cancelled"]
Work = Callable[["Progress", "Cancel"], Any]

_REPORTS_BEFORE_ESTIMATE = 3
_ORDER = itertools.count()


class Job:
    """One piece of work and how it goes.

    Attributes:
        key: the content key of its result.
        title: what it is, for people.
        state: "waiting", "running", "done", "failed" or "cancelled".
        result: what the work returned, once done.
        error: what went wrong, once failed; one line.
        passes_done, passes_total: progress.
        order: grows with every job; lower came earlier.
    """

    def __init__(self, key: str, title: str, work: Work) -> None:
        self.key = key
        self.title = title
        self.state: State = "waiting"
        self.result: Any = None
        self.error: str | None = None
        self.passes_done = 0
        self.passes_total = 0
        self._work: Work | None = work
        self._cancel = threading.Event()
        self._finished = threading.Event()
        self._started: float | None = None
        self._reports = 0
        self.order = next(_ORDER)

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return not self._finished.is_set()

    @property
    def usable(self) -> bool:
        """Whether it has its result, or will have it if nothing goes wrong."""
        return self.state == "done" or (self.active and not self.cancelling)

    @property
    def fraction(self) -> float:
        """Share of the passes done, 0 … 1."""
        return self.passes_done / self.passes_total if self.passes_total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the time left; None before the third report of progress."""
        if self._started is None or self._reports < _REPORTS_BEFORE_ESTIMATE or not self.fraction:
            return None
        spent = time.monotonic() - self._started
        return spent * (1 - self.fraction) / self.fraction

    def cancel(self) -> None:
        """Ask it to stop; it does before its next pass."""
        self._cancel.set()

    @property
    def cancelling(self) -> bool:
        """Whether it was asked to stop."""
        return self._cancel.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; return whether it came."""
        return self._finished.wait(timeout)

    def run(self) -> None:
        """Do the work on the calling thread; never raises."""
        if self._cancel.is_set():
            self._end("cancelled")
            return
        self._started = time.monotonic()
        self.state = "running"
        try:
            assert self._work is not None
            self.result = self._work(self._report, self._cancel)
        except Cancelled:
            self._end("cancelled")
        except HaloscopeError as error:
            self.error = str(error)
            self._end("failed")
        except BaseException as error:  # a bug: told in one line, the queue lives on
            self.error = f"unexpected {type(error).__name__}: {one_line(error)}"
            self._end("failed")
        else:
            self._end("done")

    def _report(self, done: int, total: int) -> None:
        self.passes_done, self.passes_total = done, total
        self._reports += 1
        if self._cancel.is_set():
            raise Cancelled("cancelled")

    def _end(self, state: State) -> None:
        self._work = None  # what it was asked about may be somebody's upload
        self.state = state
        self._finished.set()


class JobQueue:
    """One worker thread that takes jobs in the order in which they came.

    Args:
        keep: how many finished jobs stay to be found again.
    """

    def __init__(self, keep: int = 64) -> None:
        self._keep = keep
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._replaced: list[Job] = []  # still stopping, while their key is queued again
        self._waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None

    def submit(self, key: str, title: str, work: Work) -> Job:
        """Queue work, or return the job that already does or did it.

        A job that failed or was cancelled does not count: its work is queued again.
        """
        with self._lock:
            known = self._jobs.get(key)
            if known is not None and known.usable:
                self._jobs.move_to_end(key)
                return known
            if known is not None and known.active:
                self._replaced = [*(job for job in self._replaced if job.active), known]
            job = Job(key, title, work)
            self._jobs[key] = job
            self._jobs.move_to_end(key)
            self._forget_old()
            self._start_worker()
        self._waiting.put(job)
        return job

    def find(self, key: str) -> Job | None:
        """Return the latest job of a key, in whatever state."""
        with self._lock:
            job = self._jobs.get(key)
            if job is not None:
                self._jobs.move_to_end(key)
            return job

    def forget(self, key: str) -> None:
        """Let go of a finished job; one that is active stays."""
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and not job.active:
                del self._jobs[key]

    def ahead_of(self, job: Job) -> int:
        """Return how many active jobs came before a job."""
        with self._lock:
            known = [*self._jobs.values(), *self._replaced]
            return sum(other.active and other.order < job.order for other in known)

    def _forget_old(self) -> None:
        finished = [key for key, job in self._jobs.items() if not job.active]
        for key in finished[: max(0, len(finished) - self._keep)]:
            del self._jobs[key]

    def _start_worker(self) -> None:
        if self._worker is None or not self._worker.is_alive():
            self._worker = threading.Thread(target=self._serve, name="haloscope-jobs", daemon=True)
            self._worker.start()

    def _serve(self) -> None:
        while True:
            self._waiting.get().run()
