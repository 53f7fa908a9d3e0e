from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.attribution.attention_rollout import rollout
from engine.attribution.explain import explain, plan
from engine.attribution.registry import methods_for
from engine.errors import MethodError
from engine.execution.cost import Cost
from tests.engine import reference, zoo
from tests.engine.attention import nets
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
        "read_from": "class token" if prefix else "all tokens",
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


def test_rows_of_the_flow_sum_to_one() -> None:
    maps = [torch.rand(3, 6, 6).softmax(dim=-1) for _ in range(5)]
    for fusion in ("mean", "max", "min"):
        assert torch.allclose(rollout(maps, fusion).sum(dim=1), torch.ones(6).double())


def test_heads_that_share_no_token() -> None:
    apart = torch.stack([torch.eye(4), torch.eye(4).flip(0)])
    assert torch.equal(rollout([apart], "min"), torch.eye(4).double())


def test_every_class_gets_the_same_map() -> None:
    model = zoo.load("tiny-vit")
    x = zoo.noise(model)
    found = [explain(model, x, METHOD, target).values.tobytes() for target in range(3)]
    assert len(set(found)) == 1


def test_cost_is_one_pass_and_the_prediction() -> None:
    model = zoo.load("tiny-vit")
    assert plan(model, zoo.noise(model), METHOD, 0).cost == Cost(2)


def test_windows_are_refused_and_something_else_is_shown_first() -> None:
    model = nets.load(nets.Windowed, 0)
    with expect_refusal(MethodError, "Windowed attends within windows"):
        explain(model, zoo.noise(model), METHOD, 0)
    assert METHOD not in [method.name for method in methods_for(model)]
