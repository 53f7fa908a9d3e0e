"""Noise, neighbours, shuffled patches, the smooth rim, SparK, and other rows for tables."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.errors import MethodError
from engine.execution.chunks import Chunks
from engine.execution.passes import Passes
from engine.inputs.samples import load_sample_set
from engine.masking.fills.neighbours import interpolated
from engine.masking.fills.noise import Noise
from engine.masking.fills.other_rows import Conditional, Permutation
from engine.masking.fills.registry import FILLS, PICTURE_FILLS, fills_for, find_fill
from engine.masking.fills.shuffled import Shuffled, shuffled_patches
from engine.masking.fills.smoothed_grey import shares_with_smooth_rim
from engine.masking.layers.sparse import cells_of
from engine.masking.predict import masked_outputs, predict_masked
from engine.models.loading import load_model
from engine.models.specs import ImageSpec
from tests.engine import zoo
from tests.engine.refusals import expect_refusal

INSIDE = ("layer-masking", "spark", "token-drop")


def masks(count: int, *shape: int, keep: float = 0.5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, *shape)) < keep


@pytest.mark.parametrize("name", ["tiny-cnn", "tiny-vit", "image-linear"])
def test_what_every_fill_that_suits_keeps_to(name: str) -> None:
    model = zoo.load(name)
    x, other = zoo.noise(model, 2).chunk(2)
    rows, columns = x.shape[-2:]
    keep = masks(5, rows, columns)
    keep[0] = True
    offered = fills_for(model)
    assert set(PICTURE_FILLS) - set(offered) <= set(INSIDE)
    hidden = torch.from_numpy(~keep[1:].any(axis=0))
    changed = torch.where(hidden, other, x)
    for fill in offered:
        found = predict_masked(model, x, keep, fill, seed=3)
        assert np.allclose(found[0], model.forward(x)[0].detach(), rtol=0, atol=1e-5)
        assert np.array_equal(found, predict_masked(model, x, keep, fill, seed=3))
        if fill != "blur":
            again = predict_masked(model, changed, keep[1:], fill, seed=3)
            assert np.allclose(again, found[1:], rtol=0, atol=1e-6)
        with torch.no_grad():
            few = masked_outputs(
                Passes(model),
                Chunks(2),
                x,
                5,
                lambda a, b: torch.from_numpy(keep[a:b, None]),
                find_fill(fill, 3),
            )
        assert np.allclose(few, found, rtol=0, atol=1e-6)


def test_every_fill_says_what_it_is() -> None:
    model = zoo.load("tiny-cnn")
    for name, fill in FILLS.items():
        assert fill.name == name
        assert fill.title
        assert fill.summary.endswith(".")
        if not fill.refusal(model):
            assert fill.price(model) > 0
        else:
            with expect_refusal(MethodError, fill.refusal(model)):
                predict_masked(model, zoo.noise(model), np.ones((1, 16, 16), bool), name)


def test_seeds_draw_anew() -> None:
    model = zoo.load("tiny-cnn")
    x, keep = zoo.noise(model), masks(2, 16, 16)
    for name in ("noise", "shuffled"):
        found = [predict_masked(model, x, keep, name, seed=seed) for seed in (0, 0, 1)]
        assert np.array_equal(found[0], found[1])
        assert not np.allclose(found[0], found[2])
        assert FILLS[name].seeded
    for name in ("mean", "blur", "neighbours"):
        assert not FILLS[name].seeded


def test_noise_lies_between_black_and_white() -> None:
    model = load_model("scenes-resnet", device="cpu")
    x = zoo.noise(model)
    colours = model.spec.denormalise(Noise(4).values(model, x))
    assert colours.shape == x.shape
    assert colours.min() >= -1e-6
    assert colours.max() <= 1 + 1e-6
    assert float(colours.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(colours.var()) == pytest.approx(1 / 12, abs=0.002)


def ramp(rows: int, columns: int) -> torch.Tensor:
    down, across = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return (0.3 * down - 0.2 * across + 1.0)[None, None].float()


@pytest.mark.parametrize("hole", [(slice(3, 6), slice(4, 5)), (slice(2, 29), slice(3, 38))])
def test_neighbours_are_exact_on_linear_ramps(hole: tuple[slice, slice]) -> None:
    x = ramp(32, 40)
    keep = torch.ones(1, 1, 32, 40, dtype=torch.bool)
    keep[0, 0][hole] = False
    keep[0, 0, 1::7, 1::5] = False  # and single pixels
    broken = torch.where(keep, x, 99.0)
    found = interpolated(broken, keep, tolerance=1e-7)
    assert torch.allclose(found, x, rtol=0, atol=1e-3)


def test_neighbours_solve_laplaces_equation() -> None:
    """Against a dense solution in double precision."""
    x = torch.randn(1, 2, 9, 7, generator=torch.Generator().manual_seed(0))
    keep = torch.from_numpy(masks(4, 1, 9, 7, keep=0.3))
    keep[3] = False
    keep[3, 0, 4, 4] = True
    found = interpolated(x, keep, tolerance=1e-7).double().numpy()
    for index, mask in enumerate(keep[:, 0].numpy()):
        matrix, constant = np.zeros((63, 63)), np.zeros((63, 2))
        for i in range(9):
            for j in range(7):
                row = i * 7 + j
                if mask[i, j]:
                    matrix[row, row] = 1
                    constant[row] = x[0, :, i, j]
                    continue
                near = [(i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)]
                near = [(a, b) for a, b in near if 0 <= a < 9 and 0 <= b < 7]
                matrix[row, row] = len(near)
                for a, b in near:
                    matrix[row, a * 7 + b] = -1
        expected = np.linalg.solve(matrix, constant).T.reshape(2, 9, 7)
        assert np.allclose(found[index], expected, rtol=0, atol=1e-4)


def test_neighbours_of_nothing_are_the_mean_colour() -> None:
    x = torch.randn(1, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    keep = torch.zeros(2, 1, 12, 12, dtype=torch.bool)
    keep[1] = True
    found = interpolated(x, keep)
    assert not found[0].any()
    assert torch.equal(found[1], x[0])


def test_a_smooth_rim() -> None:
    keep = torch.ones(1, 1, 224, 224, dtype=torch.bool)
    assert torch.equal(shares_with_smooth_rim(keep), torch.ones(1, 1, 224, 224))
    keep[..., 112:] = False
    share = shares_with_smooth_rim(keep)[0, 0, 100]
    assert not share[112:].any()
    assert (share[:112].diff() <= 0).all()
    assert share[111] < 0.2  # 2 Φ(½ / 3) − 1 at half a pixel from the rim
    assert share[111] == pytest.approx(0.1324, abs=2e-3)
    assert share[112 - 14] == 1


def test_shuffled_patches_are_those_of_the_other_picture() -> None:
    picture = torch.randn(1, 3, 28, 42, generator=torch.Generator().manual_seed(0))
    found = shuffled_patches(picture, seed=2)
    assert found.shape == picture.shape
    assert not torch.equal(found, picture)
    cut = [one.unfold(2, 2, 2).unfold(3, 2, 2).flatten(2, 3) for one in (picture, found)]
    first, second = (
        sorted(tuple(patch.ravel().tolist()) for patch in one[0].movedim(1, 0)) for one in cut
    )
    assert first == second
    assert torch.equal(found, shuffled_patches(picture, seed=2))
    assert shuffled_patches(torch.randn(1, 1, 17, 23), 0).shape == (1, 1, 17, 23)


def test_shuffled_patches_are_of_a_picture_that_suits_but_of_another() -> None:
    model = load_model("scenes-resnet", device="cpu")
    pictures = load_sample_set("scenes")
    x = model.prepare(pictures[0])
    ours = {tuple(model.prepare(pictures[i]).ravel().sort().values.tolist()) for i in range(300)}
    for seed in range(3):
        values = Shuffled(seed).values(model, x)
        assert not torch.equal(values.ravel().sort().values, x.ravel().sort().values)
        # 64 is no multiple of the patches' 5 pixels: whole patches come from one of the set
        assert values.shape == x.shape
    given = Shuffled(1, pictures[3]).values(model, x)
    assert torch.equal(given, shuffled_patches(model.prepare(pictures[3]), 1))
    assert len(ours) > 250


def test_tensors_that_are_no_pictures() -> None:
    model = zoo.load("mlp")
    assert fills_for(model) == ("mean",)
    for name in ("noise", "neighbours", "smoothed-grey", "black", "blur", "shuffled"):
        assert FILLS[name].refusal(model)


class Plain(nn.Module):
    """Two convolutions, of which the second sees its neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(4, 5, 3, stride=2, padding=1)
        self.head = nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.conv2(self.conv1(x).relu()).mean((2, 3)))


