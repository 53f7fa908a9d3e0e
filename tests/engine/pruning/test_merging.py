"""Merged units: exact where they are the same, and a greedy search written out by hand."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.errors import Cancelled, MethodError
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.pruning.cutting.slicing import sliced_copy
from engine.pruning.finding.groups import find_groups
from engine.pruning.methods.catalogue import plan_method
from engine.pruning.posthoc.merging import Merger
from tests.engine.pruning.hoc import (
    SIX,
    Around,
    Hidden,
    TwoConvs,
    convs,
    done,
    hidden,
    same_state,
    state_of,
)
from tests.engine.zoo import noise, seeded


def doubled(builder: Any) -> LoadedModel:
    """A network in which units come in pairs that are the same, but are read differently."""
    model = convs(builder)
    with torch.no_grad():
        for name in ("conv1", "norm1", "conv2", "norm2", "short"):
            part = getattr(model.module, name, None)
            for tensor in () if part is None else ("weight", "bias", "running_mean", "running_var"):
                found = getattr(part, tensor, None)
                if found is not None:
                    found[1::2] = found[::2]
    return model


@pytest.mark.parametrize("builder", [TwoConvs, Around])
def test_merging_units_that_are_the_same_changes_nothing(builder: Any) -> None:
    model = doubled(builder)
    before, x = state_of(model), noise(model, 4)
    outcome = done(model, "merging", ratio=0.5)
    assert outcome.model is not None and outcome.kept is not None
    with torch.no_grad():
        torch.testing.assert_close(outcome.model.forward(x), model.forward(x), rtol=1e-5, atol=1e-6)
    assert {name: int(kept.sum()) for name, kept in outcome.kept.items()} == {
        "conv1": 4,
        "conv2": 4,
    }
    assert all(
        {stays // 2 for stays, _, _ in merges} == {goes // 2 for _, goes, _ in merges}
        for merges in outcome.told["merged"].values()
    )
    assert same_state(model, before)


def test_what_is_left_can_be_cut_out() -> None:
    model = doubled(TwoConvs)
    outcome = done(model, "merging", ratio=0.5)
    assert outcome.model is not None and outcome.kept is not None
    small = sliced_copy(outcome.model, outcome.kept, round_to=1)
    assert small.module.conv2.weight.shape == (4, 4, 3, 3)
    assert small.parameter_count < model.parameter_count / 2
    x = noise(model, 4)
    with torch.no_grad():
        torch.testing.assert_close(small.forward(x), model.forward(x), rtol=1e-5, atol=1e-6)


def greedy(rows: np.ndarray, count: int) -> list[tuple[int, int]]:
    """The closest pairs in turn, by loops; clusters are the means of their members."""
    members = {unit: [unit] for unit in range(len(rows))}
    merged = []
    for _ in range(count):
        means = {unit: rows[some].mean(axis=0) for unit, some in members.items()}
        pairs = [(a, b) for a in means for b in means if a < b]
        a, b = min(pairs, key=lambda pair: float(np.linalg.norm(means[pair[0]] - means[pair[1]])))
        members[a] += members.pop(b)
        merged.append((a, b))
    return merged


def test_the_closest_pair_goes_first_and_means_and_sums_are_written() -> None:
    model = hidden(useless=False)
    net: Any = model.module
    weight, bias = (t.detach().double().numpy() for t in (net.first.weight, net.first.bias))
    parts = [weight, bias[:, None]]
    rows = np.concatenate([p / np.sqrt((p**2).sum(axis=1).mean()) for p in parts], axis=1)
    outcome = done(model, "merging", ratio=0.6)
    (merges,) = outcome.told["merged"].values()
    expected = greedy(rows, 9)
    assert [(a, b) for a, b, _ in merges] == expected

    members = {unit: [unit] for unit in range(16)}
    for a, b in expected:
        members[a] += members.pop(b)
    assert outcome.model is not None
    after: Any = outcome.model.module.requires_grad_(False)
    columns = net.second.weight.detach().double().numpy()
    for unit, some in members.items():
        np.testing.assert_allclose(after.first.weight[unit], weight[some].mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(after.first.bias[unit], bias[some].mean(), atol=1e-6)
        summed = columns[:, some].sum(axis=1)
        np.testing.assert_allclose(after.second.weight[:, unit], summed, atol=1e-5)
    gone = [unit for unit in range(16) if unit not in members]
    assert not after.second.weight[:, gone].any()


@pytest.mark.parametrize("seed", range(12))
def test_the_search_is_that_of_loops(seed: int) -> None:
    model = hidden(useless=False)
    drawn = np.random.default_rng(seed).normal(size=(16, 6)) * (1 + seed % 3)
    with torch.no_grad():
        model.module.get_parameter("first.weight").copy_(torch.from_numpy(drawn))
        model.module.get_parameter("first.bias").zero_()
    merging = Merger(model.module, find_groups(model).groups[0])
    for _ in range(15):
        merging.step()
    rows = model.module.get_parameter("first.weight").detach().double().numpy()
    assert [(a, b) for a, b, _ in merging.merges] == greedy(rows, 15)


@pytest.mark.parametrize(("ratio", "left"), [(0.0, 16), (0.06, 16), (0.07, 15), (0.99, 1)])
def test_how_many_are_left(ratio: float, left: int) -> None:
    outcome = done(hidden(), "merging", ratio=ratio)
    assert outcome.kept is not None
    (kept,) = outcome.kept.values()
    assert int(kept.sum()) == left


def test_heads_are_left_alone_and_told() -> None:
    model = load_model("digits-vit", device="cpu")
    outcome = done(model, "merging", ratio=0.1)
    assert set(outcome.told["skipped"]) == {f"blocks.{block}" for block in range(4)}
    assert outcome.kept is not None
    assert all(outcome.kept[f"blocks.{block}"].all() for block in range(4))
    assert int(outcome.kept["blocks.0.mlp.0"].sum()) == 128 - 12


def test_progress_and_cancelling() -> None:
    model = hidden()
    seen: list[tuple[int, int]] = []
    plan = plan_method(model, find_groups(model), "merging", ratio=0.25)
    assert plan.cost.total == 0
    plan.run(progress=lambda made, total: seen.append((made, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    stop = threading.Event()
    with pytest.raises(Cancelled):
        plan.run(progress=lambda _made, _total: stop.set(), cancel=stop)


class Alone(nn.Module):
    """One layer: nothing can be merged."""

    def __init__(self) -> None:
        super().__init__()
        self.only = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.only(x)


def test_a_network_without_units() -> None:
    model = load_model(seeded(Alone), input_spec=SIX, device="cpu")
    with pytest.raises(MethodError, match="no channels or hidden units"):
        done(model, "merging")
    assert find_groups(load_model(seeded(Hidden), input_spec=SIX, device="cpu")).units == 16
