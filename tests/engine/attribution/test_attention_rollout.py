from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.attention.capture import capture_attention
from engine.attention.site import AttentionSite, AttentionSites
from engine.attribution.attention_rollout import roll_back
from engine.attribution.explain import explain, plan
from engine.attribution.registry import methods_for
from engine.errors import MethodError
from engine.execution.cost import Cost
from engine.execution.passes import Passes
from engine.models.loaded import LoadedModel
from tests.engine import reference, zoo
from tests.engine.attention import library, nets, windows
from tests.engine.refusals import expect_refusal

METHOD = "attention-rollout"


def eager(module: nets.Vit, x: torch.Tensor) -> list[np.ndarray]:
    """Attention of each layer in float64, ``(heads, tokens, tokens)``."""
    module = module.double()
    tokens = module.embedded(x.double()).detach()[0].numpy()
    found = []
    for index in range(len(module.blocks)):
        weight, bias, out, shift = (
            module.state_dict()[f"blocks.{index}.{name}"].numpy()
            for name in ("qkv.weight", "qkv.bias", "out.weight", "out.bias")
        )
        apart = tokens - tokens.mean(axis=1, keepdims=True)
        unit = apart / np.sqrt((apart**2).mean(axis=1, keepdims=True) + 1e-5)
        q, k, v = (unit @ weight.T + bias).reshape(-1, 3, 2, 4).transpose(1, 2, 0, 3)
        heads = [
            np.stack([reference.softmax(row) for row in 4 * a @ b.T / 2])
            for a, b in zip(q, k, strict=True)
        ]
        found.append(np.stack(heads))
        mixed = np.concatenate([a @ b for a, b in zip(heads, v, strict=True)], axis=1)
        tokens = tokens + mixed @ out.T + shift
    return found


def by_hand(maps: list[np.ndarray], fusion: str) -> np.ndarray:
    fuse = {"mean": np.mean, "max": np.max, "min": np.min}[fusion]
    flow = np.eye(maps[0].shape[-1])
    for heads in maps:
        fused = fuse(heads, axis=0)
        fused /= fused.sum(axis=1, keepdims=True)
        flow = (fused + np.eye(len(fused))) / 2 @ flow
    return flow


@pytest.mark.parametrize("fusion", ["mean", "max", "min"])
@pytest.mark.parametrize("prefix", [0, 1, 3])
def test_by_hand(prefix: int, fusion: str) -> None:
    model = nets.load(nets.Vit, prefix)
    x = zoo.noise(model)
    flow = by_hand(eager(zoo.seeded(lambda: nets.Vit(prefix)), x), fusion)
    row = flow[0] if prefix else flow.mean(axis=0)
    found = explain(model, x, METHOD, 0, fusion=fusion)
    assert np.allclose(found.values, row[prefix:].reshape(4, 4), rtol=0, atol=1e-6)
    assert np.ptp(found.values) > 1e-3
    assert found.manifest["outcome"]["attention"] == {
        "layers": 3,
        "heads": [2, 2, 2],
        "tokens": 16 + prefix,
        "windows": [1, 1, 1],
        "read_from": "class token" if prefix else "mean of the patches",
    }


def test_patches_lie_row_by_row() -> None:
    model = nets.load(nets.Vit, 1, 1, (8, 2))
    x = zoo.noise(model)
    flow = by_hand(eager(zoo.seeded(lambda: nets.Vit(1, 1, (8, 2))), x), "mean")
    found = explain(model, x, METHOD, 0)
    assert found.values.shape == (2, 8)
    assert np.allclose(found.values, flow[0, 1:].reshape(2, 8), rtol=0, atol=1e-6)


def test_of_torchs_own_encoder() -> None:
    model = nets.load(nets.Encoder)
    found = explain(model, zoo.noise(model), METHOD, 0)
    assert found.values.shape == (4, 4)
    assert 0 < found.values.sum() < 1


GLOBAL = [name for name in library.MAKES if name not in library.SWINS]


def read_row(reads: str, prefix: int, tokens: int) -> np.ndarray:
    """What the head reads, of patches after class and register tokens."""
    alone, patches = np.eye(tokens), np.r_[np.zeros(prefix), np.ones(tokens - prefix)]
    mean = patches / patches.sum()
    return {
        "class token": alone[0],
        "class and distillation token": (alone[0] + alone[1]) / 2,
        "mean of the patches": mean,
        "class token and mean of the patches": (alone[0] + mean) / 2,
    }[reads]


@pytest.mark.parametrize("fusion", ["mean", "max"])
@pytest.mark.parametrize("name", GLOBAL)
def test_of_libraries(name: str, fusion: str) -> None:
    made = library.MAKES[name]
    model = library.load(name)
    x = zoo.noise(model)
    maps = [one[0].double().numpy() for one in library.eager(name, model, x)]
    row = read_row(made.reads, made.prefix, maps[0].shape[-1]) @ by_hand(maps, fusion)
    found = explain(model, x, METHOD, 0, fusion=fusion)
    assert np.allclose(found.values, row[made.prefix :].reshape(4, 4), rtol=0, atol=1e-5)
    assert np.ptp(found.values) > 1e-3
    told = found.manifest["outcome"]["attention"]
    assert (told["read_from"], told["tokens"]) == (made.reads, 16 + made.prefix)


