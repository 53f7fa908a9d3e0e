from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from engine.errors import InputError, MethodError, ParameterError
from engine.inputs.samples import load_sample_set
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.pruning.cutting.gating import gated_copy
from engine.pruning.cutting.making import pruned_of
from engine.pruning.cutting.slicing import sliced_copy
from engine.pruning.finding.groups import find_groups
from engine.pruning.repairing import recalibrating
from engine.pruning.repairing.flow import running_norms
from engine.pruning.repairing.repairs import repaired, usual_repair
from engine.pruning.scoring.scopes import choose
from engine.pruning.scoring.score import score_units
from tests.engine import reference_pruning, zoo
from tests.engine.counting import counted, hooks_on
from tests.engine.pruning.subjects import SUBJECTS, subject


def cut(model: LoadedModel, ratio: float = 0.5):
    groups = find_groups(model)
    kept = choose(score_units(model, groups, criteria=["random"])["random"], groups, ratio)
    return groups, kept, gated_copy(model, kept)


def norms_given(model: LoadedModel, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """What each batch norm is given as the network is used, float64, channels last."""
    module, found, handles = deepcopy(model.module).double().eval(), {}, []
    for name, part in running_norms(module).items():

        def note(_part, args, name=name) -> None:
            found[name] = args[0].movedim(1, -1).flatten(0, -2)

        handles.append(part.register_forward_pre_hook(note))
    with torch.no_grad():
        module(x.double())
    return found


@pytest.mark.parametrize("most", [2**27, 0])
def test_batch_norms_hold_what_was_derived_again(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one pass of all, and layer by layer where they are too many."""
    monkeypatch.setattr(recalibrating, "MOST_AT_ONCE", most)
    model = subject("cnn")
    groups, kept, gated = cut(model)
    x = zoo.noise(model, 7)
    found = repaired(model, gated, kept, groups, x, "bn")
    exact = reference_pruning.recalibrated(gated.module, x.double().numpy())
    state = found.module.state_dict()
    for name, (mean, variance) in exact.items():
        np.testing.assert_allclose(state[f"{name}.running_mean"], mean, atol=2e-6)
        np.testing.assert_allclose(state[f"{name}.running_var"], variance, rtol=2e-5)


@pytest.mark.parametrize("name", ["cnn", "inplace", "residual"])
@pytest.mark.parametrize("most", [2**27, 0])
def test_in_use_every_batch_norm_is_given_just_its_statistics(
    name: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalibrating, "MOST_AT_ONCE", most)
    model = subject(name)
    groups, kept, gated = cut(model)
    x = zoo.noise(model, 7)
    found = repaired(model, gated, kept, groups, x, "both")
    given, parts = norms_given(found, x), running_norms(found.module)
    assert given
    for norm, rows in given.items():
        mean, spread = rows.mean(dim=0), rows.var(dim=0, correction=0)
        np.testing.assert_allclose(parts[norm].running_mean, mean, atol=1e-5)
        np.testing.assert_allclose(parts[norm].running_var, spread, rtol=1e-4)
    assert pruned_of(found).made["recalibrated"] == list(given)


def test_a_compensated_layer_says_on_average_what_it_said() -> None:
    """Behind a layer that is whole the means of what stays are as they were: exactly so."""
    model = subject("cnn")
    groups, x = find_groups(model), zoo.noise(model, 6)
    kept = {**groups.everything(), "conv2": np.array([True, False, True, False, False, True])}
    gated = gated_copy(model, kept)
    found = repaired(model, gated, kept, groups, x, "bias")
    exact = [reference_pruning.passed(model.module, one)[0] for one in x.double().numpy()]
    with torch.no_grad():
        raw, mended = (one.forward(x).mean(dim=0).numpy() for one in (gated, found))
    np.testing.assert_allclose(mended, np.mean(exact, axis=0), atol=1e-5)
    assert np.abs(raw - np.mean(exact, axis=0)).max() > 0.01
    assert pruned_of(found).made["biases"] == ["linear"]


def test_bias_is_what_went_times_its_weights_in_float64() -> None:
    model = subject("cnn")
    groups, kept, gated = cut(model)
    x = zoo.noise(model, 6)
    found = repaired(model, gated, kept, groups, x, "bias")
    given = [reference_pruning.passed(model.module, one)[1]["conv1"] for one in x.double().numpy()]
    mean = np.concatenate(given, axis=1).mean(axis=1)
    gone = ~kept["conv1"]
    kernels = model.module.conv2.weight.detach().double().numpy().sum(axis=(2, 3))
    exact = model.module.conv2.bias.detach().numpy() + kernels[:, gone] @ mean[gone]
    np.testing.assert_allclose(found.module.conv2.bias.detach(), exact, rtol=1e-5)


class Biasless(zoo.TinyCnn):
    """The same network, its convolution's bias standing in the batch norm behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv2 = nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False)


def test_without_a_bias_the_batch_norm_behind_takes_it() -> None:
    model = subject("cnn")
    twin = zoo.seeded(Biasless)
    state = model.module.state_dict()
    state["bn2.running_mean"] = state["bn2.running_mean"] - state.pop("conv2.bias")
    twin.load_state_dict(state)
    other = load_model(twin, input_spec=zoo.PICTURE, device="cpu")
    x, said = zoo.noise(model, 6), []
    for one in (model, other):
        groups, kept, gated = cut(one)
        found = repaired(one, gated, kept, groups, x, "bias")
        with torch.no_grad():
            said.append(found.forward(x).numpy())
    np.testing.assert_allclose(said[0], said[1], atol=1e-5)
    told = pruned_of(found).made
    assert (told["biases"], told["means"], told["without"]) == (["linear"], ["bn2"], [])


class Bare(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3)
        self.second = nn.Conv2d(6, 5, 3, bias=False)
        self.head = nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.second(self.first(x).relu()).relu()
        return self.head(x.mean(dim=(2, 3)))


def test_what_has_neither_bias_nor_batch_norm_is_told() -> None:
    model = load_model(zoo.seeded(Bare), input_spec=zoo.PICTURE, device="cpu")
    groups, kept, gated = cut(model)
    told = pruned_of(repaired(model, gated, kept, groups, zoo.noise(model, 4), "both")).made
    assert told["biases"] == ["head"] and told["without"] == ["second"]
    assert told["recalibrated"] == []


def test_both_goes_in_order() -> None:
    """What a batch norm follows is left to it; what comes after the last is compensated last."""
    model = subject("cnn")
    groups, kept, gated = cut(model)
    x = zoo.noise(model, 6)
    found = repaired(model, gated, kept, groups, x, "both")
    bn = repaired(model, gated, kept, groups, x, "bn").module.state_dict()
    bias = repaired(model, gated, kept, groups, x, "bias").module.state_dict()
    state = found.module.state_dict()
    assert torch.equal(state["conv2.bias"], gated.module.conv2.bias)
    assert torch.equal(state["linear.bias"], bias["linear.bias"])
    assert torch.equal(state["bn2.running_mean"], bn["bn2.running_mean"])
    assert not torch.equal(state["linear.bias"], gated.module.linear.bias)


@pytest.mark.parametrize("name", SUBJECTS)
@pytest.mark.parametrize("repair", ["bn", "bias", "both"])
def test_repaired_and_then_cut_answers_alike(name: str, repair: str) -> None:
    model = subject(name)
    groups, kept, gated = cut(model)
    x = zoo.noise(model, 5)
    before = [one.digest for one in (model, gated)]
    found = repaired(model, gated, kept, groups, x, repair)
    small = sliced_copy(found, kept, round_to=1)
    with torch.no_grad():
        large, little = (one.forward(x) for one in (found, small))
    np.testing.assert_allclose(little, large, atol=1e-5 * float(large.abs().max()))
    assert small.parameter_count < model.parameter_count
    assert [one.digest for one in (model, gated)] == before
    assert hooks_on(found.module) == hooks_on(model.module) == 0
    assert pruned_of(small).made["repair"] == repair


def test_statistics_at_hand_save_the_pass() -> None:
    model = subject("cnn")
    groups, kept, gated = cut(model)
    x, told = zoo.noise(model, 5), []
    scores = score_units(model, groups, x, criteria=["wifv"])
    with counted(model.module) as count:
        quick = repaired(model, gated, kept, groups, x, "bias", statistics=scores.statistics)
    assert count.forward == 1  # of a blank, which shows the way through the network
    with counted(model.module) as count:
        slow = repaired(
            model, gated, kept, groups, x, "both", progress=lambda *now: told.append(now)
        )
    assert count.forward == 6 and told[-1] == (10, 10)
    assert torch.allclose(quick.module.linear.bias, slow.module.linear.bias)


def test_what_cannot_be_repaired_is_told() -> None:
    model = subject("cnn")
    groups, kept, gated = cut(model)
    x = zoo.noise(model, 2)
    assert repaired(model, gated, kept, groups, None, "none") is gated
    with pytest.raises(ParameterError, match="did you mean"):
        repaired(model, gated, kept, groups, x, "bns")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no pictures to calibrate on"):
        repaired(model, gated, kept, groups, None, "bn")
    with pytest.raises(MethodError, match="repair the gated copy, then cut it"):
        repaired(model, sliced_copy(model, kept, round_to=1), kept, groups, x, "bn")


@pytest.mark.parametrize(
    ("ref", "few", "enough"), [("scenes-resnet", 1, 2), ("imagenet-cnn", 199, 200)]
)
def test_where_few_pictures_calibrate_batch_norms_stay(ref: str, few: int, enough: int) -> None:
    model = load_model(ref)
    assert (usual_repair(model, few), usual_repair(model, enough)) == ("bias", "both")


def test_without_batch_norms_one_picture_is_enough() -> None:
    assert usual_repair(load_model("digits-cnn"), 1) == "both"


def test_the_usual_repair_of_few_pictures_leaves_an_uncut_network_as_it_is() -> None:
    """What recalibrated batch norms do not: they know six photographs and no other class."""
    model, photographs = load_model("imagenet-cnn"), load_sample_set("photographs")
    groups = find_groups(model)
    kept = groups.everything()
    gated = gated_copy(model, kept)
    x = torch.cat([model.prepare(one) for one in photographs])
    same = repaired(model, gated, kept, groups, x, usual_repair(model, len(x)))
    other = repaired(model, gated, kept, groups, x, "both")
    with torch.no_grad():
        before, after, harmed = (one.module(x) for one in (model, same, other))
    torch.testing.assert_close(after, before)
    assert (harmed.argmax(1) != before.argmax(1)).any()
