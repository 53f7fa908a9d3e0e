from __future__ import annotations

from importlib import import_module

import pytest

from engine.errors import ModelError
from engine.models.bundled import Bundled, bundled_models, find_bundled
from tests.engine.refusals import expect_refusal


def test_found_by_name() -> None:
    assert find_bundled("imagenet-cnn").card.title == "EfficientNet-Lite0"


@pytest.mark.parametrize("name", ["imagenet-cn", "IMAGENET-CNN", "imgenet cnn"])
def test_unknown_name_tells_the_nearest(name: str) -> None:
    with expect_refusal(ModelError, f"no model {name!r}", "did you mean imagenet-cnn"):
        find_bundled(name)


def test_a_name_like_no_other_tells_what_there_is() -> None:
    with expect_refusal(ModelError, "there are imagenet-cnn"):
        find_bundled("zzz")


@pytest.mark.parametrize("model", bundled_models(), ids=lambda model: model.name)
def test_every_card_is_filled_in(model: Bundled) -> None:
    card = model.card
    assert all([card.title, card.summary, card.licence, card.origin, card.paper])
    assert model.family in {"cnn", "vit", "tabular"}
    home, builder = model.builder.split(":")
    assert callable(getattr(import_module(home), builder))
