"""Who waits for which job: work that nobody waits for any more is stopped after a while."""

from __future__ import annotations

import threading

import streamlit as st

from dashboard.running import explanations
from engine.execution.jobs import Job

# A brief drop of the connection, or a reload of the page, is no good-bye.
GRACE_SECONDS = 15.0

_lock = threading.Lock()
_watchers: dict[Job, set[int]] = {}
_owners: dict[str, set[int]] = {}


class Watch:
    """One session's interest in jobs, and in what came of its uploads."""

    def __init__(self) -> None:
        self._own: set[str] = set()

    def own(self, key: str) -> None:
        """Note that a job's result rests on an upload: it is forgotten when the session ends."""
        with _lock:
            self._own.add(key)
            _owners.setdefault(key, set()).add(id(self))

    def join(self, job: Job) -> None:
        """Wait for a job."""
        with _lock:
            for finished in [known for known in _watchers if not known.active]:
                del _watchers[finished]
            if job.active:
                _watchers.setdefault(job, set()).add(id(self))

    def leave(self, grace: float = GRACE_SECONDS) -> None:
        """Stop waiting; jobs that nobody else waits for are cancelled after the grace."""
        timer = threading.Timer(grace, self._gone)
        timer.daemon = True
        timer.start()

    def _gone(self) -> None:
        with _lock:
            for job, sessions in _watchers.items():
                sessions.discard(id(self))
                if not sessions and job.active:
                    job.cancel()
            alone = [key for key in self._own if self._leaves_alone(key)]
        for key in alone:
            explanations.queue().forget(key)

    def _leaves_alone(self, key: str) -> bool:
        """Take this session off a key's owners; return whether it was the last one."""
        owners = _owners.get(key, set())
        owners.discard(id(self))
        if owners:
            return False
        _owners.pop(key, None)
        return True


@st.cache_resource(scope="session", on_release=lambda watch: watch.leave(), show_spinner=False)
def watch() -> Watch:
    """Return this session's watch; it leaves when the session ends."""
    return Watch()
