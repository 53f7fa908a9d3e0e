"""What is trained: losses, sizes, units that are useless by construction, the model as it was."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.errors import Cancelled, MethodError
from engine.heads.pictures import load_pictures
from engine.inputs.samples import load_sample_set
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.pruning.finding.groups import find_groups
from engine.pruning.methods.catalogue import plan_method, trained_methods
from engine.pruning.methods.weight_masks import masked_copy, prunable_weights
from engine.pruning.trained.base import draws, learned_from
from engine.pruning.trained.bottleneck import Noise
from engine.pruning.trained.jackpots import best_of, magnitude_masks
from engine.pruning.trained.mask_sparsity import shrink
from engine.pruning.trained.prunability import BiMasks
from tests.engine.counting import hooks_on
from tests.engine.pruning.hoc import (
    SIX,
    Around,
    Branches,
    convs,
    done,
    hidden,
    same_state,
    samples,
    state_of,
)
from tests.engine.zoo import noise, seeded

TRAINED = list(trained_methods())
SHORT = {"steps": 6, "batch": 8}


def model_for(name: str) -> LoadedModel:
    return convs() if name == "mask-sparsity" else hidden()


@pytest.mark.parametrize("name", TRAINED)
def test_contract(name: str) -> None:
    model = model_for(name)
    before = state_of(model)
    images = samples(model, 20, labelled=True)
    plan = plan_method(model, find_groups(model), name, images, **SHORT)
    told: list[tuple[int, int]] = []
    outcome = plan.run(progress=lambda made, total: told.append((made, total)))
    stages = 2 if name == "mask-sparsity" else 1
    assert outcome.losses is not None
    assert outcome.losses.shape == (6 * stages,)
    assert np.isfinite(outcome.losses).all()
    used = 2 * 6 * 8 * stages
    assert told[-1][0] == used <= plan.cost.total == told[-1][1]
    assert outcome.told["labelled"] == len(outcome.told["learned_from"])
    assert same_state(model, before)
    assert hooks_on(model.module) == 0
    again, other = plan.run(), replace(plan, seed=1).run()
    np.testing.assert_array_equal(again.losses, outcome.losses)
    assert not np.array_equal(other.losses, outcome.losses)

    stop = threading.Event()
    with pytest.raises(Cancelled):
        plan.run(progress=lambda _made, _total: stop.set(), cancel=stop)
    assert same_state(model, before)
    assert hooks_on(model.module) == 0


@pytest.mark.parametrize("name", TRAINED)
def test_pictures_without_labels_are_taught_by_the_network(name: str) -> None:
    model = model_for(name)
    bare, labelled = samples(model, 12), samples(model, 12, labelled=True)
    given: dict[str, Any] = {**SHORT, "share": 1.0}
    outcome = done(model, name, bare, **given)
    assert outcome.told["labelled"] == 0
    same = done(model, name, labelled, **given)
    if outcome.told["learned_from"] == same.told["learned_from"]:
        np.testing.assert_array_equal(outcome.losses, same.losses)


@pytest.mark.parametrize("name", TRAINED)
def test_a_regression_is_refused(name: str) -> None:
    class Value(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(6, 8), nn.Linear(8, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.second(self.first(x).relu())

    model = load_model(seeded(Value), input_spec=SIX, device="cpu")
    model.activation = "identity"
    with pytest.raises(MethodError, match="tells no classes"):
        done(model, name, samples(model, 4))


def test_one_logit_is_learned_with_its_own_loss() -> None:
    class One(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(6, 8), nn.Linear(8, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.second(self.first(x).relu())

    model = load_model(seeded(One), input_spec=SIX, device="cpu")
    model.activation = "sigmoid"
    x = noise(model, 8, seed=5)
    outcome = done(model, "jackpots", samples(model, 8), ratio=0.0, steps=1, share=1.0)
    with torch.no_grad():
        logit = model.forward(x)[:, 0].double()
    assert outcome.losses is not None
    expected = -torch.sigmoid(logit.abs()).log().mean()  # what it predicts is what it is taught
    assert outcome.losses[0] == pytest.approx(float(expected), rel=1e-5)


def test_a_share_of_each_class_is_learned_from() -> None:
    labels = np.array([0] * 10 + [1] * 5 + [-1] * 3)
    chosen = learned_from(labels, 0.5, seed=3)
    assert [int((labels[chosen] == label).sum()) for label in (0, 1, -1)] == [5, 3, 2]
    assert len(set(chosen.tolist())) == len(chosen)
    assert not np.array_equal(chosen, learned_from(labels, 0.5, seed=4))
    assert learned_from(labels, 1.0, seed=0).tolist() == list(range(18))


def test_every_sample_comes_once_before_any_comes_twice() -> None:
    batches = draws(12, 4, seed=0)
    rounds = [torch.cat([next(batches) for _ in range(3)]).tolist() for _ in range(2)]
    assert [sorted(one) for one in rounds] == [list(range(12))] * 2
    assert rounds[0] != rounds[1]
    assert len(next(draws(3, 8, seed=0))) == 3


# What is useless by construction: every other hidden unit, which nothing reads.


@pytest.mark.parametrize("name", ["bottleneck", "prunability"])
def test_units_that_nothing_reads_are_found(name: str) -> None:
    model = hidden(useless=True)
    images = samples(model, 200, labelled=True)
    outcome = done(model, name, images, steps=300, batch=50, share=1.0)
    assert outcome.scores is not None and outcome.kept is not None
    (scores,) = outcome.scores.values()
    useless = np.arange(16) % 2 == 0
    assert scores[useless].max() < np.median(scores[~useless])
    assert (np.argsort(scores)[:8] % 2 == 0).sum() >= 7
    if name == "prunability":
        (kept,) = outcome.kept.values()
        assert kept.sum() == 8
        assert kept[~useless].sum() >= 7


def test_weights_that_only_disturb_are_given_up_though_they_are_the_largest() -> None:
    model = hidden(useless=False)
    weight = model.module.get_parameter("first.weight")
    with torch.no_grad():
        weight[:, 3:] = 0
        model.module.get_parameter("second.weight").mul_(3)
        images = samples(model, 200, labelled=True)  # the truth is told by three numbers of six
        drawn = torch.randn(16, 3, generator=torch.Generator().manual_seed(1))
        weight[:, 3:] = drawn.sign()
    start = magnitude_masks(prunable_weights(model.module), 0.5)["first.weight"]
    assert not start[:, :3].any()
    outcome = done(model, "jackpots", images, ratio=0.5, steps=200, batch=50, share=1.0)
    assert outcome.masks is not None and outcome.losses is not None
    kept = outcome.masks["first.weight"]
    assert kept.sum() == 48
    assert kept[:, :3].sum() >= 34  # of 48, from none
    assert outcome.losses[-10:].mean() < 0.3 * outcome.losses[0]


def test_scales_of_what_never_changes_are_masked() -> None:
    model = convs(Branches)
    x = noise(model, 90, seed=5) * 0.3
    x[:, 1:] = 0  # green and blue are black in all pictures
    labels = np.arange(90) % 3
    x[:, 0] += torch.from_numpy(labels - 1.0).float()[:, None, None]
    images = replace(load_pictures(model, x), labels=labels.astype(np.int32))
    before = state_of(model)
    outcome = done(model, "mask-sparsity", images, batch=30, share=1.0)
    assert outcome.kept is not None and outcome.scores is not None
    assert outcome.model is not None and outcome.losses is not None
    assert outcome.kept["rest"].sum() == 1  # one stays of every layer
    assert outcome.kept["red"].sum() >= 2
    assert outcome.told["masked"] == {
        name: int((~kept).sum()) for name, kept in outcome.kept.items()
    }
    scale = outcome.model.module.get_parameter("norm.weight").detach().abs().double().numpy()
    np.testing.assert_array_equal(outcome.scores["red"], scale[:8])
    np.testing.assert_array_equal(outcome.scores["rest"], scale[8:])
    masked = np.concatenate([~outcome.kept["red"], ~outcome.kept["rest"]])
    assert outcome.told["risen"] == int((scale[masked] >= 0.01).sum())
    assert outcome.losses[-10:].mean() < 0.5 * outcome.losses[:10].mean()
    assert same_state(model, before)
    assert not outcome.model.module.training
    with torch.no_grad():
        right = outcome.model.forward(x).argmax(1).numpy() == labels
    assert right.mean() > 0.9


def test_a_unit_of_two_batch_norms_goes_when_both_are_small() -> None:
    class Sum(Around):
        def __init__(self) -> None:
            super().__init__()
            self.norm3 = nn.BatchNorm2d(8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.relu1(self.norm1(self.conv1(x)))
            x = self.relu2(self.norm2(self.conv2(x)) + self.norm3(self.short(x)))
            return self.head(self.pool(x).flatten(1))

    model = convs(Sum)
    (shared,) = [
        group.name for group in find_groups(model).groups if {"norm2", "norm3"} <= set(group.layers)
    ]
    with torch.no_grad():
        model.module.get_parameter("norm2.weight")[:4] = 0
        model.module.get_parameter("norm3.weight")[2:6] = 0
    outcome = done(
        model, "mask-sparsity", samples(model, 8), steps=1, first=0.0, threshold=0.2, batch=8
    )
    assert outcome.kept is not None
    assert outcome.kept[shared].tolist() == [True, True, False, False, True, True, True, True]


def test_without_batch_norms() -> None:
    model = hidden()
    with pytest.raises(MethodError, match="no batch norm scales its units"):
        done(model, "mask-sparsity", samples(model, 4))


def test_scales_move_to_zero_and_no_further() -> None:
    scale = torch.tensor([0.5, -0.5, 0.05, -0.05, 0.0])
    shrink([scale], [torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0])], 0.1)
    torch.testing.assert_close(scale, torch.tensor([0.4, -0.4, 0.0, 0.0, 0.0]))
    shrink([scale], [torch.tensor([0.0, 1.0, 1.0, 1.0, 1.0])], 0.1)
    torch.testing.assert_close(scale, torch.tensor([0.4, -0.3, 0.0, 0.0, 0.0]))


def test_gradients_pass_straight_through_the_choice() -> None:
    score = torch.tensor([[0.3, 0.9, 0.1, 0.5]], requires_grad=True)
    mask = best_of(score, 0.5)
    assert mask.tolist() == [[0, 1, 0, 1]]
    (mask * torch.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert score.grad is not None
    assert score.grad.tolist() == [[1, 2, 3, 4]]


@pytest.mark.parametrize("ratio", [0.0, 0.5, 0.9])
def test_masks_are_as_large_as_asked(ratio: float) -> None:
    model = hidden()
    outcome = done(model, "jackpots", samples(model, 8), ratio=ratio, **SHORT)
    assert outcome.masks is not None and outcome.model is not None
    for name, mask in outcome.masks.items():
        assert mask.sum() == mask.size - round(ratio * mask.size)
        weight = model.module.get_parameter(name).detach()
        after = outcome.model.module.get_parameter(name).detach()
        assert torch.equal(after, weight * torch.from_numpy(mask))


def test_the_first_step_sees_what_magnitude_keeps() -> None:
    model = hidden(useless=False)
    outcome = done(model, "jackpots", samples(model, 8), ratio=0.6, steps=1, batch=8, share=1.0)
    masks = magnitude_masks(prunable_weights(model.module), 0.6)
    copy = masked_copy(model, masks, "magnitude")
    x = noise(model, 8, seed=5)
    with torch.no_grad():
        truth = model.forward(x).argmax(1)
        expected = nn.functional.cross_entropy(copy.forward(x), truth)
    assert outcome.losses is not None
    assert outcome.losses[0] == pytest.approx(float(expected), rel=1e-5)


def test_information_and_scores_of_noise_in_float64() -> None:
    groups = find_groups(hidden()).groups
    noise_of = Noise(groups, 0, torch.device("cpu"))
    mean, log_variance = (tensor.detach().double().numpy() for tensor in noise_of.learned)
    ratio = mean**2 / np.exp(log_variance)
    assert float(noise_of.information().detach()) == pytest.approx(
        0.5 * np.log1p(ratio).sum(), rel=1e-4
    )
    (scores,) = noise_of.scores().values()
    np.testing.assert_allclose(scores, ratio, rtol=1e-6)
    (drawn,) = noise_of.drawn(20_000).values()
    np.testing.assert_allclose(drawn.mean(0).detach().numpy(), mean, atol=1e-3)
    np.testing.assert_allclose(drawn.std(0).detach().numpy(), np.exp(log_variance / 2), rtol=0.05)


def test_the_two_masks_in_float64() -> None:
    groups = find_groups(hidden()).groups
    masks = BiMasks(groups, 0, torch.device("cpu"))
    score, option = masks.learned
    with torch.no_grad():
        option.copy_(torch.arange(8.0) / 3)
    logits = score.detach().double().numpy()
    chance = np.exp(np.arange(8) / 3) / np.exp(np.arange(8) / 3).sum()
    rank = np.argsort(np.argsort(-logits))
    counts = 2 * (np.arange(8) + 1)
    sparsity = np.array([chance[counts > place].sum() for place in rank])
    for share, importance in ((0.0, 0.99), (0.5, 0.545), (1.0, 0.1)):
        expected = importance / (1 + np.exp(-logits)) + (1 - importance) * sparsity
        (found,) = masks.now(share).values()
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-5)
    assert float(masks.kept_share().detach()) == pytest.approx(
        (chance * counts).sum() / 16, rel=1e-5
    )
    assert float(masks.indecision().detach()) == pytest.approx(
        -(chance * np.log(chance)).sum(), rel=1e-5
    )


def test_heads_are_learned_as_other_units() -> None:
    model = load_model("digits-vit", device="cpu")
    x = noise(model, 4)
    for name in ("bottleneck", "prunability"):
        outcome = done(model, name, x, steps=2, batch=2)
        assert outcome.scores is not None
        assert outcome.scores["blocks.0"].shape == (4,)
        assert outcome.told["skipped"] == {}
        assert len(set(outcome.scores["blocks.0"].tolist())) == 4


@pytest.mark.slow
def test_on_digits_a_learned_mask_beats_magnitude_on_pictures_it_never_saw() -> None:
    model = load_model("digits-cnn", device="cpu")
    images = load_sample_set("digits")
    outcome = done(model, "jackpots", images, ratio=0.7, steps=100)
    assert outcome.masks is not None and outcome.model is not None
    pictures = load_pictures(model, images)
    others = np.setdiff1d(np.arange(len(pictures)), outcome.told["learned_from"])
    x = torch.cat([pictures.prepared(int(number)) for number in others])
    weights = prunable_weights(model.module)
    magnitude = masked_copy(model, magnitude_masks(weights, 0.7), "magnitude")
    with torch.no_grad():
        learned, plain = (
            float((one.forward(x).argmax(1).numpy() == pictures.labels[others]).mean())
            for one in (outcome.model, magnitude)
        )
    assert len(others) == 150
    assert learned > 0.8 > 0.4 > plain
