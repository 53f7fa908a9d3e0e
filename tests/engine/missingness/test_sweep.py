from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.attribution.explain import explain
from engine.errors import Cancelled, InputError, ParameterError
from engine.execution.cost import Cost
from engine.mask_results import MaskSweep
from engine.masking import predict_masked
from engine.missingness.sweep import mask_sweep, plan_sweep
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.outputs import probabilities_of
from engine.results import load_result
from tests.engine import zoo
from tests.engine.counting import counted
from tests.engine.refusals import expect_refusal


def by_hand(
    model: LoadedModel, x: torch.Tensor, scores: np.ndarray, share: float, fill: str, remove: bool
) -> np.ndarray:
    """One mask, made by sorting the pixels, and one pass."""
    places = sorted(np.ndindex(*scores.shape), key=lambda place: -float(scores[place]))
    keep = np.full(scores.shape, remove)
    for place in places[: round(share * scores.size)]:
        keep[place] = not remove
    return predict_masked(model, x, keep[None], fill)[0]


@pytest.mark.parametrize("fill", ["mean", "blur"])
@pytest.mark.parametrize("method", ["gradient", "grad-cam", "integrated-gradients"])
def test_a_loop_over_single_masks_finds_the_same(fill: str, method: str) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    made = explain(model, x, method)
    found = mask_sweep(model, x, made, fill, levels=10)
    magnitude = made.manifest["display"]["view"] == "magnitude"
    scores = made.resized(16, 16, magnitude=magnitude)
    assert np.allclose(found.share, np.arange(11) / 10)
    for index in range(11):
        share = index / 10
        for remove, curve in ((True, found.removed), (False, found.kept)):
            expected = by_hand(model, x, scores, share, fill, remove)
            assert np.allclose(curve[index], expected, atol=1e-5)
    shares = probabilities_of(torch.tensor(found.kept), "softmax").numpy()
    assert np.allclose(found.kept_probabilities, shares, atol=1e-6)


def linear() -> LoadedModel:
    return zoo.load("image-linear")


def test_a_linear_model_in_closed_form() -> None:
    # With zeros in place of what is hidden, the logit is the bias and what stays of w · x.
    model = linear()
    x = zoo.noise(model)
    weights = model.module.linear.weight.detach().double().reshape(4, 3, 8, 8)
    parts = (weights * x.double()).sum(dim=1).numpy()  # (classes, 8, 8)
    bias = model.module.linear.bias.detach().double().numpy()
    scores = parts[2]
    found = mask_sweep(model, x, scores, levels=64)
    ordered = parts.reshape(4, 64)[:, np.argsort(-scores.ravel(), kind="stable")]
    sums = np.concatenate([np.zeros((4, 1)), ordered.cumsum(axis=1)], axis=1).T  # (65, classes)
    assert np.allclose(found.kept, bias + sums, atol=1e-5)
    assert np.allclose(found.removed, bias + sums[-1] - sums, atol=1e-5)


def test_masks_of_the_result_are_those_of_the_curve() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    found = mask_sweep(model, x, explain(model, x, "gradient"), levels=7)
    for index, share in enumerate(found.share):
        for remove, curve in ((True, found.removed), (False, found.kept)):
            keep = found.keep(float(share), remove=remove)
            assert np.allclose(predict_masked(model, x, keep[None])[0], curve[index], atol=1e-5)
    assert found.keep(0.3, remove=True).mean() == pytest.approx(0.7, abs=0.01)


@pytest.mark.parametrize(("direction", "passes"), [("both", 200), ("remove", 101), ("keep", 101)])
def test_passes_are_promised_counted_and_go_in_full_chunks(direction: Any, passes: int) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    planned = plan_sweep(model, x, np.random.default_rng(0).random((16, 16)), direction=direction)
    with counted(model.module) as count:
        found = planned.run()
    assert planned.cost == Cost(passes)
    assert count.forward == passes
    assert set(count.batches[:-1]) <= {planned.request["chunk"]}
    assert (found.kept is None) == (direction == "remove")
    assert (found.removed is None) == (direction == "keep")
    for curve in (found.kept, found.removed):
        assert curve is None or curve.shape == (101, 3)


