from __future__ import annotations

import pytest
import torch

from engine.attention.capture import capture_attention
from engine.execution.passes import Passes
from tests.engine import zoo
from tests.engine.attention import library


@pytest.mark.parametrize("name", library.MAKES)
def test_as_the_library_itself_says(name: str) -> None:
    model = library.load(name)
    x = zoo.noise(model, 2)
    found = capture_attention(Passes(model), x)
    wanted = library.eager(name, model, x)
    assert [one.shape for one in found] == [one.shape for one in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert torch.allclose(one, other, rtol=0, atol=1e-5)
        assert torch.allclose(one.sum(dim=-1), torch.ones(one.shape[:-1]))
        assert one.amax(dim=-1).mean() > 1.5 / one.shape[-1]  # no map of equal shares


@pytest.mark.parametrize("name", library.MAKES)
def test_recording_leaves_the_output_as_it_is(name: str) -> None:
    model = library.load(name)
    x = zoo.noise(model, 2)
    plain = model.forward(x)
    passes = Passes(model)
    capture_attention(passes, x)
    assert torch.equal(model.forward(x), plain)
    assert passes.used.forward == 2
