"""Gated = sliced = hooked, on networks that Hypothesis puts together."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.pruning.cutting.gating import gated_copy
from engine.pruning.cutting.slicing import sliced_copy
from engine.pruning.finding.groups import find_groups
from tests.engine.pruning.nets import BLOCKS, Drawn, loaded
from tests.engine.pruning.oracles import apart, hooked, samples, some


@settings(max_examples=60)
@given(st.lists(st.sampled_from(BLOCKS), max_size=5), st.booleans(), st.integers(0, 9))
def test_gated_is_sliced_is_hooked(blocks: list, flat: bool, seed: int) -> None:
    model = loaded(Drawn(blocks, flat=flat).double())
    groups = find_groups(model)
    assert list(groups.refused) == ["head"], groups.refused
    kept = some(groups, seed)
    x = samples(model)
    with torch.no_grad():
        gated = gated_copy(model, kept).forward(x)
        small = sliced_copy(model, kept, round_to=1)
        sliced = small.forward(x)
    assert apart(gated, hooked(model, groups, kept)) < 1e-12
    assert apart(gated, sliced) < 1e-12
    if not all(stays.all() for stays in kept.values()):
        assert small.parameter_count < model.parameter_count
        assert small.digest != model.digest


@settings(max_examples=30)
@given(st.lists(st.sampled_from(BLOCKS), max_size=4), st.integers(0, 9))
def test_each_weight_of_a_unit_goes_with_it(blocks: list, seed: int) -> None:
    model = loaded(Drawn(blocks))
    groups = find_groups(model)
    kept = some(groups, seed)
    small = sliced_copy(model, kept, round_to=1).module.state_dict()
    for name, tensor in model.module.state_dict().items():
        expected = tensor
        layer, _, held = name.rpartition(".")
        gone: dict[int, set[int]] = {}
        for group in groups.groups:
            for span in (*group.producers, *group.consumers):
                if (span.layer, span.tensor) == (layer, held):
                    gone.setdefault(span.dim, set()).update(
                        span.index[~kept[group.name]].ravel().tolist()
                    )
        for dim, places in gone.items():
            stay = [place for place in range(tensor.shape[dim]) if place not in places]
            expected = expected[(slice(None),) * dim + (stay,)]
        assert torch.equal(small[name], expected), name
