"""Studies of heads over an image set: means and standard errors of what each picture tells."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from engine.errors import Cancelled, InputError
from engine.head_results import MEASURES, PartialPruning
from engine.heads.measuring_strength import head_strength
from engine.heads.partial import prune_blocks
from engine.inputs.image_sets import ImageSet, load_images
from engine.inputs.samples import load_sample, load_sample_set
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.results import load_result
from tests.engine.attention import library
from tests.engine.refusals import expect_refusal


@pytest.fixture(scope="module")
def vit() -> LoadedModel:
    return load_model("digits-vit", device="cpu")


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return load_sample_set("digits").part([0, 70, 140, 210, 280])


def written(folder: Path, names: dict[str, str]) -> ImageSet:
    """A folder of digits, of each the class that it is put into."""
    for name, label in names.items():
        (folder / label).mkdir(parents=True, exist_ok=True)
        load_sample(f"digits/{name}").picture.save(folder / label / f"{name}.png")
    return load_images(folder)


def mean_and_error(values: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """By the textbook, in float64."""
    each = [value.astype(np.float64) for value in values]
    mean = sum(each) / len(each)
    spread = sum((one - mean) ** 2 for one in each) / (len(each) - 1)
    return mean, np.sqrt(spread / len(each))


def check(found: PartialPruning, singles: list[PartialPruning]) -> None:
    for name in ("blocks", "whole", "plain"):
        mean, error = mean_and_error([getattr(one, name) for one in singles])
        assert np.allclose(getattr(found, name), mean, rtol=1e-5, atol=1e-6, equal_nan=True)
        told = getattr(found, f"{name}_error")
        assert np.allclose(told, error, rtol=1e-4, atol=1e-6, equal_nan=True)


def test_blocks_of_a_set_are_the_mean_of_its_pictures(
    vit: LoadedModel, digits: ImageSet, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    found = prune_blocks(vit, digits, 3, 1, off=[(0, 2)], progress=lambda *done: told.append(done))
    labels = [label for label in digits.labels if label is not None]
    singles = [
        prune_blocks(vit, digits[place], 3, 1, label, off=[(0, 2)])
        for place, label in enumerate(labels)
    ]
    check(found, singles)
    assert found.whole_error is not None
    assert (found.whole_error > 0).all()
    assert singles[0].blocks_error is None
    assert singles[0].whole_error is None
    assert told[-1] == (50, 50)
    assert found.manifest["request"]["target"] is None
    assert found.manifest["outcome"]["pictures"] == 5
    saved = load_result(found.save(tmp_path / "set.safetensors"))
    assert isinstance(saved, PartialPruning)
    assert np.array_equal(saved.blocks_error, found.blocks_error)
    one = prune_blocks(vit, digits, 3, 1, "4")
    check(one, [prune_blocks(vit, digits[place], 3, 1, "4") for place in range(5)])
    assert one.manifest["request"]["target"] == {"index": 4, "name": "4"}
    assert one.key != found.key


def test_a_wrong_label_is_followed_and_no_label_is_the_prediction(
    vit: LoadedModel, tmp_path: Path
) -> None:
    wrong = written(tmp_path / "wrong", {"3-04": "5", "7-02": "7"})
    asked = dict(zip(wrong.labels, range(2), strict=True))
    singles = [prune_blocks(vit, wrong[asked[label]], 0, 0, label) for label in ("5", "7")]
    check(prune_blocks(vit, wrong, 0, 0), singles)
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("3-04", "7-02"):
        load_sample(f"digits/{name}").picture.save(bare / f"{name}.png")
    unlabelled = load_images(bare)
    check(
        prune_blocks(vit, unlabelled, 0, 0),
        [prune_blocks(vit, unlabelled[place], 0, 0) for place in range(2)],
    )


def test_pictures_that_cannot_be_read_are_left_out(vit: LoadedModel, tmp_path: Path) -> None:
    own = written(tmp_path / "own", {"0-00": "0", "3-04": "3", "7-02": "7"})
    broken = tmp_path / "own" / "3" / "3-04.png"
    broken.write_bytes(broken.read_bytes()[:60])
    own = load_images(tmp_path / "own")
    found = prune_blocks(vit, own, 1, 1)
    assert found.manifest["outcome"]["pictures"] == 2
    assert [place for place, _ in found.manifest["outcome"]["skipped"]] == [1]
    check(found, [prune_blocks(vit, own[place], 1, 1, own.labels[place]) for place in (0, 2)])
    (tmp_path / "own" / "0" / "0-00.png").unlink()
    alone = prune_blocks(vit, own, 1, 1)
    assert alone.blocks_error is None
    with expect_refusal(InputError, "the model knows none of the labels"):
        prune_blocks(vit, load_sample_set("scenes").part([0]), 1, 1)


def test_cancelled_on_the_way(vit: LoadedModel, digits: ImageSet) -> None:
    cancel = threading.Event()
    seen: list[int] = []

    def progress(done: int, _total: int) -> None:
        seen.append(done)
        if done >= 15:
            cancel.set()

    with pytest.raises(Cancelled):
        prune_blocks(vit, digits, 0, 0, progress=progress, cancel=cancel)
    assert 15 <= seen[-1] < 50


def test_without_a_class_token_errors_are_padded_too() -> None:
    model = library.load("timm-swin")
    pictures = load_sample_set("photographs").part([0, 1, 2])
    found = prune_blocks(model, pictures, 1, 0, 2)
    assert found.blocks_error is not None
    assert np.isnan(found.blocks_error[:3]).all()
    assert np.isfinite(found.blocks_error[3]).all()


@pytest.mark.parametrize("name", ["timm-swin", "timm-deit"])
def test_trends_have_errors_over_pictures(name: str) -> None:
    model = library.load(name)
    pictures = load_sample_set("photographs").part([0, 1, 2, 3])
    found = head_strength(model, pictures)
    singles = [head_strength(model, [pictures[place]]) for place in range(4)]
    assert singles[0].trends_error is None
    assert singles[0].trend_error("distance") is None
    assert found.trends_error is not None
    assert found.trends_error.shape == (len(found.heads), len(MEASURES))
    for measure in ("distance", "entropy", "needed"):
        mean, error = mean_and_error([one.trend(measure) for one in singles])
        assert np.allclose(found.trend(measure), mean, rtol=1e-5)
        told = found.trend_error(measure)
        assert told is not None
        assert np.allclose(told, error, rtol=1e-3, atol=1e-6)
    own = found.measures_error[..., MEASURES.index("distance")]
    assert not np.allclose(found.trend_error("distance"), np.nanmean(own, axis=1))
