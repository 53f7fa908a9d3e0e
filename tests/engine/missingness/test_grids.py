from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.errors import MethodError, ParameterError
from engine.missingness.grids import checked_grid, extent, on_input, usual_grid
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import ImageSpec, TensorSpec
from tests.engine import zoo
from tests.engine.refusals import expect_refusal


class Pooled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x).mean(dim=(2, 3))


def of_size(height: int, width: int) -> LoadedModel:
    spec = ImageSpec(height, width, mean=(0.5,) * 3, std=(0.25,) * 3)
    return load_model(zoo.seeded(Pooled), input_spec=spec, device="cpu")


@pytest.mark.parametrize(
    ("size", "grid"),
    [
        ((224, 224), (14, 14)),
        ((64, 64), (8, 8)),  # 14 would make cells of 4 and of 5 pixels
        ((28, 28), (7, 7)),
        ((16, 16), (4, 4)),
        ((96, 64), (12, 8)),
        ((227, 227), (14, 14)),  # a prime: no even cells at all
        ((3, 40), (1, 10)),
    ],
)
def test_usual_cells(size: tuple[int, int], grid: tuple[int, int]) -> None:
    assert usual_grid(of_size(*size)) == grid
    assert min(side // cells for side, cells in zip(size, grid, strict=True)) >= min(4, *size)


def test_patches_columns_and_features() -> None:
    assert usual_grid(zoo.load("tiny-vit")) == (4, 4)
    assert usual_grid(zoo.load("table")) == (1, 3)
    assert usual_grid(zoo.load("forest")) == (1, 4)
    assert usual_grid(zoo.load("mlp")) == (1, 5)


def test_what_is_no_picture_and_no_row() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(6, 2))
    model = load_model(net, input_spec=TensorSpec((2, 3)), device="cpu")
    with expect_refusal(MethodError, "takes tensors of shape (2, 3)", "pictures", "rows"):
        extent(model)


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ((0, 4), "grid=0×4 is out of range: from 1×1 to the input's 16×16"),
        ((4, 17), "grid=4×17 is out of range"),
        ("ten", "grid='ten': expected rows and columns"),
        ((1, 2, 3), "grid=(1, 2, 3): expected rows and columns"),
        (1.5, "grid=1.5: expected rows and columns"),
    ],
)
def test_bad_grids(grid: object, words: str) -> None:
    with expect_refusal(ParameterError, words):
        checked_grid(zoo.load("tiny-cnn"), grid)


def test_good_grids() -> None:
    model = zoo.load("tiny-cnn")
    assert checked_grid(model, 7) == (7, 7)
    assert checked_grid(model, [3, 16]) == (3, 16)
    assert checked_grid(model, None) == (4, 4)
    with expect_refusal(ParameterError, "a table is hidden by its 3 columns"):
        checked_grid(zoo.load("table"), (1, 2))


def test_cells_reach_every_input() -> None:
    draw = np.random.default_rng(0)
    keep = draw.random((5, 4, 4)) < 0.5
    pixels = on_input(zoo.load("tiny-cnn"), keep)
    assert pixels.shape == (5, 1, 16, 16)
    assert torch.equal(pixels[:, 0, ::4, ::4], torch.from_numpy(keep))
    columns = np.array([[[True, False, True]], [[False, True, False]]])
    spread = on_input(zoo.load("table"), columns)  # one number, three categories, one number
    assert spread.tolist() == [[1, 0, 0, 0, 1], [0, 1, 1, 1, 0]]
    assert on_input(zoo.load("mlp"), draw.random((2, 1, 5)) < 0.5).shape == (2, 5)