def dense_flow(name: str, model: LoadedModel, x: torch.Tensor, fusion: str) -> np.ndarray:
    """Rollout of windows with matrices of all tokens, cut as the library cuts a picture."""
    fuse = {"mean": np.mean, "max": np.max, "min": np.min}[fusion]
    stages = library.MAKES[name].windows
    flow = np.eye(stages[0]["grid"] ** 2)
    before = stages[0]["grid"]
    for maps, stage in zip(library.eager(name, model, x), stages, strict=True):
        if stage["grid"] != before:
            flow = windows.merging(before).T @ flow
            before = stage["grid"]
        fused = fuse(maps.double().numpy(), axis=1)  # (windows, slots, slots)
        whole = windows.dense(fused, windows.cut(**stage), before**2)
        whole /= whole.sum(axis=1, keepdims=True)
        flow = (whole + np.eye(len(whole))) / 2 @ flow
    return flow


@pytest.mark.parametrize("fusion", ["mean", "max", "min"])
@pytest.mark.parametrize("name", library.SWINS)
def test_of_windows(name: str, fusion: str) -> None:
    model = library.load(name)
    x = zoo.noise(model)
    side = library.MAKES[name].windows[0]["grid"]
    wanted = dense_flow(name, model, x, fusion).mean(axis=0).reshape(side, side)
    found = explain(model, x, METHOD, 0, fusion=fusion)
    assert np.allclose(found.values, wanted, rtol=0, atol=1e-5 / side)
    assert np.ptp(found.values) > 1e-3
    assert np.isclose(found.values.sum(), 1, atol=1e-5)
    told = found.manifest["outcome"]["attention"]
    cuts = [len(windows.cut(**stage)) for stage in library.MAKES[name].windows]
    assert (told["tokens"], told["windows"]) == (side**2, cuts)
    assert (told["layers"], told["heads"]) == (4, [2, 2, 4, 4])


@pytest.mark.parametrize("kind", [nets.Windowed, nets.Shuffled])
def test_of_windows_cut_by_hand(kind: type[nets.Vit]) -> None:
    model = nets.load(kind, 0)
    x = zoo.noise(model)
    places = nets.Shuffled.ORDER if kind is nets.Shuffled else torch.arange(16)
    flow = np.eye(16)
    for maps in capture_attention(Passes(model), x):
        whole = windows.dense(maps.mean(dim=1).double().numpy(), places.view(4, 4).numpy(), 16)
        flow = (whole + np.eye(16)) / 2 @ flow
    found = explain(model, x, METHOD, 0)
    assert np.allclose(found.values, flow.mean(axis=0).reshape(4, 4), rtol=0, atol=1e-6)


def sites(layout: np.ndarray, weights: np.ndarray, layers: int) -> AttentionSites:
    count, slots = layout.shape
    one = AttentionSite(0, "block", 3, count, slots, slots, layout)
    return AttentionSites((one,) * layers, weights=weights)


def test_what_flows_sums_to_one() -> None:
    layout = np.array([[4, 0, -1], [1, 2, 3]])
    maps = [torch.rand(2, 3, 3, 3).softmax(dim=-1) for _ in range(5)]
    weights = np.array([0.5, 0, 0.1, 0.1, 0.3])
    for fusion in ("mean", "max", "min"):
        flow = roll_back(sites(layout, weights, 5), maps, fusion)
        assert torch.allclose(flow.sum(), torch.ones(()).double())
        assert (flow > 0).all()


def test_heads_that_share_no_token() -> None:
    apart = torch.stack([torch.eye(4), torch.eye(4).flip(0)])[None]
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    flow = roll_back(sites(np.arange(4)[None], weights, 1), [apart], "min")
    assert torch.equal(flow, torch.tensor(weights))


def test_every_class_gets_the_same_map() -> None:
    model = zoo.load("tiny-vit")
    x = zoo.noise(model)
    found = [explain(model, x, METHOD, target).values.tobytes() for target in range(3)]
    assert len(set(found)) == 1


def test_cost_is_one_pass_and_the_prediction() -> None:
    model = zoo.load("tiny-vit")
    assert plan(model, zoo.noise(model), METHOD, 0).cost == Cost(2)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (nets.Pooling, "Pooling: the 17 tokens before attention 1 (blocks.1) are not the ones"),
        (nets.Blurred, "Of: tokens are mixed before attention 0 (blocks.0)"),
        (nets.Talking, "Of: attention 0 (blocks.0) mixes its heads after the softmax"),
    ],
)
def test_a_model_it_does_not_suit_is_shown_something_else(kind: type[nets.Vit], told: str) -> None:
    model = nets.load(kind)
    with expect_refusal(MethodError, told):
        explain(model, zoo.noise(model), METHOD, 0)
    assert METHOD not in [method.name for method in methods_for(model)]


def test_a_model_that_has_changed_since_it_was_looked_at() -> None:
    model = nets.load(nets.Vit)
    x = zoo.noise(model)
    explain(model, x, METHOD, 0)
    model.module.blocks = model.module.blocks[:2]
    with expect_refusal(MethodError, "Vit attends otherwise than when it was looked at: 2 maps"):
        explain(model, x, METHOD, 0)
