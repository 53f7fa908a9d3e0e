from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.errors import ModelError
from engine.models.loading import load_model
from engine.models.losses import losses_of
from engine.models.table_specs import Column, TableSpec
from engine.tables.outcomes import outcome_names, outcomes_of, predict_table
from tests.engine.tables import nets


def test_losses_are_scikit_learns() -> None:
    from sklearn.metrics import log_loss, mean_squared_error

    logits = torch.randn((40, 3), generator=torch.Generator().manual_seed(0))
    truth = np.arange(40) % 3
    chances = logits.double().softmax(dim=1).numpy()
    assert losses_of(logits, truth, "softmax").mean() == pytest.approx(log_loss(truth, chances))
    lone, two = logits[:, :1], truth % 2
    chance = lone[:, 0].double().sigmoid().numpy()
    assert losses_of(lone, two, "sigmoid").mean() == pytest.approx(log_loss(two, chance))
    wanted = mean_squared_error(truth, lone[:, 0].double().numpy())
    assert losses_of(lone, truth.astype(float), "identity").mean() == pytest.approx(wanted)


def test_losses_of_a_sure_model_stay_finite() -> None:
    lone = torch.tensor([[800.0], [-800.0]])
    assert losses_of(lone, np.array([1, 1]), "sigmoid").tolist() == [0.0, 800.0]


def test_outcomes() -> None:
    assert outcomes_of(torch.tensor([[0.1], [-0.1], [0.0]]), "sigmoid").tolist() == [1, 0, 0]
    assert outcomes_of(torch.tensor([[1.0, 3, 2]]), "softmax").tolist() == [1]
    assert outcomes_of(torch.zeros(2, 1), "identity").tolist() == [-1, -1]
    assert outcome_names(nets.mixed_net()) == ("no", "yes")
    assert outcome_names(nets.mixed_net(3)) == ("no", "yes", "never")


def test_a_lone_logit_of_an_unknown_label_is_named_by_its_class() -> None:
    spec = TableSpec((Column("x0"),), label="y", labels=("0", "1"))
    module = nn.Linear(1, 1)
    model = load_model(module, input_spec=spec, classes=["ill"], device="cpu")
    assert outcome_names(model) == ("not ill", "ill")


def test_a_table_is_predicted_once_in_chunks() -> None:
    model, table = nets.mixed_net(), nets.mixed_table(70)
    found = predict_table(model, table)
    assert np.allclose(found.logits, nets.predict(model, table), atol=1e-6)
    assert np.allclose(found.scores, nets.sigmoid(found.logits[:, 0]), atol=1e-6)
    assert found.passes == 70
    assert found.names == ("no", "yes")


def test_values_that_are_not_finite_are_told() -> None:
    model = nets.linear([1.0])
    with torch.no_grad():
        model.module.bias.fill_(float("nan"))
    with pytest.raises(ModelError, match="not finite"):
        predict_table(model, nets.normal_table(5, 1))
