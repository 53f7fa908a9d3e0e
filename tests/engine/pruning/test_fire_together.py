"""Filters that a picture uses, against a float64 pass written out by hand."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Cancelled, InputError
from engine.models.loading import load_model
from engine.pruning.finding.groups import find_groups
from engine.pruning.methods.catalogue import plan_method
from engine.pruning.posthoc.dynamic import mass_of, strongest
from tests.engine.counting import counted, hooks_on
from tests.engine.pruning.hoc import Around, convs, done, same_state, samples, state_of
from tests.engine.zoo import PICTURE, noise, seeded


def by_hand(mass: list[float], share: float) -> list[bool]:
    """Strongest first, as long as the sum is no more than a share; the first always."""
    order = sorted(range(len(mass)), key=lambda i: -mass[i])
    total, running, kept = float(np.cumsum([mass[i] for i in order])[-1]), 0.0, [False] * len(mass)
    for rank, index in enumerate(order):
        running += mass[index]
        if rank and (running > share * total or total == 0):
            break
        kept[index] = True
    return kept


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=12),
    st.sampled_from([0.01, 0.3, 0.5, 0.92, 0.97, 1.0]),
)
def test_the_strongest_are_those_of_a_loop(mass: list[int], share: float) -> None:
    given_mass = [float(one) for one in mass]
    (kept,) = strongest(torch.tensor([given_mass]), share).tolist()
    assert kept == by_hand(given_mass, share)
    assert any(kept)


def test_mass_is_the_largest_activation_over_places_and_windows() -> None:
    x = torch.tensor([[[1.0, -4.0], [0.5, 0.0]], [[2.0, 3.0], [-7.0, 0.0]]])  # (2, units, places)
    assert mass_of(x, 2).tolist() == [[4.0, 0.5], [3.0, 7.0]]
    assert mass_of(x, 1).tolist() == [[4.0, 7.0]]  # two windows of one sample


def kept_of(maps: torch.Tensor, share: float) -> torch.Tensor:
    rows = [by_hand(one, share) for one in maps.abs().amax(dim=(2, 3)).tolist()]
    return torch.tensor(rows)


def test_each_layer_is_masked_by_what_the_masked_layers_before_it_left() -> None:
    model = convs()
    x = noise(model, 5, seed=5)
    use = done(model, "fire-together", samples(model, 5), mass=0.8).use
    assert use is not None
    net = seeded(type(model.module)).double()
    with torch.no_grad():
        first = net.relu1(net.norm1(net.conv1(x.double())))
        kept1 = kept_of(first, 0.8)
        second = net.relu2(net.norm2(net.conv2(first * kept1[:, :, None, None])))
        pooled = F.adaptive_avg_pool2d(second, 1)
        kept2 = kept_of(pooled, 0.8)  # what the head reads of a channel is its mean
        said = net.head((pooled * kept2[:, :, None, None]).flatten(1)).softmax(1)
    assert (use.used["conv1"] == kept1.numpy()).all()
    assert (use.used["conv2"] == kept2.numpy()).all()
    assert not kept1.all() and not kept2.all()
    np.testing.assert_allclose(use.masked, said.numpy(), atol=1e-6)
    assert len(set(use.counts["conv1"].tolist())) > 1  # it depends on the picture


def test_with_all_of_the_mass_all_units_stay_and_nothing_changes() -> None:
    for builder in (None, Around):
        model = convs() if builder is None else convs(builder)
        use = done(model, "fire-together", samples(model, 4), mass=1.0).use
        assert use is not None
        np.testing.assert_array_equal(use.masked, use.dense)
        assert (use.macs == use.all_macs).all()
        assert all(used.all() for used in use.used.values())


def test_of_silent_layers_one_unit_stays() -> None:
    model = convs()
    with torch.no_grad():
        model.module.norm1.weight.zero_()
        model.module.norm1.bias.fill_(-1)
    use = done(model, "fire-together", samples(model, 3), mass=1.0).use
    assert use is not None
    assert use.counts["conv1"].tolist() == [1, 1, 1]
    np.testing.assert_array_equal(use.masked, use.dense)


def test_macs_are_those_of_the_layers_with_what_is_used() -> None:
    model = convs()
    use = done(model, "fire-together", samples(model, 4), mass=0.7).use
    assert use is not None
    side = PICTURE.height
    for picture in range(4):
        one, two = (int(use.counts[name][picture]) for name in ("conv1", "conv2"))
        expected = side**2 * 27 * one + (side // 2) ** 2 * 9 * one * two + 3 * two
        assert use.macs[picture] == expected
    assert use.all_macs == side**2 * 27 * 8 + (side // 2) ** 2 * 9 * 64 + 24


def test_a_unit_counts_as_used_if_one_reader_keeps_it() -> None:
    model = convs(Around)
    use = done(model, "fire-together", samples(model, 3), mass=0.6).use
    assert use is not None
    assert use.used["conv1"].shape == (3, 8)  # both readers are given the same: they agree


def test_heads_and_hidden_units_of_a_transformer() -> None:
    model = load_model("digits-vit", device="cpu")
    x = noise(model, 3, seed=5)
    use = done(model, "fire-together", samples(model, 3), mass=0.6).use
    assert use is not None
    assert use.used["blocks.0"].shape == (3, 4)
    assert use.used["blocks.0.mlp.0"].shape == (3, 128)

    # The first block by hand, on what the masked stem hands on.
    net: Any = load_model("digits-vit", device="cpu").module.double()
    with torch.no_grad():
        maps = net.patch_embed[2](net.patch_embed[1](net.patch_embed[0](x.double())))
        maps = maps * kept_of(maps, 0.6)[:, :, None, None]
        maps = net.patch_embed[5](net.patch_embed[4](net.patch_embed[3](maps)))
        maps = maps * kept_of(maps, 0.6)[:, :, None, None]
        patches = net.patch_embed[6](maps).flatten(2).transpose(1, 2)
        tokens = torch.cat([net.cls_token.expand(3, -1, -1), patches], dim=1) + net.pos_embed
        block = net.blocks[0]
        parts = block.attn.qkv(block.norm1(tokens)).unflatten(-1, (3, 4, 16))
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # each (n, heads, tokens, 16)
        mixed = ((q @ k.transpose(-1, -2)) / 4).softmax(-1) @ v
        heads = kept_of(mixed, 0.6)
        mixed = (mixed * heads[:, :, None, None]).transpose(1, 2).flatten(2)
        tokens = tokens + block.attn.proj(mixed)
        inner = block.mlp[1](block.mlp[0](block.norm2(tokens))).transpose(1, 2)
        units = kept_of(inner[..., None], 0.6)
    assert (use.used["blocks.0"] == heads.numpy()).all()
    assert (use.used["blocks.0.mlp.0"] == units.numpy()).all()
    assert not heads.all()
    assert not units.all()


def test_passes_hooks_cancelling_and_the_model_itself() -> None:
    model = convs()
    before = state_of(model)
    plan = plan_method(model, find_groups(model), "fire-together", samples(model, 5))
    with counted(model.module) as count:
        plan.run()
    probed = 3  # one sample and two, to see where units are read
    traced = 1  # to count its multiplications
    assert count.forward - probed - traced in (plan.cost.forward, plan.cost.forward - traced)
    stop = threading.Event()
    with pytest.raises(Cancelled):
        plan.run(progress=lambda _done, _all: stop.set(), cancel=stop)
    assert hooks_on(model.module) == 0
    assert same_state(model, before)


def test_without_pictures() -> None:
    model = convs()
    with pytest.raises(InputError, match="name an image set"):
        done(model, "fire-together")
