"""Whatever small architecture is drawn, every method that takes it keeps to its contract."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from hypothesis import event, given, settings
from hypothesis import strategies as st
from torch import nn

from engine.attribution.explain import plan
from engine.attribution.method import Method
from engine.attribution.registry import methods_for
from engine.errors import MethodError
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from tests.engine import zoo
from tests.engine.counting import hooks_on
from tests.engine.own_models.blocks import BLOCKS, ENDS, Drawn
from tests.engine.own_models.cells import settings_of
from tests.engine.own_models.in_hand import lively

SIDE = 16
ALWAYS = {"gradient", "integrated-gradients", "smoothgrad", "occlusion", "rise", "feature-ablation"}


@st.composite
def networks(draw: st.DrawFn) -> tuple[int, nn.Module]:
    """Channels of the input, and a network with lively weights."""
    channels = draw(st.sampled_from([1, 3, 5]))
    blocks = draw(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=5))
    end = draw(st.sampled_from(list(ENDS)))
    classes = 1 if end == "one number" else draw(st.integers(1 + (end == "softmax"), 4))
    shape = (channels, SIDE, SIDE)
    return channels, lively(lambda: Drawn(channels, blocks, classes, end), shape)


def state_of(module: nn.Module) -> list[Any]:
    parts = list(module.modules())
    tensors = [*module.parameters(), *module.buffers()]
    return [
        hooks_on(module),
        [sorted(vars(part)) for part in parts],
        [part.training for part in parts],
        [(tensor._version, tensor.requires_grad, tensor.grad is None) for tensor in tensors],
    ]


def random_state() -> list[Any]:
    return [torch.get_rng_state().tolist(), repr(np.random.get_state()), random.getstate()]


def check(model: LoadedModel, method: Method) -> None:
    x, told = zoo.noise(model), settings_of(method, model)
    target = len(model.classes) - 1
    works = [plan(model, x, method.name, target, **told) for _ in "12"]
    try:
        first, second = (work.run() for work in works)
    except MethodError:  # some can only tell once they have tried
        assert method.name not in ALWAYS
        event(f"refused on the way: {method.name}")
        return
    values = first.values
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    assert values.tobytes() == second.values.tobytes()
    assert first.key == second.key == works[0].key
    assert values.ndim == 2 or values.shape == tuple(model.spec.shape)
    used = first.manifest["outcome"]["passes"]
    assert used["forward"] <= works[0].cost.forward
    assert used["backward"] <= works[0].cost.backward


@settings(max_examples=25)
@given(networks())
def test_every_method_keeps_its_contract(drawn: tuple[int, nn.Module]) -> None:
    channels, module = drawn
    before, randomness = state_of(module), random_state()
    model = load_model(module, input_spec=(channels, SIDE, SIDE))
    attending = any(isinstance(block, BLOCKS[-3]) for block in module.blocks)
    assert model.family == ("vit" if attending else "cnn")
    assert model.seen.batches
    suited = methods_for(model)
    assert {method.name for method in suited} >= ALWAYS
    for method in suited:
        event(f"{model.family}: {method.name}")
        check(model, method)
    assert state_of(module) == before
    assert random_state() == randomness


@settings(max_examples=25)
@given(networks())
def test_the_logits_are_those_of_the_bare_network(drawn: tuple[int, nn.Module]) -> None:
    channels, module = drawn
    model = load_model(module, input_spec=(channels, SIDE, SIDE))
    x = zoo.noise(model, 2)
    found = model.forward(x)
    module.end = "tensor"
    # torch computes packed attention in another way where nothing asks for gradients
    assert torch.allclose(found, module(x), rtol=1e-5, atol=1e-6)
