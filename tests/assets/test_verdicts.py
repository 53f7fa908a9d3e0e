"""What is kept of the bundled models' trials is what the trials come to."""

from __future__ import annotations

import json

from assets.training.make_verdicts import FILE, tried
from engine.attribution.registry import find_method
from engine.models.loading import load_model


def test_kept_verdicts_are_what_comes_out_now() -> None:
    assert json.loads(FILE.read_text("utf-8")) == tried(), (
        "run python -m assets.training.make_verdicts"
    )


def test_a_kept_reason_is_told() -> None:
    reason = find_method("guided-backprop").refusal(load_model("scenes-vit", device="cpu"))
    assert reason is not None
    assert "Guided Backprop is only defined for ReLU" in reason
