from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.attribution.explain import explain, plan
from engine.errors import ParameterError
from engine.execution.cost import Cost
from engine.masking import predict_masked
from engine.models.loading import load_model
from engine.models.specs import ImageSpec
from tests.engine import reference, zoo
from tests.engine.refusals import expect_refusal
from tests.engine.soft_masks import soft_masks

METHOD = "rise"


@pytest.mark.parametrize(
    ("count", "cells", "keep", "fill"),
    [(60, 4, 0.5, "mean"), (31, 3, 0.7, "white"), (40, 16, 0.3, "mean"), (2, 2, 0.5, "mean")],
)
def test_by_hand(count: int, cells: int, keep: float, fill: str) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    array = x[0].double().numpy()
    white = (1 - np.array(zoo.PICTURE.mean)) / np.array(zoo.PICTURE.std)
    hidden = (white if fill == "white" else np.zeros(3))[:, None, None]
    shares = soft_masks(3, count, cells, keep, 16)
    scores = np.array(
        [
            reference.cnn_logits(model.module, array * m + hidden * (1 - m))[1]
            for m in shares[:, None]
        ]
    )
    found = explain(model, x, METHOD, 1, masks=count, grid=cells, keep=keep, fill=fill, seed=3)
    ratio = np.einsum("n,nij->ij", scores, shares) / shares.sum(axis=0)
    assert all(np.array_equal(found.values[0], channel) for channel in found.values)
    assert np.allclose(found.values[0], ratio - scores.mean(), rtol=0, atol=1e-5)
    assert found.manifest["outcome"]["mean_score"] == pytest.approx(scores.mean(), abs=1e-5)
    moves = shares * (scores[:, None, None] - ratio) / shares.mean(axis=0)
    moves -= (scores - scores.mean())[:, None, None]
    error = np.sqrt((moves**2).sum(axis=0)) / count
    assert np.allclose(found.error[0], error, rtol=0, atol=1e-5)
    assert found.manifest["outcome"]["samples"] == count


@pytest.mark.parametrize("fill", ["neighbours", "layer-masking"])
def test_fills_that_hide_or_keep_get_masks_cut_off_at_a_half(fill: str) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    keep = soft_masks(3, 40, 4, 0.5, 16) >= 0.5
    scores = predict_masked(model, x, keep, fill)[:, 1].astype(np.float64)
    found = explain(model, x, METHOD, 1, masks=40, grid=4, fill=fill, seed=3)
    ratio = np.einsum("n,nij->ij", scores, keep) / keep.sum(axis=0)
    assert np.allclose(found.values[0], ratio - scores.mean(), rtol=0, atol=1e-5)


def test_with_many_masks_it_is_what_the_paper_defines() -> None:
    model = zoo.load("image-linear")
    x = zoo.noise(model)
    found = explain(model, x, METHOD, 0, masks=1500, grid=4, output="probability")
    shares = soft_masks(0, 1500, 4, 0.5, 8)
    weights = reference.weight(model.module, "linear.weight")
    bias = reference.weight(model.module, "linear.bias")
    batch = x.double().numpy() * shares[:, None]
    scores = [reference.softmax(weights @ one.ravel() + bias)[0] for one in batch]
    published = np.einsum("n,nij->ij", scores, shares) / (1500 * 0.5)
    ours = found.values[0] + found.manifest["outcome"]["mean_score"]
    assert np.allclose(ours, published, rtol=0.08)


class TopLeft(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(4.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        corner = x[:, :, :8, :8].mean(dim=(1, 2, 3))
        return torch.stack([torch.zeros_like(corner), self.scale * corner], dim=1)


def test_finds_the_only_place_that_counts() -> None:
    plain = ImageSpec(height=32, width=32, mean=(0, 0, 0), std=(1, 1, 1))
    model = load_model(TopLeft(), input_spec=plain)
    found = explain(model, torch.ones(1, 3, 32, 32), METHOD, 1, masks=800)
    heat = found.values[0]
    assert np.unravel_index(heat.argmax(), heat.shape) < (8, 8)
    assert heat[:6, :6].min() > 0.1
    assert np.all(np.abs(heat[20:, 20:]) < 5 * found.error[0][20:, 20:])


def test_the_error_is_that_of_another_seed() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    runs = [explain(model, x, METHOD, 0, masks=60, seed=seed) for seed in range(20)]
    spread = np.std([run.values[0] for run in runs], axis=0, ddof=1)
    told = np.mean([run.error[0] for run in runs], axis=0)
    assert 0.75 < np.median(told / spread) < 1.33


@pytest.mark.parametrize(("side", "grid"), [(224, 7), (112, 7), (64, 7), (32, 4), (28, 3), (8, 2)])
def test_cells_are_in_proportion_by_default(side: int, grid: int) -> None:
    spec = ImageSpec(height=side, width=side, mean=(0, 0, 0), std=(1, 1, 1))
    model = load_model(zoo.build("tiny-cnn"), input_spec=spec)
    planned = plan(model, torch.zeros(1, 3, side, side), METHOD, 0)
    assert planned.parameters == {"masks": 1000, "grid": grid, "keep": 0.5, "fill": "mean"}
    assert planned.cost == Cost(1001)


def test_pictures_that_are_not_square() -> None:
    spec = ImageSpec(height=13, width=22, mean=(0, 0, 0), std=(1, 1, 1))
    model = load_model(zoo.build("tiny-cnn"), input_spec=spec)
    found = explain(model, zoo.noise(model), METHOD, 0, masks=20, grid=5)
    assert found.values.shape == (3, 13, 22)


@pytest.mark.parametrize("wrong", [{"masks": 1}, {"grid": 17}, {"keep": 1.0}, {"fill": "layer"}])
def test_out_of_range(wrong: dict[str, object]) -> None:
    model = zoo.load("tiny-cnn")
    with expect_refusal(ParameterError, next(iter(wrong))):
        explain(model, zoo.noise(model), METHOD, 0, **wrong)
