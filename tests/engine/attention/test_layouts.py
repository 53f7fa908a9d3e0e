from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.attention.sites import attention_sites
from tests.engine.attention import library, nets, windows


@pytest.mark.parametrize("name", library.SWINS)
def test_windows_are_those_the_library_cuts(name: str) -> None:
    found = attention_sites(library.load(name))
    assert (found.problem, found.unplaced) == ("", "")
    assert found.windowed
    for site, told in zip(found.sites, library.MAKES[name].windows, strict=True):
        expected = windows.cut(**told)
        assert np.array_equal(site.layout, expected), (site.name, told)
        assert site.grid == (told["grid"], told["grid"])
        assert (site.windows, site.queries) == (site.windows, site.keys) == expected.shape
        assert site.tokens == told["grid"] ** 2


@pytest.mark.parametrize("name", library.SWINS)
def test_merged_patches(name: str) -> None:
    first, second, third, fourth = attention_sites(library.load(name)).sites
    assert first.merged is second.merged is fourth.merged is None
    shares = windows.merging(first.grid[0])
    assert np.array_equal(third.merged, shares.argmax(axis=1))


@pytest.mark.parametrize("name", [name for name in library.MAKES if name not in library.SWINS])
def test_global_attention_has_every_token_at_its_own_place(name: str) -> None:
    made = library.MAKES[name]
    found = attention_sites(library.load(name))
    assert (found.problem, found.unplaced, found.windowed) == ("", "", False)
    assert [site.name for site in found.sites] == [made.blocks.format(i) for i in range(2)]
    for index, site in enumerate(found.sites):
        assert (site.index, site.windows, site.grid, site.suffix) == (index, 1, (4, 4), 0)
        assert np.array_equal(site.layout, np.arange(16 + made.prefix)[None])
        assert site.prefix == made.prefix
        assert site.merged is None


@pytest.mark.parametrize("name", library.MAKES)
def test_what_the_head_reads(name: str) -> None:
    made = library.MAKES[name]
    found = attention_sites(library.load(name))
    assert found.reads == made.reads
    count = found.sites[-1].tokens
    patches = np.r_[np.zeros(made.prefix), np.ones(count - made.prefix)]
    patches /= patches.sum()
    expected = {
        "class token": np.eye(count)[0],
        "class and distillation token": np.eye(count)[:2].mean(axis=0),
        "mean of the patches": patches,
        "class token and mean of the patches": (np.eye(count)[0] + patches) / 2,
    }
    assert np.allclose(found.weights, expected[made.reads])


@pytest.mark.parametrize("name", library.SWINS)
def test_names_of_windowed_blocks(name: str) -> None:
    made = library.MAKES[name]
    stages = (1, 3) if name.startswith("torchvision") else (0, 1)
    expected = [made.blocks.format(stage, block) for stage in stages for block in range(2)]
    assert [site.name for site in attention_sites(library.load(name)).sites] == expected


@pytest.mark.parametrize("prefix", [0, 1, 3])
@pytest.mark.parametrize("kind", [nets.Vit, nets.Encoder, nets.Multihead, nets.Einsum])
def test_of_nets_written_by_hand(kind: type[nets.Vit], prefix: int) -> None:
    found = attention_sites(nets.load(kind, prefix))
    assert (found.problem, found.unplaced) == ("", "")
    assert (found.prefix, found.suffix, found.grid) == (prefix, 0, (4, 4))
    assert found.reads == ("class token" if prefix else "mean of the patches")
    for site in found.sites:
        assert np.array_equal(site.layout, np.arange(16 + prefix)[None])


def test_one_class_token_after_the_patches() -> None:
    found = attention_sites(nets.load(nets.Last))
    assert (found.prefix, found.suffix, found.grid) == (0, 1, (4, 4))
    assert found.reads == "class token"
    assert found.weights.argmax() == 16


def test_mean_of_all_tokens() -> None:
    found = attention_sites(nets.load(nets.Averaged))
    assert found.reads == "all tokens"
    assert np.allclose(found.weights, 1 / 17)


@pytest.mark.parametrize(
    ("kind", "arguments", "grid"),
    [
        (nets.Vit, (1, 2, (8, 2)), (2, 8)),
        (nets.Linear, (2,), (2, 2)),
        (nets.Linear, (8,), (8, 8)),
        (nets.Maps, (), (4, 4)),
        (nets.ChannelsFirst, (), (4, 4)),
        (nets.SequenceFirst, (), (4, 4)),
        (nets.InPlace, (), (4, 4)),
    ],
)
def test_grids(kind: type[nets.Vit], arguments: tuple[object, ...], grid: tuple[int, int]) -> None:
    found = attention_sites(nets.load(kind, *arguments))
    assert (found.problem, found.unplaced, found.grid) == ("", "", grid)
    for site in found.sites:
        assert np.array_equal(site.layout, np.arange(site.tokens)[None])


def test_shuffled_windows() -> None:
    found = attention_sites(nets.load(nets.Shuffled, 0))
    order = nets.Shuffled.ORDER.reshape(4, 4)
    assert found.unplaced == ""
    assert [site.windows for site in found.sites] == [4, 4, 4]
    for site in found.sites:
        assert np.array_equal(site.layout, order)


def test_half_precision_is_looked_at_in_full() -> None:
    model = nets.load(nets.Vit)
    model.module.to(torch.bfloat16)
    found = attention_sites(model)
    assert (found.unplaced, found.grid) == ("", (4, 4))
    assert next(model.module.parameters()).dtype is torch.bfloat16
