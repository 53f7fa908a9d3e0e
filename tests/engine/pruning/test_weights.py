from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.errors import InputError, ParameterError
from engine.pruning.methods.weights import mask_weights, masked_copy
from tests.engine import reference_pruning, zoo
from tests.engine.counting import counted, hooks_on
from tests.engine.pruning.subjects import subject


def lowest_gone(scores: np.ndarray, count: int) -> np.ndarray:
    stays = np.ones(scores.size, dtype=bool)
    for place in sorted(range(scores.size), key=lambda place: (scores.flat[place], place))[:count]:
        stays[place] = False
    return stays.reshape(scores.shape)


def test_wanda_derived_again() -> None:
    model = subject("cnn")
    x = zoo.noise(model, 5)
    with counted(model.module) as count:
        found = mask_weights(model, 0.4, "wanda", images=x)
    assert count.forward == 5 and hooks_on(model.module) == 0
    given = [reference_pruning.passed(model.module, one)[1] for one in x.double().numpy()]
    pictures = x.double().numpy()
    norms = {
        "conv1": np.sqrt(np.square(pictures).sum(axis=(0, 2, 3))),
        "conv2": np.sqrt(sum(np.square(one["conv1"]).sum(axis=1) for one in given)),
        "linear": np.sqrt(sum(np.square(one["conv2"]).sum(axis=1) for one in given)),
    }
    assert set(found.kept) == {f"{name}.weight" for name in norms} and not found.left
    for name, norm in norms.items():
        weight = np.abs(model.module.state_dict()[f"{name}.weight"].double().numpy())
        scores = weight * norm.reshape(1, -1, *[1] * (weight.ndim - 2))
        for row, stays in zip(scores, found.kept[f"{name}.weight"], strict=True):
            gone = int(np.ceil(0.4 * row.size - 0.5))
            assert (stays == lowest_gone(row, gone)).all()


@pytest.mark.parametrize("scope", ["row", "uniform", "global"])
def test_magnitude_derived_again(scope: str) -> None:
    model = subject("residual")  # a depthwise convolution among them
    found = mask_weights(model, 0.5, scope=scope)
    state = model.module.state_dict()
    sizes = {name: np.abs(state[name].numpy()) for name in found.kept}
    assert "deep.weight" in sizes and "norm.weight" not in sizes
    flat = np.concatenate([values.ravel() for values in sizes.values()])
    if scope == "global":
        together = np.concatenate([mask.ravel() for mask in found.kept.values()])
        assert (together == lowest_gone(flat, flat.size // 2)).all()
    for name, values in sizes.items():
        rows = values.reshape(len(values), -1) if scope == "row" else values.reshape(1, -1)
        if scope != "global":
            exact = [lowest_gone(row, int(np.ceil(row.size / 2 - 0.5))) for row in rows]
            assert (found.kept[name].reshape(rows.shape) == np.stack(exact)).all()
    assert found.share == pytest.approx(0.5, abs=0.06)


def test_wanda_reads_each_group_of_a_grouped_convolution() -> None:
    model = subject("residual")
    found = mask_weights(model, 0.5, "wanda", images=zoo.noise(model, 4))
    assert found.kept["deep.weight"].shape == (8, 1, 3, 3)
    # one input for each filter: the norm changes no order within a row
    by_size = mask_weights(model, 0.5, scope="row")
    assert (found.kept["deep.weight"] == by_size.kept["deep.weight"]).all()


def test_a_masked_copy_has_zeros_and_its_own_digest() -> None:
    model = subject("cnn")
    digest, masks = model.digest, mask_weights(model, 0.7)
    copy = masked_copy(model, masks)
    state = copy.module.state_dict()
    for name, mask in masks.kept.items():
        assert (state[name].numpy()[~mask] == 0).all() and (state[name].numpy()[mask] != 0).all()
    assert model.digest == digest != copy.digest
    assert "70 % of weights at zero" in copy.card.title
    with torch.no_grad():
        assert copy.forward(zoo.noise(model, 2)).shape == (2, 3)


def test_what_is_not_called_as_a_layer_stays_whole_under_wanda() -> None:
    model = subject("encoder")
    found = mask_weights(model, 0.5, "wanda", images=zoo.noise(model, 2))
    assert any("out_proj" in name for name in found.left)
    assert not any("out_proj" in name for name in found.kept)


def test_what_cannot_be_masked_is_told() -> None:
    model = subject("cnn")
    with pytest.raises(InputError, match="wanda needs some"):
        mask_weights(model, 0.5, "wanda")
    with pytest.raises(ParameterError, match="between 0 and 1"):
        mask_weights(model, 2)
    with pytest.raises(ParameterError, match="did you mean magnitude"):
        mask_weights(model, 0.5, "magnitud")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="no scope"):
        mask_weights(model, 0.5, scope="rows of it")  # type: ignore[arg-type]
