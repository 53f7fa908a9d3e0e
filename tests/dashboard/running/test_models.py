"""What the choosers offer, and what they call it."""

from __future__ import annotations

import threading

import pytest

from dashboard.running import models, own_models
from dashboard.running.allowed import EXTRA_MODELS
from engine.errors import ModelError
from engine.models.loading import load_model
from tests.engine import zoo
from tests.engine.refusals import expect_refusal


@pytest.mark.parametrize(
    ("ref", "kind"),
    [
        ("imagenet-cnn", "pictures"),
        ("adult-mlp", "tables"),
        ("adult-mlp?activation=sigmoid", "tables"),
        ("timm:resnet18?weights=none", "pictures"),
        ("torchvision:resnet18", "pictures"),
        ("hf:owner/name", "pictures"),
        ("mynet:build", "pictures"),
        ("file:w.pth?arch=mynet:build", "pictures"),
        ("file:w.pth?arch=timm:resnet18", "pictures"),
        ("file:w.pth?arch=adult-mlp", "tables"),
        ("file:w.pth?arch=mynet:build&columns=t.csv", "tables"),
        ("file:forest.skops?columns=t.csv&label=y", "tables"),
        ("upload:w.pth@1a2b?arch=digits-cnn", "pictures"),
        ("upload:w.pth@1a2b?arch=adult-mlp", "tables"),
        ("ftp:no-such-kind", "pictures"),
    ],
)
def test_every_kind_of_reference_is_for_pictures_or_tables(ref: str, kind: str) -> None:
    assert models.kind_of(ref) == kind


def test_titles_are_short_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = [
        "file:a/w.pth?arch=timm:resnet18",
        "file:b/w.pth?arch=timm:resnet18",
        "timm:resnet18?weights=none",
        "torchvision:resnet18",
        "hf:owner/resnet18",
        "mynet:build",
        "mynet:build",
    ]
    monkeypatch.setenv(EXTRA_MODELS, "\n".join(extra))
    refs = models.references()
    assert len(refs) == len(set(refs)), "the same reference twice is one model"
    titles = [models.title(ref) for ref in refs]
    assert len(titles) == len(set(titles))
    assert models.title("timm:resnet18?weights=none") == "resnet18 (timm)"
    assert models.title("hf:owner/resnet18") == "resnet18 (hf)"


def test_what_a_model_says_depends_on_how_its_logits_are_read() -> None:
    module = zoo.build("tiny-cnn")
    one = load_model(module, input_spec=zoo.PICTURE)
    other = load_model(module, input_spec=zoo.PICTURE, activation="sigmoid")
    assert models.identity(one) != models.identity(other)


def test_outside_a_session_there_are_no_own_models() -> None:
    assert own_models.every() == []


@pytest.mark.timeout(60)
def test_a_model_that_loads_slowly_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    release, begun = threading.Event(), threading.Event()

    def slow(ref: str, **_: object) -> object:
        if ref == "slow":
            begun.set()
            assert release.wait(30)
        return ref

    monkeypatch.setattr("engine.models.loading.load_model", slow)
    monkeypatch.setattr(models, "_loaded", type(models._loaded)())
    thread = threading.Thread(target=models.model, args=("slow",))
    thread.start()
    assert begun.wait(10)
    try:
        assert models.model("quick") == "quick"
    finally:
        release.set()
        thread.join(10)
    assert models.model("slow") == "slow"


def test_a_model_that_cannot_be_loaded_leaves_nothing_behind() -> None:
    for _ in range(2):
        with expect_refusal(ModelError, "no model 'nosuch'"):
            models.model("nosuch")
    assert "nosuch" not in models._loading