def test_spark_by_hand() -> None:
    spec = ImageSpec(96, 64, mean=(0.0,) * 3, std=(1.0,) * 3)
    module = zoo.seeded(Plain)
    model = load_model(module, input_spec=spec, device="cpu")
    x = zoo.noise(model)
    for cells in masks(6, 3, 2, keep=0.6):
        keep = np.kron(cells, np.ones((32, 32), bool))
        found = predict_masked(model, x, keep[None], "spark")[0]
        with torch.no_grad():
            mask = torch.from_numpy(cells).float()[None, None]
            y = x * torch.from_numpy(keep)
            y = module.conv1(y).relu() * torch.kron(mask, torch.ones(16, 16))
            y = module.conv2(y) * torch.kron(mask, torch.ones(8, 8))
            y = y.sum((2, 3)) / max(1, 64 * cells.sum())
            expected = module.head(y)[0]
        assert np.allclose(found, expected.numpy(), rtol=0, atol=1e-5)


def test_sparks_cells_go_when_half_of_them_is_hidden() -> None:
    keep = torch.ones(1, 1, 64, 64, dtype=torch.bool)
    keep[..., :16, :32] = False
    keep[..., 32:, 32:47] = False
    assert cells_of(keep)[0, 0].tolist() == [[False, True], [True, True]]


