"""A model on an image set: one by one is the oracle."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import engine
from engine.errors import Cancelled, InputError
from engine.evaluation.scoring import plan_scores, score_images
from engine.inputs.image_sets import ImageSet, load_images
from engine.models.image_labels import match_labels
from tests.engine.refusals import expect_refusal


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return engine.load_sample_set("digits").part(range(43))


def test_equal_to_one_by_one(digits: ImageSet) -> None:
    model = engine.load_model("digits-cnn")
    found = score_images(model, digits)
    for index, picture in enumerate(digits):
        alone = engine.predict(model, picture)
        label = int(str(digits.labels[index]))
        assert found.labels[index] == label
        assert found.predicted[index] == alone.best
        assert found.confidence[index] == pytest.approx(alone.probabilities.max(), abs=1e-6)
        assert found.truth[index] == pytest.approx(alone.probabilities[label], abs=1e-6)
        order = np.argsort(-alone.probabilities, kind="stable")
        assert order[found.rank[index]] == label
    assert found.manifest["outcome"]["passes"] == {"forward": 43, "backward": 0}


def test_saved_and_read_back(digits: ImageSet, tmp_path: Path) -> None:
    found = score_images("digits-cnn", digits)
    again = engine.load_result(found.save(tmp_path / "s.safetensors"))
    assert isinstance(again, engine.Scores)
    assert np.array_equal(again.predicted, found.predicted)
    assert again.accuracy() == found.accuracy()


def test_what_cannot_be_read_is_left_out_and_listed(tmp_path: Path) -> None:
    for index, label in enumerate("357"):
        (tmp_path / label).mkdir()
        noise = np.random.default_rng(index).integers(0, 255, (28, 28), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / label / "a.png")
    content = (tmp_path / "5" / "a.png").read_bytes()
    (tmp_path / "5" / "a.png").write_bytes(content[: len(content) // 2])
    found = score_images("digits-cnn", load_images(tmp_path))
    assert found.labels.tolist() == [3, 7]
    assert found.manifest["source"]["pictures"] == ["3/a.png", "7/a.png"]
    [[name, reason]] = found.manifest["outcome"]["skipped"]
    assert name == "5/a.png"
    assert "damaged" in reason or "cut off" in reason or "truncated" in reason, reason


def test_key_follows_model_set_and_fit(digits: ImageSet) -> None:
    key = plan_scores("digits-cnn", digits).key
    assert plan_scores("digits-cnn", digits).key == key
    assert plan_scores("digits-vit", digits).key != key
    assert plan_scores("digits-cnn", digits.part(range(42))).key != key
    assert plan_scores("digits-cnn", digits, fit="letterbox").key != key


def test_cancelled(digits: ImageSet) -> None:
    stop = threading.Event()
    seen: list[int] = []

    def progress(done: int, total: int) -> None:
        seen.append(done)
        assert total == 43
        stop.set()

    with pytest.raises(Cancelled):
        score_images("digits-cnn", digits, progress=progress, cancel=stop)
    assert len(seen) == 1


def test_labels_are_matched_by_name() -> None:
    classes = ["tiger cat", "Egyptian_cat", "lynx"]
    assert match_labels(["Tiger_Cat", "egyptian cat", None, "dog"], classes).tolist() == [
        0,
        1,
        -1,
        -1,
    ]
    with expect_refusal(InputError, "knows none of the labels; the first is 'dog'"):
        match_labels(["dog", None], classes)
    assert match_labels([None], classes).tolist() == [-1]
