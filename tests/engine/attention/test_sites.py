from __future__ import annotations

import gc
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
import timm
import torch
from torch import nn

from engine.attention import sites
from engine.attention.sites import attention_sites
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import ImageSpec
from tests.engine import zoo
from tests.engine.attention import library, nets
from tests.engine.counting import counted, hooks_on
from tests.engine.refusals import is_one_line

CHANNELS = "attends between channels"


def timm_model(name: str, size: int, **more: object) -> LoadedModel:
    shape = {"depth": 2, "embed_dim": 16, "num_heads": 4, "num_classes": 3, "img_size": size}
    built = zoo.seeded(lambda: library.stirred(timm.create_model(name, **shape, **more)))
    spec = ImageSpec(size, size, mean=(0.5,) * 3, std=(0.5,) * 3)
    return load_model(built, input_spec=spec, device="cpu")


@pytest.mark.parametrize(
    ("block", "told"),
    [
        (nets.Exponential, "no attention was seen: it is computed by hand"),
        (nets.FiveAxes, "attention 0 (blocks.0) has shape (1, 1, 2, 17, 17), expected (windows,"),
        (nets.Talking, "attention 0 (blocks.0) mixes its heads after the softmax (as talking"),
        (nets.Convolved, "attention 0 (blocks.0) mixes its heads after the softmax"),
        (nets.Blended, "attention 0 (blocks.0) mixes its heads after the softmax"),
        (nets.Renormed, "attention 0 (blocks.0) mixes its heads after the softmax"),
        (nets.Channels, f"has 4 rows for 17 tokens: it {CHANNELS}"),
    ],
)
def test_heads_that_cannot_be_gated(block: type[nets.Block], told: str) -> None:
    found = attention_sites(nets.load(block))
    assert is_one_line(found.problem)
    assert found.problem.startswith("Of: ")
    assert told in found.problem
    assert found.unplaced == found.problem


def test_of_timm_that_cannot_be_gated() -> None:
    xcit = attention_sites(timm_model("xcit_nano_12_p16_224", 64))
    assert f"attention 0 (blocks.0) has 4 rows for 16 tokens: it {CHANNELS}" in xcit.problem
    pooling = attention_sites(timm_model("vit_base_patch16_siglip_224", 32))
    assert "attention 2 (attn_pool) has 1 queries and 4 keys" in pooling.problem
    cait = attention_sites(timm_model("cait_xxs24_224", 32, patch_size=8))
    assert "has 1 queries and 17 keys" in cait.problem


def test_a_traced_network() -> None:
    module = zoo.seeded(nets.Vit)
    traced = _traced(module, torch.zeros(1, 3, 16, 16))
    model = load_model(traced, input_spec=zoo.PICTURE, device="cpu")
    assert "no attention was seen" in attention_sites(model).problem


def _traced(module: nn.Module, x: torch.Tensor) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch advises against tracing
        return torch.jit.trace(module, x)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (nets.WideChannels, "attention 0 (blocks.0) attends between channels, or tokens are mixed"),
        (nets.BlurredAfter, "tokens are mixed after it"),
        (nets.Blurred, "tokens are mixed before attention 0 (blocks.0)"),
        (nets.Shifted, "tokens are mixed before attention 0 (blocks.0)"),
        (nets.Idle, "attention 0 (blocks.0) has no effect on what its block returns"),
        (nets.Between, "tokens are mixed before the block of attention 1 (blocks.1)"),
        (nets.Pooling, "the 17 tokens before attention 1 (blocks.1) are not the ones that make"),
        (nets.Deaf, "no token of the first block changes with the picture"),
    ],
)
def test_heads_that_can_be_gated_but_not_drawn(kind: type[nn.Module], told: str) -> None:
    found = attention_sites(nets.load(kind))
    assert found.problem == ""
    assert is_one_line(found.unplaced)
    assert told in found.unplaced
    assert all(site.layout is None and site.heads == 2 for site in found.sites)


@pytest.mark.parametrize(
    ("kind", "prefix", "told"),
    [
        (nets.Turned, 0, "16 tokens become 16, which make no grid of patches"),
        (nets.Columns, 0, "16 patches make no grid"),
        (nets.Chosen, 3, "the head reads 2 class or register tokens and 16 patches"),
    ],
)
def test_tokens_without_places(kind: type[nets.Vit], prefix: int, told: str) -> None:
    found = attention_sites(nets.load(kind, prefix))
    assert found.problem == ""
    assert told in found.unplaced


def test_norms_of_zero_hide_the_windows_of_swin_v2() -> None:
    made = library.MAKES["timm-swin2"]
    built = zoo.seeded(made.build)
    spec = ImageSpec(32, 32, mean=(0.5,) * 3, std=(0.5,) * 3)
    found = attention_sites(load_model(built, input_spec=spec, device="cpu"))
    assert "attention 0 (layers.0.blocks.0) has no effect" in found.unplaced


def test_heads_without_an_output_projection() -> None:
    found = attention_sites(nets.load(nets.Unprojected))
    assert (found.problem, found.unplaced) == ("", "")


def test_attention_in_the_network_itself() -> None:
    (site,) = attention_sites(zoo.load("tiny-vit")).sites
    assert (site.name, site.heads, site.grid, site.prefix) == ("", 2, (4, 4), 1)


@pytest.mark.parametrize("name", ["tiny-cnn", "table", "forest"])
def test_a_model_without_attention(name: str) -> None:
    found = attention_sites(zoo.load(name))
    assert found.sites == ()
    assert (found.grid, found.prefix, found.suffix, found.windowed) == (None, 0, 0, False)
    assert "no attention was seen" in found.problem


def test_a_network_that_fails_is_told_in_one_line() -> None:
    model = nets.load(nets.Vit)
    model.module.head = nn.Linear(5, 3)
    found = attention_sites(model)
    assert is_one_line(found.problem)
    assert "the attention of Vit cannot be looked at" in found.problem


def test_a_model_is_looked_at_once_and_left_as_it_was() -> None:
    model = nets.load(nets.Encoder)
    model.module.train()
    before = torch.get_rng_state()
    weights = {name: value.clone() for name, value in model.module.state_dict().items()}
    with counted(model.module) as count:
        found = attention_sites(model)
        used = count.forward
        assert attention_sites(model) is found
        assert count.forward == used > 0
    assert torch.equal(torch.get_rng_state(), before)
    assert model.module.training
    assert hooks_on(model.module) == 0
    assert all(weight.grad is None for weight in model.module.parameters())
    assert all(map(torch.equal, model.module.state_dict().values(), weights.values()))


def test_a_model_that_is_gone_is_forgotten() -> None:
    model = nets.load(nets.Vit)
    attention_sites(model)
    before = len(sites._found)
    del model
    gc.collect()
    assert len(sites._found) < before


def test_while_others_use_the_model() -> None:
    model = library.load("timm-swin")
    x = zoo.noise(model)
    plain = model.forward(x).detach()

    def one(index: int) -> bool:
        if index == 5:
            return attention_sites(model).unplaced == ""
        return torch.equal(model.forward(x), plain)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(one, range(30)))
