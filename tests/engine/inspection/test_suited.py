"""Each model gets a sample that it can be tried on."""

from __future__ import annotations

import pytest

from engine.inputs.images import ImageInput
from engine.inputs.tables import Row
from engine.inspection.self_test import self_test
from engine.inspection.suited import suited_sample, suited_sets
from engine.models.bundled import bundled_models
from engine.models.loading import load_model
from tests.engine import zoo


@pytest.mark.parametrize("name", [model.name for model in bundled_models()])
def test_every_bundled_model_passes_on_its_sample(name: str) -> None:
    model = load_model(name)
    sample = suited_sample(model)
    assert isinstance(sample, Row if model.family == "tabular" else ImageInput)
    assert self_test(model, sample).warnings == ()


def test_pictures_that_suit_come_first() -> None:
    assert suited_sets(load_model("digits-cnn?layer=relu2"))[0] == "digits"
    assert suited_sets(load_model("scenes-shortcut"))[0] == "scenes-tagged"
    colour = load_model(zoo.build("tiny-cnn"), input_spec=zoo.PICTURE)
    assert suited_sets(colour)[0] == "photographs"
    assert len(set(suited_sets(colour))) == len(suited_sets(colour)) == 5


def test_a_row_differs_from_the_average_in_every_column() -> None:
    sample = suited_sample(load_model(zoo.build("table"), input_spec=zoo.TABLE))
    assert isinstance(sample, Row)
    assert sample.values == {"age": 50.0, "kind": "b", "income": 5.0}


def test_a_network_that_takes_tensors_gets_noise() -> None:
    model = load_model(zoo.build("mlp"), input_spec=zoo.FIVE)
    assert suited_sample(model) is None
    assert suited_sets(model) == []
