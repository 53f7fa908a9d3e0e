from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.errors import InputError, MethodError, ParameterError
from engine.execution.chunks import Chunks
from engine.execution.cost import Cost
from engine.execution.passes import Passes
from engine.masking.fills.fill import Fill
from engine.masking.fills.painted import Values
from engine.masking.predict import masked_outputs, predict_masked
from tests.engine import zoo
from tests.engine.counting import counted
from tests.engine.masking.painting import PAINTED
from tests.engine.refusals import expect_refusal

PICTURE_FILLS = list(PAINTED)


def masks(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).random((count, *shape)) < 0.5


def plain(name: str, batch: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return zoo.build(name)(batch).numpy()


@pytest.mark.parametrize("fill", PICTURE_FILLS)
def test_keeping_all_is_the_plain_forward_pass(fill: str) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    found = predict_masked(model, x, np.ones((1, 16, 16), bool), fill)
    assert np.array_equal(found, plain("tiny-cnn", x))


@pytest.mark.parametrize("fill", PICTURE_FILLS)
def test_keeping_nothing_is_the_pass_of_the_fill(fill: str) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    found = predict_masked(model, x, np.zeros((1, 16, 16), bool), fill)
    expected = plain("tiny-cnn", PAINTED[fill].values(model, x).expand_as(x))
    assert np.array_equal(found, expected)


def test_true_stays() -> None:
    model = zoo.load("mlp")
    x = zoo.noise(model)
    keep = np.array([[True, False, True, False, False], [False, True, False, True, True]])
    expected = plain("mlp", torch.where(torch.tensor(keep), x, 0.0))
    assert np.allclose(predict_masked(model, x, keep), expected, atol=1e-6)


@pytest.mark.parametrize("fill", PICTURE_FILLS)
def test_masks_of_pixels_and_of_channels(fill: str) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    values = PAINTED[fill].values(model, x)
    for keep in (masks(5, 16, 16), masks(5, 3, 16, 16), masks(5, 1, 16, 16), masks(5, 3, 1, 1)):
        broad = torch.tensor(keep if keep.ndim == 4 else keep[:, None])
        expected = plain("tiny-cnn", torch.where(broad, x, values))
        assert np.allclose(predict_masked(model, x, keep, fill), expected, atol=1e-6)


def test_masks_of_every_make_agree() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    keep = masks(3, 16, 16)
    expected = predict_masked(model, x, keep)
    frozen = keep.copy()
    frozen.setflags(write=False)
    for same in (torch.tensor(keep), frozen, np.asfortranarray(keep), keep[:, ::-1][:, ::-1]):
        assert np.array_equal(predict_masked(model, x, same), expected)
    flipped = predict_masked(model, x, keep[:, :, ::-1])
    assert np.array_equal(flipped, predict_masked(model, x, keep[:, :, ::-1].copy()))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_the_size_of_a_chunk_does_not_matter(size: int) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    keep = torch.tensor(masks(10, 1, 16, 16))
    expected = predict_masked(model, x, keep.numpy())
    passes = Passes(model, Cost(10))
    with counted(model.module) as count:
        found = masked_outputs(passes, Chunks(size), x, 10, lambda a, b: keep[a:b], "mean")
    assert np.allclose(found, expected, rtol=0, atol=1e-6)
    assert passes.used == Cost(10)
    assert max(count.batches) == min(size, 10)
    assert not found.requires_grad


@pytest.mark.parametrize("fill", sorted(set(PICTURE_FILLS) - {"blur"}))
def test_hidden_pixels_have_no_influence(fill: str) -> None:
    model = zoo.load("tiny-cnn")
    keep = masks(4, 16, 16)
    x = zoo.noise(model)
    hidden = torch.tensor(~keep.any(axis=0))
    other = torch.where(hidden, zoo.noise(model, seed=9), x)
    assert not torch.equal(x, other)
    assert np.array_equal(
        predict_masked(model, x, keep, fill), predict_masked(model, other, keep, fill)
    )


def test_blur_does_show_what_it_hides_but_blurred() -> None:
    model = zoo.load("tiny-cnn")
    nothing = np.zeros((1, 16, 16), bool)
    found = [predict_masked(model, zoo.noise(model, seed=s), nothing, "blur") for s in (0, 9)]
    assert not np.allclose(*found)


def test_pictures_are_prepared() -> None:
    model = zoo.load("tiny-cnn")
    picture = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    keep = masks(2, 16, 16)
    expected = predict_masked(model, model.prepare(picture), keep)
    assert np.array_equal(predict_masked(model, picture, keep), expected)
    assert expected.dtype == np.float32
    assert expected.shape == (2, 3)


@pytest.mark.parametrize("kind", ["float32", "int64", "uint8"])
def test_masks_that_are_not_boolean(kind: str) -> None:
    model = zoo.load("tiny-cnn")
    with expect_refusal(InputError, "masks are boolean (True = stays)", kind):
        predict_masked(model, zoo.noise(model), np.ones((2, 16, 16), kind))


@pytest.mark.parametrize(
    "shape", [(2, 15, 16), (16, 16), (2, 2, 16, 16), (2, 1, 3, 16, 16), (2,), ()]
)
def test_masks_of_the_wrong_shape(shape: tuple[int, ...]) -> None:
    model = zoo.load("tiny-cnn")
    with expect_refusal(InputError, f"masks of shape {shape} do not fit an input of (3, 16, 16)"):
        predict_masked(model, zoo.noise(model), np.ones(shape, bool))


def test_no_masks() -> None:
    model = zoo.load("tiny-cnn")
    with expect_refusal(InputError, "no masks given"):
        predict_masked(model, zoo.noise(model), np.ones((0, 16, 16), bool))


def test_unknown_fill() -> None:
    model = zoo.load("tiny-cnn")
    with expect_refusal(ParameterError, "no fill 'gray'", "did you mean grey"):
        predict_masked(model, zoo.noise(model), np.ones((1, 16, 16), bool), "gray")


class Doubling(Fill):
    name = "doubling"
    title = "Sends each masked picture through twice"

    def outputs(self, model: Any, forward: Any, x: Any, keep: Any) -> torch.Tensor:
        return (forward(x * keep) + forward(x * keep)) / 2


def test_a_fill_may_use_the_network_as_it_likes() -> None:
    model = zoo.load("tiny-cnn")
    keep = masks(3, 16, 16)
    found = predict_masked(model, zoo.noise(model), keep, Doubling())
    assert np.allclose(found, predict_masked(model, zoo.noise(model), keep, "mean"), atol=1e-6)


def through(x: torch.Tensor, keep: torch.Tensor, fill: str | Fill) -> np.ndarray:
    model = zoo.load("tiny-cnn")
    found = masked_outputs(
        Passes(model), Chunks(2), x, len(keep), lambda start, stop: keep[start:stop], fill
    )
    return found.numpy()


@pytest.mark.parametrize("fill", PICTURE_FILLS)
def test_shares_mix_the_picture_with_the_fill(fill: str) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    share = torch.from_numpy(np.random.default_rng(0).random((5, 1, 16, 16), np.float32))
    mixed = share * x + (1 - share) * PAINTED[fill].values(model, x)
    assert np.allclose(through(x, share, fill), plain("tiny-cnn", mixed), atol=1e-6)


@pytest.mark.parametrize("fill", PICTURE_FILLS)
def test_shares_of_all_or_nothing_are_masks(fill: str) -> None:
    x = zoo.noise(zoo.load("tiny-cnn"))
    keep = torch.from_numpy(masks(4, 1, 16, 16))
    assert np.array_equal(through(x, keep.float(), fill), through(x, keep, fill))


def test_fills_that_only_hide_or_keep_take_no_shares() -> None:
    x = zoo.noise(zoo.load("tiny-cnn"))
    with expect_refusal(MethodError, "the fill 'doubling' hides or keeps; it takes no shares"):
        through(x, torch.rand(2, 1, 16, 16), Doubling())


@pytest.mark.parametrize("size", [1, 3, 100])
def test_each_mask_may_have_a_fill_of_its_own(size: int) -> None:
    model = zoo.load("mlp")
    x, rows = zoo.noise(model), zoo.noise(model, 7, seed=1)
    keep = torch.from_numpy(masks(7, 5))
    asked: list[tuple[int, int]] = []

    def fill(start: int, stop: int) -> Fill:
        asked.append((start, stop))
        return Values(rows[start:stop])

    found = masked_outputs(
        Passes(model), Chunks(size), x, 7, lambda start, stop: keep[start:stop], fill
    )
    assert np.allclose(found, plain("mlp", torch.where(keep, x, rows)), rtol=0, atol=1e-6)
    assert [start for start, _ in asked] == list(range(0, 7, size))
    same = predict_masked(model, x, keep, Values(rows))
    assert np.allclose(found, same, rtol=0, atol=1e-6)


def test_masks_that_hide_a_table_leave_its_mean_row() -> None:
    model = zoo.load("table")
    found = predict_masked(model, zoo.noise(model), np.zeros((1, 5), bool))
    mean = torch.from_numpy(zoo.TABLE.mean_row)[None]
    assert np.array_equal(found, plain("table", mean))
