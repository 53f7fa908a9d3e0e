"""The masked auto-encoder: what it may know, what it paints, how hard patches are."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

import engine
from engine.errors import InputError, MethodError
from engine.inputs.image_sets import ImageSet
from engine.masking.generators.registry import make_masks
from engine.missingness.preview import plan_preview, preview_mask
from engine.missingness.reconstruction import (
    _patches_hidden,
    difficulty_by_loss,
    reconstruct,
    refusal,
)
from engine.models.loaded import LoadedModel
from engine.models.zoo.autoencoders import scenes_autoencoder, scenes_autoencoder_card
from engine.models.zoo.masked_autoencoder import MaskedAutoencoder, Size
from engine.models.zoo.shipped import SCENES_SPEC
from tests.engine.refusals import expect_refusal

SMALL = Size(side=16, patch=4, width=16, encoder=2, decoder=1, heads=2, smooth=4)


@pytest.fixture(scope="module")
def small() -> MaskedAutoencoder:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = MaskedAutoencoder(SMALL)
        torch.nn.init.normal_(module.smooth[-1].weight)  # type: ignore[arg-type]
    return module.eval()


@pytest.fixture(scope="module")
def resnet() -> LoadedModel:
    return engine.load_model("scenes-resnet", device="cpu")


@pytest.fixture(scope="module")
def scenes() -> ImageSet:
    return engine.load_sample_set("scenes")


def drawn(count: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(count, 3, 16, 16, generator=draw)
    keep = (
        torch.rand(count, 1, 16, 16, generator=draw)
        < torch.linspace(0.02, 0.9, count)[:, None, None, None]
    )
    keep[0] = False  # nothing is left
    keep[-1] = True  # everything is
    keep[1, :, :8] = False
    return x, keep


def test_what_is_hidden_has_no_influence_and_what_stays_is_as_it_was(
    small: MaskedAutoencoder,
) -> None:
    x, keep = drawn()
    other = torch.where(keep, x, torch.randn(x.shape) * 50)
    with torch.no_grad():
        painted, again = small(x, keep), small(other, keep)
    assert torch.equal(painted, again)
    assert torch.equal(torch.where(keep, painted, 0), torch.where(keep, x, 0))
    assert torch.equal(painted[-1], x[-1])
    assert painted.isfinite().all()
    assert not torch.allclose(painted[1], painted[0])


def test_pictures_beside_others_are_painted_as_alone(small: MaskedAutoencoder) -> None:
    x, keep = drawn()
    with torch.no_grad():
        together = small(x, keep)
        alone = torch.cat([small(x[i : i + 1], keep[i : i + 1]) for i in range(len(x))])
    assert torch.allclose(together, alone, atol=1e-5)
    small.train()  # torch takes another way then; there is no dropout
    learning = small(x, keep).detach()
    small.eval()
    assert torch.allclose(together, learning, atol=1e-4)


def test_a_patch_hidden_entirely_is_no_token(small: MaskedAutoencoder) -> None:
    """The encoder gets as many tokens as patches of which anything stays, and one more."""
    x = drawn()[0][:1]
    keep = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
    keep[..., :4, :4] = True
    keep[..., 15, 15] = True
    seen: list[int] = []
    handle = small.encoder[0].register_forward_pre_hook(
        lambda _module, given: seen.append(given[0].shape[1])
    )
    with torch.no_grad():
        small(x, keep)
    handle.remove()
    assert seen == [1 + 2]


def errors(scenes: ImageSet, model: LoadedModel, hidden: float) -> dict[str, float]:
    """Mean squared error on hidden pixels of 60 held-out scenes, three ways."""
    found: dict[str, list[float]] = {"painted": [], "mean": [], "neighbours": []}
    for place in range(60):
        cells = make_masks("uniform", (8, 8), hidden, seed=place)[0]
        keep = cells.repeat(8, 0).repeat(8, 1)
        true = SCENES_SPEC.denormalise(model.prepare(scenes[place]))[0].numpy()
        painted = {"painted": reconstruct(model, scenes[place], keep)}
        for fill in ("mean", "neighbours"):
            preview = preview_mask(
                model, scenes[place], "drawn", fill=fill, grid=(64, 64), guide=keep
            )
            assert preview.masked is not None
            painted[fill] = preview.masked[0]
        for name, picture in painted.items():
            assert np.abs(picture - true)[:, keep].max() < 1e-5
            found[name].append(float(((picture - true)[:, ~keep] ** 2).mean()))
    return {name: float(np.mean(each)) for name, each in found.items()}


@pytest.mark.parametrize("percent", [50, 75])
def test_it_paints_as_well_as_its_card_says(
    percent: int, scenes: ImageSet, resnet: LoadedModel
) -> None:
    facts = dict(scenes_autoencoder_card().facts)
    told = next(value for name, value in facts.items() if f"{percent} % hidden" in name)
    said = [float(one) for one in re.findall(r"\d\.\d{4}(?= ±)", told)]
    found = errors(scenes, resnet, percent / 100)
    for name, value in zip(("painted", "mean", "neighbours"), said, strict=True):
        assert found[name] == pytest.approx(value, rel=0.25), name
    assert found["painted"] < 0.5 * found["mean"]


def test_weights_are_small_and_there_is_a_card() -> None:
    weights = sum(p.numel() for p in scenes_autoencoder().parameters())
    assert 4e5 < weights < 1e6
    card = scenes_autoencoder_card()
    assert card.licence
    assert card.paper == "he2022masked"


def test_difficulty_is_the_mean_loss_of_hidden_pixels(
    scenes: ImageSet, resnet: LoadedModel
) -> None:
    x = resnet.prepare(scenes[3])
    true = SCENES_SPEC.denormalise(x)[0].double().numpy()
    masks = _patches_hidden(8)[:, 0]
    assert (masks.reshape(8, 4, 64).sum(axis=1) == 1).all()  # each patch is seen once in four
    total, times = np.zeros((64, 64)), np.zeros((64, 64))
    for cells in masks:
        keep = cells.repeat(8, 0).repeat(8, 1)
        painted = reconstruct(resnet, scenes[3], keep).astype(np.float64)
        total += np.where(keep, 0, ((painted - true) ** 2).mean(axis=0))
        times += ~keep
    assert (times == 24).all()
    found = difficulty_by_loss(resnet, x)
    assert found == pytest.approx(total / times, abs=1e-6)


def test_hard_patches_on_scenes_are_those_of_the_loss(
    scenes: ImageSet, resnet: LoadedModel
) -> None:
    planned = plan_preview(resnet, scenes[3], "hard-patches", grid=(8, 8))
    assert planned.request["guide"]["name"] == "autoencoder-loss"
    preview = planned.run()
    loss = difficulty_by_loss(resnet, resnet.prepare(scenes[3]))
    expected = loss.reshape(8, 8, 8, 8).mean(axis=(1, 3))
    assert preview.guide is not None
    assert preview.guide == pytest.approx(expected, rel=1e-5)
    digits = engine.load_model("digits-cnn", device="cpu")
    other = plan_preview(digits, engine.load_sample_set("digits")[0], "hard-patches")
    assert other.request["guide"]["name"] == "difficulty"


def test_other_data_is_told_in_one_line(resnet: LoadedModel, scenes: ImageSet) -> None:
    digits = engine.load_model("digits-cnn", device="cpu")
    picture = engine.load_sample_set("digits")[0]
    with expect_refusal(MethodError, "there is no auto-encoder of the data of Digits CNN"):
        reconstruct(digits, picture, np.ones((28, 28), dtype=bool))
    assert not refusal(resnet)
    assert not refusal(engine.load_model("scenes-vit", device="cpu"))
    with expect_refusal(InputError, "expected masks bool (n, 64, 64), got bool (8, 8)"):
        reconstruct(resnet, scenes[0], np.ones((8, 8), dtype=bool))
    several = reconstruct(resnet, scenes[0], np.ones((2, 64, 64), dtype=bool))
    assert several.shape == (2, 3, 64, 64)
