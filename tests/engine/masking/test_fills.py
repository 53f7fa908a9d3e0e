from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from engine.errors import MethodError, ParameterError
from engine.masking.fills.fill import Fill
from engine.masking.fills.painted import Blur, Values, gaussian_blur
from engine.masking.fills.registry import FILLS, find_fill, find_replacement
from tests.engine import zoo
from tests.engine.refusals import expect_refusal


def blurred(x: np.ndarray, sigma: float) -> np.ndarray:
    x = x.astype(np.float64)
    return gaussian_filter(x, (0, 0, sigma, sigma), mode="reflect", truncate=4)


@pytest.mark.parametrize(("name", "level"), [("black", 0.0), ("grey", 0.5), ("white", 1.0)])
def test_plain_levels(name: str, level: float) -> None:
    model = zoo.load("tiny-cnn")
    found = FILLS[name].values(model, zoo.noise(model)).expand(1, 3, 16, 16)[0]
    spec = zoo.PICTURE
    for channel, (mean, std) in enumerate(zip(spec.mean, spec.std, strict=True)):
        assert torch.allclose(found[channel], torch.tensor((level - mean) / std), atol=1e-6)


@pytest.mark.parametrize("name", ["tiny-cnn", "mlp"])
def test_mean_is_zero_after_normalisation(name: str) -> None:
    model = zoo.load(name)
    x = zoo.noise(model)
    assert torch.equal(FILLS["mean"].values(model, x).expand_as(x), torch.zeros_like(x))


@pytest.mark.parametrize(
    ("name", "expected"), [("table", [0, 0.5, 0.3, 0.2, 0]), ("forest", [0.1, 0.1, 0.1, 0.1])]
)
def test_mean_of_a_table_is_its_mean_row(name: str, expected: list[float]) -> None:
    model = zoo.load(name)
    x = zoo.noise(model)
    found = FILLS["mean"].values(model, x)
    assert found.dtype == x.dtype
    assert np.allclose(found.expand_as(x)[0], expected, rtol=0, atol=1e-6)


def test_given_values_stand_as_they_are() -> None:
    model = zoo.load("mlp")
    given = zoo.noise(model, 3, seed=1).double()
    found = Values(given).values(model, zoo.noise(model))
    assert found.dtype == torch.float32
    assert torch.equal(found, given.float())
    assert "values" not in FILLS


@pytest.mark.parametrize("sigma", [0.3, 0.7, 2.0, 10.0])
@pytest.mark.parametrize("size", [(16, 16), (7, 30), (3, 2), (1, 1)])
def test_blur_agrees_with_scipy(sigma: float, size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    found = gaussian_blur(x, sigma)
    assert found.shape == x.shape
    assert np.abs(found.numpy() - blurred(x.numpy(), sigma)).max() < 1e-5


def test_blur_is_ten_pixels_at_224_and_in_proportion_elsewhere() -> None:
    model = zoo.load("tiny-cnn")
    for shape in ((1, 3, 16, 16), (1, 3, 16, 40)):
        x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        expected = blurred(x.numpy(), 10 * 16 / 224)
        assert np.abs(Blur().values(model, x).numpy() - expected).max() < 1e-5
    x = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    assert np.abs(Blur().values(model, x).numpy() - blurred(x.numpy(), 10)).max() < 1e-5


def test_blur_keeps_an_even_picture() -> None:
    even = torch.full((1, 3, 20, 12), 0.7)
    assert torch.allclose(gaussian_blur(even, 3.0), even, atol=1e-6)


@pytest.mark.parametrize("name", ["black", "grey", "white", "blur"])
def test_fills_for_pictures_refuse_tables(name: str) -> None:
    model = zoo.load("mlp")
    with expect_refusal(MethodError, f"the fill {name!r} needs pictures; use 'mean'"):
        FILLS[name].values(model, zoo.noise(model))


def test_found_by_name() -> None:
    assert find_fill("blur") is FILLS["blur"]
    mine = Blur()
    assert find_fill(mine) is mine
    assert find_replacement(mine) is mine
    assert all(name == fill.name and fill.title for name, fill in FILLS.items())


@pytest.mark.parametrize("find", [find_fill, find_replacement])
def test_unknown_fill_tells_the_nearest(find: object) -> None:
    with expect_refusal(ParameterError, "no fill 'blurr'", "did you mean blur"):
        find("blurr")


class Elsewhere(Fill):
    name = "elsewhere"
    title = "Inside the network"

    def outputs(self, model, forward, x, keep):
        return forward(x.expand(len(keep), *x.shape[1:]))


def test_a_fill_without_values_is_no_baseline() -> None:
    mine = Elsewhere()
    assert find_fill(mine) is mine
    with expect_refusal(ParameterError, "'elsewhere' has no values, so it is no baseline"):
        find_replacement(mine)
