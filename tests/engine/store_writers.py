"""Processes that write into a store; light, so that two hundred of them start in no time."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import numpy as np

from engine.manifest import key_of
from engine.results import Attribution
from engine.store import Store


def made(number: int, floats: int = 50_000) -> Attribution:
    """The result of a request that asks for a number: values that only this number has."""
    request = {"number": number, "floats": floats}
    values = np.random.default_rng(number).normal(size=floats).astype(np.float32)
    return Attribution(manifest={"key": key_of(request), "request": request}, values=values)


def write_and_tell(folder: str, first: int, told: int) -> None:
    """Save one result after another, for ever; tell each number once it is saved."""
    store = Store(folder)
    os.write(told, b"up")
    for number in range(first, first + 1_000_000):
        store.put(made(number))
        os.write(told, f"{number}\n".encode())


def usual_seconds(folder: str) -> float:
    """How long saving takes; and what is imported here need not be by every child."""
    store = Store(folder)
    store.put(made(0))
    began = time.monotonic()
    for _ in range(5):
        store.put(made(0))
    return (time.monotonic() - began) / 5


def kill_often(folder: str, rounds: int) -> list[int]:
    """Start and kill -9 one writer after another; return the numbers told as saved."""
    longest = min(0.1, 4 * usual_seconds(folder))
    chance = random.Random(0)
    told: list[int] = []
    for turn in range(rounds):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            write_and_tell(folder, (turn + 1) * 1_000_000, writing)
        os.close(writing)
        os.read(reading, 2)
        time.sleep(chance.uniform(0, longest))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reading) as lines:
            told += [int(line) for line in lines]
    return told


def write_many(folder: str, limit: int, first: int, count: int) -> None:
    """Save, read and save again, under a limit that is reached all the time."""
    store = Store(Path(folder), limit)
    for number in range(first, first + count):
        result = made(number % 40, 5000)
        store.put(result)
        found = store.get(result.key)
        if found is not None and found.values.tobytes() != result.values.tobytes():
            raise SystemExit(f"{number} is not what was saved")
