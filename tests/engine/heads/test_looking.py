from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.attention.capture import recording
from engine.attention.gates import gated
from engine.attention.sites import attention_sites
from engine.errors import Cancelled, InputError, MethodError, ParameterError
from engine.head_results import HeadStrength
from engine.heads.looking import look
from engine.heads.measuring_strength import head_strength
from engine.heads.strength import strength_of
from engine.results import load_result
from tests.engine import zoo
from tests.engine.attention import library, nets
from tests.engine.counting import counted, hooks_on
from tests.engine.heads import making
from tests.engine.refusals import expect_refusal


@pytest.mark.parametrize("name", ["transformers-vit", "timm-deit", "torchvision-swin"])
def test_maps_are_those_the_library_tells(name: str) -> None:
    model = library.load(name)
    x = zoo.noise(model)
    found = look(model, x)
    made = library.MAKES[name]
    for index, told in enumerate(library.eager(name, model, x)):
        assert np.allclose(found.maps[index], told.numpy(), atol=1e-5)
        assert found.maps[index].dtype == np.float32
        assert found.prefix[index] == made.prefix
    assert found.heads == tuple(site.heads for site in attention_sites(model).sites)
    assert found.class_tokens == ((0 if made.prefix else -1),) * len(found.maps)


def test_what_comes_after_a_head_that_is_off_changes() -> None:
    model = nets.load(nets.Vit)
    x = zoo.noise(model)
    plain, found = look(model, x), look(model, x, off={(1, 0)})
    with torch.no_grad(), gated({1: torch.tensor([0.0, 1.0])}), recording() as maps:
        model.forward(x)
    for index in range(3):
        assert np.array_equal(found.maps[index], maps[index].numpy())
        assert np.array_equal(found.maps[index], plain.maps[index]) == (index < 2)
    assert hooks_on(model.module) == 0


def test_heads_that_are_not_there() -> None:
    model = nets.load(nets.Vit)
    with expect_refusal(ParameterError, "no layer 3; there are 0 to 2"):
        look(model, zoo.noise(model), off=[(3, 0)])
    with expect_refusal(ParameterError, "layer 1 has no head 2; there are 0 to 1"):
        look(model, zoo.noise(model), off=[(1, 2)])


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (nets.Pooling, "Pooling: the 17 tokens before attention 1"),
        (nets.Talking, "mixes its heads after the softmax"),
        (nets.Exponential, "no attention was seen"),
    ],
)
def test_a_model_that_cannot_be_looked_at(kind: type, told: str) -> None:
    model = nets.load(kind)
    with expect_refusal(MethodError, told):
        look(model, zoo.noise(model))


@pytest.mark.parametrize(
    ("kind", "arguments", "token"),
    [
        (nets.Vit, (1,), 0),
        (nets.Vit, (3,), 0),
        (nets.Vit, (0,), -1),
        (nets.Last, (1,), 16),
        (nets.Chosen, (1,), 0),
    ],
)
def test_class_token(kind: type[nets.Vit], arguments: tuple[int, ...], token: int) -> None:
    model = nets.load(kind, *arguments)
    assert set(look(model, zoo.noise(model)).class_tokens) == {token}


def test_what_is_seen_from_a_place() -> None:
    maps = making.maps_of(making.drawn(2, 13), grid=(3, 4))
    matrix = making.dense(maps, 0, 1)
    assert np.allclose(maps.seen(0, 1), matrix[0, 1:].reshape(3, 4), atol=1e-6)
    for place, patch in (((0, 0), 0), ((0.99, 0.99), 11), ((1, 1), 11), ((0.5, 0.3), 5)):
        assert maps.patch_at(0, place) == divmod(patch, 4)
        wanted = matrix[1 + patch, 1:].reshape(3, 4)
        assert np.allclose(maps.seen(0, 1, place), wanted, atol=1e-6)


