from __future__ import annotations

import threading

from dashboard.running import explanations, watching
from engine.execution.jobs import JobQueue


def blocked(queue: JobQueue, key: str):
    def work(progress, cancel):
        while True:
            progress(0, 1)  # raises once the job is cancelled
            threading.Event().wait(0.01)

    return queue.submit(key, key, work)


def test_a_job_that_nobody_waits_for_is_stopped_after_the_grace() -> None:
    job = blocked(JobQueue(), "alone")
    watch = watching.Watch()
    watch.join(job)
    watch.leave(grace=0.05)
    assert job.wait(20)
    assert job.state == "cancelled"


def test_a_job_that_another_session_waits_for_goes_on() -> None:
    job = blocked(JobQueue(), "shared")
    first, second = watching.Watch(), watching.Watch()
    first.join(job)
    second.join(job)
    first.leave(grace=0)
    assert not job.wait(0.3)
    assert not job.cancelling
    second.leave(grace=0)
    assert job.wait(20)


def test_a_reload_within_the_grace_keeps_the_job() -> None:
    job = blocked(JobQueue(), "reloaded")
    before, after = watching.Watch(), watching.Watch()
    before.join(job)
    before.leave(grace=0.3)
    after.join(job)
    assert not job.wait(0.8)
    job.cancel()
    assert job.wait(20)


def test_what_came_of_an_upload_is_forgotten_with_the_last_session_that_has_it() -> None:
    queue = explanations.queue()
    job = queue.submit("of an upload", "of an upload", lambda progress, cancel: 1)
    assert job.wait(20)
    first, second = watching.Watch(), watching.Watch()
    first.own("of an upload")
    second.own("of an upload")
    first.leave(grace=0)
    threading.Event().wait(0.2)
    assert queue.find("of an upload") is job
    second.leave(grace=0)
    for _ in range(100):
        threading.Event().wait(0.05)
        if queue.find("of an upload") is None:
            break
    assert queue.find("of an upload") is None
    assert job._work is None, "neither is what it was asked about"