@pytest.mark.parametrize("ref", ["imagenet-cnn", "scenes-resnet", "scenes-vgg"])
def test_spark_on_bundled_networks(ref: str) -> None:
    assert "spark" in fills_for(load_model(ref, device="cpu"))


def test_spark_needs_more_than_one_cell() -> None:
    told = "SparK hides cells of 32 × 32 pixels; Digits CNN sees 28 × 28: use layer-masking"
    assert FILLS["spark"].refusal(load_model("digits-cnn", device="cpu")) == told


def rows_of_table(count: int = 40) -> tuple:
    model = zoo.load("table")
    return model, zoo.noise(model), zoo.noise(model, count, seed=5)


def test_another_row_is_drawn_for_each_mask() -> None:
    model, x, rows = rows_of_table()
    keep = masks(30, 5)
    found = predict_masked(model, x, keep, "permutation", seed=2, rows=rows)
    drawn = [int(np.random.default_rng([2, index]).integers(40)) for index in range(30)]
    mixed = torch.where(torch.from_numpy(keep), x, rows[drawn])
    assert np.allclose(found, model.forward(mixed).detach(), rtol=0, atol=1e-6)
    few = masked_outputs(
        Passes(model), Chunks(7), x, 30, lambda a, b: torch.from_numpy(keep[a:b]),
        Permutation(rows, 2),
    )  # fmt: skip
    assert np.allclose(few, found, rtol=0, atol=1e-6)


def test_similar_rows_agree_on_what_stays() -> None:
    """By the definition, in plain loops: age and income in spreads, the kind alike or not."""
    model, x, rows = rows_of_table()
    keep = np.array([[True] * 5, [True, False, False, False, False], [False, *[True] * 3, False]])
    keep = np.concatenate([keep, np.zeros((1, 5), bool)])
    chosen = {seed: Conditional(rows, seed).choose(model, x, rows, keep) for seed in range(60)}
    for index, mask in enumerate(keep):
        far = []
        for row in rows.double().numpy():
            apart = np.abs(row - x[0].double().numpy())
            kind = float(apart[1:4].any())
            far.append(mask[0] * apart[0] + mask[1] * kind + mask[4] * apart[4])
        bound = np.sort(far)[9]
        near = {place for place, one in enumerate(far) if one <= bound + 1e-9}
        drawn = {int(found[index]) for found in chosen.values()}
        assert drawn <= near
        assert len(drawn) > 3
    assert len({int(found[3]) for found in chosen.values()}) > 15  # nothing stays: all rows


def test_rows_that_are_missing_or_do_not_fit() -> None:
    model, x, _ = rows_of_table()
    keep = masks(2, 5)
    with expect_refusal(MethodError, "'permutation' draws from other rows: name a table"):
        predict_masked(model, x, keep, "permutation")
    with expect_refusal(MethodError, "got rows of 3 features", "takes 5"):
        predict_masked(model, x, keep, "conditional", rows=torch.zeros(4, 3))
    picture = zoo.load("tiny-cnn")
    with expect_refusal(MethodError, "'conditional' is for tables; use 'mean'"):
        predict_masked(picture, zoo.noise(picture), masks(1, 16, 16), "conditional")


def test_a_row_of_a_table_draws_from_its_own_table() -> None:
    from engine.inputs.tables import load_table

    model = load_model("cancer-mlp", device="cpu")
    table = load_table("sample:cancer")
    keep = masks(6, 30)
    found = predict_masked(model, table.row(3), keep, "permutation", seed=1)
    rows = model.prepare_table(table)
    named = predict_masked(model, table.row(3), keep, "permutation", seed=1, rows=rows)
    assert np.array_equal(found, named)
    assert not np.allclose(found, predict_masked(model, table.row(3), keep, "mean"))