def test_one_direction_is_that_of_both() -> None:
    model = zoo.load("tiny-cnn")
    x, scores = zoo.noise(model), np.random.default_rng(0).random((16, 16))
    both = mask_sweep(model, x, scores, levels=9)
    removed = mask_sweep(model, x, scores, levels=9, direction="remove")
    kept = mask_sweep(model, x, scores, levels=9, direction="keep")
    assert np.allclose(both.removed, removed.removed, atol=1e-6)
    assert np.allclose(both.kept, kept.kept, atol=1e-6)
    assert len({both.key, removed.key, kept.key}) == 3


def test_columns_of_a_table() -> None:
    model = zoo.load("table")
    x = zoo.noise(model)
    made = explain(model, x, "gradient")
    found = mask_sweep(model, x, made)
    assert found.order.shape == (1, 3)
    assert len(found.share) == 4  # no more levels than columns
    order = np.argsort(-made.values, kind="stable")
    for count in range(4):
        keep = np.ones(3, dtype=bool)
        keep[order[:count]] = False
        features = model.spec.spread(torch.from_numpy(keep[None]))
        expected = predict_masked(model, x, features)[0]
        assert np.allclose(found.removed[count], expected, atol=1e-6)


def test_ties_go_row_by_row() -> None:
    model = zoo.load("tiny-cnn")
    flat = plan_sweep(model, zoo.noise(model), np.zeros((16, 16)))
    assert np.array_equal(flat.order, np.arange(256).reshape(16, 16))


def test_results_are_read_back(tmp_path: Any) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    found = mask_sweep(model, x, np.eye(16), levels=3, direction="keep")
    loaded = load_result(found.save(tmp_path / "s.safetensors"))
    assert isinstance(loaded, MaskSweep)
    assert loaded.removed is None
    assert np.array_equal(loaded.kept, found.kept)
    assert loaded.classes == model.classes


def test_the_key_tells_order_fill_levels_and_input() -> None:
    model = zoo.load("tiny-cnn")
    x, scores = zoo.noise(model), np.random.default_rng(0).random((16, 16))
    keys = [
        plan_sweep(model, x, scores).key,
        plan_sweep(model, x, -scores).key,
        plan_sweep(model, x, scores, "grey").key,
        plan_sweep(model, x, scores, levels=50).key,
        plan_sweep(model, zoo.noise(model, seed=1), scores).key,
    ]
    assert len(set(keys)) == 5
    assert keys[0] == plan_sweep(model, x, 2 * scores + 1).key  # the order is all that counts


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"levels": 0}, "levels=0: expected a whole number from 1 to 1000"),
        ({"levels": True}, "levels=True: expected a whole number"),
        ({"direction": "up"}, "no direction 'up'"),
        ({"seed": 0.5}, "seed=0.5: expected a whole number"),
        ({"fill": "gray"}, "no fill 'gray'"),
        ({"attribution": np.zeros((4, 4))}, "scores are finite numbers of shape (16, 16)"),
        ({"attribution": np.full((16, 16), np.nan)}, "scores are finite numbers"),
        ({"attribution": np.zeros((16, 16), str)}, "scores are finite numbers"),
    ],
)
def test_bad_wishes_are_told(asked: dict[str, Any], words: str) -> None:
    model = zoo.load("tiny-cnn")
    with expect_refusal(ParameterError, words):
        mask_sweep(model, zoo.noise(model), **{"attribution": np.zeros((16, 16)), **asked})


def test_a_map_of_another_input_is_refused() -> None:
    model = zoo.load("tiny-cnn")
    made = explain(model, zoo.noise(model, seed=1), "gradient")
    with expect_refusal(InputError, "the map explains another input"):
        mask_sweep(model, zoo.noise(model), made)


def test_it_can_be_stopped_and_run_again() -> None:
    model = zoo.load("tiny-cnn")
    stop = threading.Event()
    planned = plan_sweep(model, zoo.noise(model), np.eye(16), levels=256)
    with pytest.raises(Cancelled):
        planned.run(lambda *_: stop.set(), stop)
    again = [planned.run() for _ in range(2)]
    assert np.array_equal(again[0].kept, again[1].kept)


def test_one_sample_at_a_time_where_others_beside_it_matter() -> None:
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2, track_running_stats=False))
    pooled = nn.Sequential(net, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model = load_model(pooled, input_spec=zoo.PICTURE, device="cpu")
    planned = plan_sweep(model, zoo.noise(model), np.eye(16), levels=4)
    assert planned.request["chunk"] == 1
    with counted(model.module) as count:
        planned.run()
    assert set(count.batches) == {1}