def test_without_a_class_token_the_mean_of_the_patches_is_seen() -> None:
    maps = making.windowed(5, 3, 1)
    whole = np.zeros((25, 25))
    for window, places in enumerate(maps.layouts[0].tolist()):
        for i, query in enumerate(places):
            for j, key in enumerate(places):
                if query >= 0 and key >= 0:
                    whole[query, key] = maps.maps[0][window, 1, i, j]
    assert np.allclose(maps.seen(0, 1), whole.mean(axis=0).reshape(5, 5), atol=1e-6)
    assert np.allclose(maps.seen(0, 1, (0.5, 0.9)), whole[14].reshape(5, 5), atol=1e-6)


@pytest.mark.parametrize("name", ["timm-vit", "timm-swin"])
def test_strength_over_pictures(name: str, tmp_path) -> None:
    model = library.load(name)
    pictures = list(zoo.noise(model, 3)[:, None])
    attention_sites(model)
    with counted(model.module) as passes:
        found = head_strength(model, pictures)
    assert passes.forward == 3
    size = (library.MAKES[name].size,) * 2
    alone = [strength_of(look(model, one), size) for one in pictures]
    stacked = np.stack([one.measures for one in alone])
    assert np.allclose(found.measures, stacked.mean(axis=0), rtol=1e-6, equal_nan=True)
    error = np.sqrt(((stacked - stacked.mean(axis=0)) ** 2).sum(axis=0) / 2) / np.sqrt(3)
    assert np.allclose(found.measures_error, error, rtol=1e-5, atol=1e-9, equal_nan=True)
    assert np.nanmax(found.profile_error) > 0
    display = found.manifest["display"]
    assert display["windows"] == [site.windows for site in attention_sites(model).sites]
    assert found.heads == tuple(display["heads"])
    assert found.manifest["outcome"]["pictures"] == 3
    saved = load_result(found.save(tmp_path / "strength.safetensors"))
    assert isinstance(saved, HeadStrength)
    assert np.array_equal(saved.profile, found.profile, equal_nan=True)


def test_strength_of_one_picture_has_no_error() -> None:
    model = nets.load(nets.Vit)
    found = head_strength(model, [zoo.noise(model)])
    assert found.measures_error is None
    assert found.error_of("distance") is None
    other = head_strength(model, [zoo.noise(model)], off=[(0, 1)])
    assert other.key != found.key
    assert np.array_equal(other.measure("entropy")[0], found.measure("entropy")[0])
    assert not np.array_equal(other.measure("entropy")[1], found.measure("entropy")[1])


def test_trend_and_classes() -> None:
    model = nets.load(nets.Vit)
    given = head_strength(model, [zoo.noise(model)])
    measures = given.measures.copy()
    measures[..., 7] = [[0.6, 0.5], [0.125, 0.126], [1 / 32, np.nan]]
    found = HeadStrength(given.manifest, given.profile, given.cells, measures)
    assert found.needed_class().tolist() == [[0, 1], [2, 1], [3, -1]]
    assert found.trend("needed-share") == pytest.approx([0.55, 0.1255, 1 / 32])


def test_stopping_and_nothing_to_look_at() -> None:
    model = nets.load(nets.Vit)
    seen: list[tuple[int, int]] = []

    class Cancel:
        def is_set(self) -> bool:
            return len(seen) >= 2

    with pytest.raises(Cancelled):
        head_strength(
            model, [zoo.noise(model)] * 4, progress=lambda *told: seen.append(told), cancel=Cancel()
        )
    assert seen == [(1, 4), (2, 4)]
    with expect_refusal(InputError, "no pictures"):
        head_strength(model, [])


def test_a_model_that_has_changed_since_it_was_looked_at() -> None:
    model = nets.load(nets.Vit)
    attention_sites(model)
    model.module.blocks = model.module.blocks[:2]
    with expect_refusal(MethodError, "Vit attends otherwise than when it was looked at: 2 maps"):
        look(model, zoo.noise(model))
