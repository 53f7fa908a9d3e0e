from __future__ import annotations

import pytest

from engine.errors import InputError
from engine.inputs import samples as home
from engine.inputs.sample_tables import sample_tables
from engine.inputs.samples import load_sample, sample_sets, samples
from engine.models.bundled import bundled_models
from tests.engine.refusals import expect_refusal


@pytest.mark.parametrize("name", [sample.name for sample in samples()])
def test_every_sample_loads(name: str) -> None:
    image = load_sample(name, fit="letterbox")
    assert min(image.size) >= 200
    assert image.fit == "letterbox"
    assert image.pixels.std() > 10


def test_samples_are_called_by_their_title() -> None:
    assert load_sample("chelsea").name == "Chelsea the cat"


def test_unknown_sample_tells_the_nearest() -> None:
    with expect_refusal(InputError, "no sample 'chelsae'", "did you mean chelsea"):
        load_sample("chelsae")


def test_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "find_spec", lambda _name: None)
    with expect_refusal(InputError, "'coffee' comes with skimage, which is not installed"):
        load_sample("coffee")


def test_models_name_sets_that_exist() -> None:
    pictures = {found.name for found in sample_sets()}
    tables = {found.name for found in sample_tables()}
    for model in bundled_models():
        assert model.sets
        assert set(model.sets) <= (tables if model.family == "tabular" else pictures)
