"""Regions of pictures as features, against plain loops and a model whose answer is known."""

from __future__ import annotations

import gc
import weakref
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.errors import HaloscopeError
from engine.execution.layout import with_channels_last
from engine.execution.predict import predict
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import ImageInput
from engine.inputs.samples import load_sample, load_sample_set
from engine.interaction_results import Interactions
from engine.interactions.picture_data import plan_picture_interactions
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import ImageSpec
from engine.replay import replay


@cache
def model() -> LoadedModel:
    """Two classes from the mean colours of the corners: the first times the second."""

    class Corners(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pool = nn.AdaptiveAvgPool2d(2)
            self.bias = nn.Parameter(torch.zeros(1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            corners = self.pool(x).mean(dim=1).flatten(1)  # (n, 4)
            score = 2 * corners[:, 0] * corners[:, 1] + corners[:, 2] + self.bias
            return torch.stack([score, -score], dim=1)

    spec = ImageSpec(height=16, width=16, mean=(0.5,) * 3, std=(0.25,) * 3)
    return load_model(Corners(), input_spec=spec, classes=["up", "down"], device="cpu")


@cache
def pictures() -> ImageSet:
    return load_sample_set("scenes").part(range(0, 60, 12))


@cache
def of_one() -> Interactions:
    return plan_picture_interactions(
        model(), load_sample("scenes/heart-07"), target="up", division="grid", segments=4, rate=0.2
    ).run()


def loss(x: torch.Tensor) -> float:
    with torch.no_grad():
        return float(-model().module(x).double().log_softmax(1)[:, 0].mean())


def test_hiding_regions_of_one_picture() -> None:
    found = of_one()
    assert found.columns == ("region 0", "region 1", "region 2", "region 3")
    assert found.regions is not None
    assert found.regions.shape == (16, 16)
    x = model().prepare(load_sample("scenes/heart-07"))
    base = loss(x)
    assert found.base_loss == pytest.approx(base, abs=1e-6)
    for place, (i, j) in enumerate(found.pairs):
        each = []
        for hidden in ((i,), (j,), (i, j)):
            keep = torch.from_numpy(~np.isin(found.regions, hidden))
            each.append(loss(x * keep) - base)
        assert np.allclose(found.effects[place, 0], each, atol=1e-6)
    assert not found.error.any()
    assert (found.status[-1, :, 3] == 2).all()  # the last corner is not looked at
    assert any("mean colour" in note for note in found.manifest["display"]["notes"])


def test_it_replays() -> None:
    again = replay(of_one(), model())
    assert again.verdict in ("equal to the bit", "within tolerance")


def test_masks_multiply_regions() -> None:
    found = of_one()
    x = model().prepare(load_sample("scenes/heart-07"))
    for index in (5, 100):
        m = found.mask(0, index)
        assert found.loss[0, index] == pytest.approx(
            loss(x * torch.from_numpy(m[found.regions]).float()), abs=1e-6
        )


def test_regions_change_places_between_pictures() -> None:
    found = plan_picture_interactions(
        model(), pictures(), target="up", segments=4, pairs=["0:1"], repeats=30
    ).run()
    x = torch.cat([model().prepare(one) for one in pictures()])
    count = len(x)
    assert found.outcome["exact_pairs"] == 1  # five pictures, fewer than permutations
    assert found.regions is not None
    for k, moved in enumerate(((0,), (1,), (0, 1))):
        inside = torch.from_numpy(np.isin(found.regions, moved))
        every = [
            loss(torch.where(inside, x[b : b + 1], x[a : a + 1]))
            for a in range(count)
            for b in range(count)
        ]
        expected = np.mean(every) - loss(x)
        assert found.effects[0, 0, k] == pytest.approx(expected, abs=1e-6)


def test_superpixels_of_one_picture() -> None:
    planned = plan_picture_interactions(
        model(), load_sample("chelsea"), target="down", segments=8, pairs=["region 0:region 1"]
    )
    found = planned.run()
    assert found.regions is not None
    assert len(found.columns) == len(np.unique(found.regions)) > 1
    assert np.isfinite(found.scores).all()


def test_each_masked_picture_is_asked_once() -> None:
    # Hidden by one region, a model is known by what is left: the other's m. Six pairs of 265.
    found = of_one()
    asked: set[bytes] = set()
    for pair, features in enumerate(found.pairs):
        for model_of in range(len(found.steps)):
            m = found.mask(pair, model_of)
            hidden = [m.copy() for _ in range(3)]
            for one, moved in zip(hidden, (features[:1], features[1:], features), strict=True):
                one[moved] = 0
            asked |= {one.tobytes() for one in (m, *hidden)}
    clouds = len(asked)
    halos = 36 * 4 * 6  # of the smaller rates
    passes = found.outcome["passes"]["forward"]
    assert passes <= found.outcome["searched"] + clouds + halos + 1
    planned = plan_picture_interactions(
        model(), load_sample("scenes/heart-07"), target="up", division="grid", segments=4, rate=0.2
    )
    assert passes <= planned.usual <= planned.cost.forward


def test_channels_that_lie_last_say_the_same() -> None:
    loaded = load_model("scenes-vgg", device="cpu")
    turned = with_channels_last(loaded)
    assert turned is not loaded
    assert turned.lock is loaded.lock
    x = torch.cat([loaded.prepare(one) for one in pictures()])
    assert torch.allclose(turned.forward(x), loaded.forward(x), atol=1e-5)
    assert next(loaded.module.parameters()).is_contiguous()
    assert with_channels_last(load_model("compas-mlp", device="cpu")).family == "tabular"


def test_a_model_is_copied_once_and_anew_when_its_weights_change() -> None:
    loaded = replace(load_model("scenes-vgg", device="cpu"), in_hand=True)
    loaded.module = deepcopy(loaded.module)
    turned = with_channels_last(loaded)
    assert with_channels_last(loaded) is turned
    with torch.no_grad():
        next(loaded.module.parameters()).mul_(1.5)
    again = with_channels_last(loaded)
    assert again is not turned
    x = loaded.prepare(pictures()[0])
    assert torch.allclose(again.forward(x), loaded.forward(x), atol=1e-5)
    copy = weakref.ref(again.module)
    del loaded, again
    gc.collect()
    assert copy() is None, "the copy goes when the model does"


@pytest.mark.slow
def test_superpixels_of_a_real_network() -> None:
    loaded = load_model("scenes-vgg", device="cpu")
    planned = plan_picture_interactions(
        loaded, load_sample("scenes/heart-07"), segments=10, pairs=[(0, 1)], epsilon=0.05
    )
    found = planned.run()
    assert len(found.columns) == len(np.unique(found.regions))
    assert found.outcome["passes"]["forward"] <= planned.cost.forward
    assert np.isfinite(found.scores).all()
    assert found.members()[0, 0]


def test_superpixels_of_imagenet_cnn(imagenet_cnn: LoadedModel, chelsea: ImageInput) -> None:
    planned = plan_picture_interactions(imagenet_cnn, chelsea, segments=12, pairs=[(0, 1)])
    assert "without a label" in planned.data.notes[0]
    world = planned.data.bare(30)
    said = predict(imagenet_cnn, chelsea)
    masks = np.ones((2, world.features))
    masks[1, 3] = 0
    losses = world.losses(masks)
    assert losses[0] == pytest.approx(-np.log(said.probabilities[said.best]), abs=1e-5)
    (hidden,) = world.moved(masks[:1], [(3,)], exact=True)
    assert hidden[0, 0] == pytest.approx(losses[1], abs=1e-5)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"segments": 1}, "segments=1: expected a whole number from 2 to 64"),
        ({"division": "squares"}, "no division 'squares'"),
        ({"pairs": ["0:99"]}, "no region '99'"),
        ({"target": "sideways"}, "sideways"),
    ],
)
def test_what_cannot_be_asked(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(HaloscopeError, match=told):
        plan_picture_interactions(
            model(), load_sample("scenes/heart-07"), **{"division": "grid", "target": "up", **asked}
        )
    with pytest.raises(HaloscopeError, match="takes no pictures"):
        plan_picture_interactions("compas-mlp", load_sample("scenes/heart-07"))
    with pytest.raises(HaloscopeError, match="a set needs the grid"):
        plan_picture_interactions(model(), pictures(), division="superpixels")
