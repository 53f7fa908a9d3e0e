from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from torch import nn

from engine.errors import Cancelled, InputError, ModelError, ParameterError
from engine.pruning.cutting.gating import gated_copy
from engine.pruning.cutting.making import pruned_of
from engine.pruning.cutting.slicing import sliced_copy
from engine.pruning.finding.groups import find_groups
from engine.pruning.methods.weights import mask_weights, masked_copy
from engine.pruning.repairing import tuning
from engine.pruning.repairing.tuning import Recipe, fine_tuned
from engine.pruning.scoring.scopes import choose
from engine.pruning.scoring.score import score_units
from engine.pruning.scoring.tensors import numbers_of
from tests.engine import zoo
from tests.engine.counting import counted
from tests.engine.pruning.subjects import batch_of, labelled, subject


def pruned(name: str = "cnn"):
    model = subject(name)
    groups = find_groups(model)
    kept = choose(score_units(model, groups, criteria=["random"])["random"], groups, 0.5)
    return model, groups, kept, gated_copy(model, kept)


def test_one_step_of_sgd_is_the_gradient_of_the_mean_loss() -> None:
    """Weights that are gated stay at zero; all others go down the slope."""
    _, groups, kept, gated = pruned()
    pictures = labelled(gated, 6)
    pictures.labels[:] = [0, 1, 2, 0, 1, 2]
    twin = zoo.seeded(zoo.TinyCnn).double()
    twin.load_state_dict(gated.module.state_dict())
    twin.eval().requires_grad_(True)
    nn.functional.cross_entropy(
        twin(batch_of(pictures).double()), torch.tensor([0, 1, 2, 0, 1, 2])
    ).backward()
    recipe = Recipe(epochs=1, learning_rate=0.1, optimiser="sgd", batch=6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tuning, "load_pictures", lambda *_: pictures)
        found = fine_tuned(gated, pictures, recipe)
    state = found.model.module.state_dict()
    for name, weight in twin.named_parameters():
        exact = (weight - 0.1 * weight.grad).detach()
        for group in groups.groups:
            for span in group.consumers:
                if name == f"{span.layer}.{span.tensor}":
                    gone = torch.from_numpy(span.index[~kept[group.name]].ravel())
                    exact.index_fill_(span.dim, gone, 0)
        np.testing.assert_allclose(state[name], exact, atol=1e-6, err_msg=name)
    for name, before in gated.module.state_dict().items():
        if "running" in name:
            assert torch.equal(state[name], before)
    with torch.no_grad():
        log_p = gated.forward(batch_of(pictures)).double().log_softmax(dim=1)
    exact_loss = -log_p[range(6), [0, 1, 2, 0, 1, 2]].mean()
    assert found.losses[0] == pytest.approx(float(exact_loss), rel=1e-5)


@pytest.mark.parametrize("name", ["cnn", "encoder", "vit"])
@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_learning_from_the_whole_network_comes_nearer_to_it(name: str, optimiser: str) -> None:
    model, groups, kept, gated = pruned(name)
    x, told = zoo.noise(model, 12), []
    digests = [one.digest for one in (model, gated)]
    recipe = Recipe(epochs=6, learning_rate=3e-3, optimiser=optimiser, batch=4)
    with counted(model.module) as count:
        found = fine_tuned(gated, x, recipe, teacher=model, progress=lambda *now: told.append(now))
    assert count.forward == 12  # what it says is asked once
    assert found.losses[-1] < found.losses[0]
    assert told[-1] == (12 + 2 * 6 * 12,) * 2
    assert [one.digest for one in (model, gated)] == digests
    for group in groups.groups:
        for span in group.consumers:
            gone = numbers_of(found.model.module, span)[torch.from_numpy(~kept[group.name])]
            assert (gone == 0).all()
    assert pruned_of(found.model).made["tuned"]["taught_by"] == model.card.title
    assert not any(weight.requires_grad for weight in found.model.module.parameters())
    small = sliced_copy(found.model, kept, round_to=1)
    with torch.no_grad():
        assert torch.allclose(small.forward(x), found.model.forward(x), atol=1e-4)


def test_a_cut_network_and_masked_weights_are_trained_too() -> None:
    model, _, kept, _ = pruned()
    small, x = sliced_copy(model, kept, round_to=1), zoo.noise(model, 8)
    found = fine_tuned(small, x, Recipe(epochs=3), teacher=model)
    assert found.losses[-1] < found.losses[0]
    assert found.model.parameter_count == small.parameter_count
    masks = mask_weights(model, 0.6)
    trained = fine_tuned(masked_copy(model, masks), x, teacher=model, masks=masks).model
    for name, mask in masks.kept.items():
        assert (trained.module.state_dict()[name].numpy()[~mask] == 0).all()


def test_the_same_seed_the_same_numbers() -> None:
    model, _, _, gated = pruned()
    x = zoo.noise(model, 10)
    first, again, other = (
        fine_tuned(gated, x, Recipe(seed=seed, batch=3), teacher=model).model.module.state_dict()
        for seed in (0, 0, 1)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])


def test_batch_norms_move_only_where_asked() -> None:
    model, _, _, gated = pruned()
    x = zoo.noise(model, 8)
    moved = fine_tuned(gated, x, Recipe(norms="moving"), teacher=model).model
    assert not torch.equal(moved.module.bn1.running_mean, gated.module.bn1.running_mean)
    assert not any(part.training for part in moved.module.modules())


def test_cancelled_training_leaves_everything_as_it_was() -> None:
    model, _, _, gated = pruned()
    cancel, digest = threading.Event(), gated.digest
    steps = []

    def progress(done: int, _total: int) -> None:
        steps.append(done)
        if done > 20:
            cancel.set()

    with pytest.raises(Cancelled):
        fine_tuned(
            gated,
            zoo.noise(model, 8),
            Recipe(epochs=50, batch=4),
            teacher=model,
            progress=progress,
            cancel=cancel,
        )
    assert steps[-1] < 50 and gated.digest == digest


def test_what_cannot_be_trained_is_told() -> None:
    model, _, kept, gated = pruned()
    x = zoo.noise(model, 4)
    with pytest.raises(InputError, match="no picture has a label; give a teacher"):
        fine_tuned(gated, x)
    broken = gated_copy(model, kept)
    broken.module.linear.weight[0, 0] = float("inf")
    with pytest.raises(ModelError, match="lower the learning rate"):
        fine_tuned(broken, x, teacher=model)
    written_over, _, _, other = pruned("residual")
    with pytest.raises(ModelError, match=r"Residual.* cannot be trained: .*inplace"):
        fine_tuned(other, x, teacher=written_over)
    with pytest.raises(ParameterError, match="no optimiser 'adam'; did you mean adamw"):
        Recipe(optimiser="adam")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="epochs and batch"):
        Recipe(epochs=0)
    with pytest.raises(ParameterError, match="learning_rate=0"):
        Recipe(learning_rate=0)
