"""What the pages' jobs keep on disk, and what they take from there."""

from __future__ import annotations

import logging
import threading
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dashboard.running import explanations, keeping
from engine.attribution.explain import Plan, plan
from engine.execution.jobs import JobQueue
from engine.inputs.images import ImageInput, load_image
from engine.models.loading import load_model
from engine.store import default_store
from tests.engine import zoo


@pytest.fixture(autouse=True)
def fresh_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that has only just started, every time it is asked for its queue."""
    monkeypatch.setattr(explanations, "queue", JobQueue)


def planned(origin: str = "sample:noise", target: int = 0) -> Plan:
    model = load_model(zoo.build("tiny-cnn"), input_spec=zoo.PICTURE)
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    return plan(model, ImageInput(pixels, "noise", origin=origin), "occlusion", target, window=4)


def finished(asked: Plan) -> explanations.Explained:
    job = explanations.submit(asked)
    assert job.wait(60)
    assert job.error is None
    assert job.passes_done == job.passes_total > 0
    return job.result


def no_computing(monkeypatch: pytest.MonkeyPatch) -> None:
    def computes(*_: Any) -> None:
        raise AssertionError("computed, though it was known")

    monkeypatch.setattr(Plan, "run", computes)


def test_a_restarted_server_knows_what_was_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    first = finished(planned())
    no_computing(monkeypatch)
    second = finished(planned())
    assert second.attribution is not first.attribution
    assert second.attribution.values.tobytes() == first.attribution.values.tobytes()
    assert second.attribution.manifest == first.attribution.manifest
    assert second.hiding == first.hiding is not None


def test_another_question_is_computed() -> None:
    finished(planned())
    finished(planned(target=1))
    assert default_store().count == 2


def test_an_upload_stays_in_its_session() -> None:
    finished(planned(origin=""))
    assert default_store().count == 0
    content = BytesIO()
    Image.new("RGB", (4, 4)).save(content, "PNG")
    assert load_image(content.getvalue(), name="upload.png").origin == ""


def test_what_is_kept_bears_the_names_of_the_plan() -> None:
    finished(planned(origin="sample:yesterday"))
    found = keeping.find(planned(origin="sample:today"))
    assert found is not None
    assert found.manifest["source"]["input_origin"] == "sample:today"


@pytest.mark.parametrize("limit", ["0", "much", "0.001"])
def test_a_store_that_fails_is_done_without(
    limit: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HALOSCOPE_CACHE_MB", limit)
    monkeypatch.setattr(keeping, "_told", set())
    with caplog.at_level(logging.WARNING, "haloscope"):
        for _ in range(2):
            assert finished(planned()).hiding is not None
    lines = [record.getMessage() for record in caplog.records if record.name == "haloscope"]
    assert len(lines) == (0 if limit == "0" else 1), "told once, not at every map"
    monkeypatch.delenv("HALOSCOPE_CACHE_MB")
    assert default_store().count == 0


def test_a_cancelled_job_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = planned()
    begun = threading.Event()
    run = Plan.run

    def announced(self: Plan, progress: Any, cancel: Any, **more: Any) -> Any:
        begun.set()
        cancel.wait(10)
        return run(self, progress, cancel, **more)

    monkeypatch.setattr(Plan, "run", announced)
    job = explanations.submit(asked)
    assert begun.wait(10)
    job.cancel()
    assert job.wait(60)
    assert job.state == "cancelled"
    assert default_store().count == 0
