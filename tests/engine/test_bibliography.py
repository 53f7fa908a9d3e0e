from __future__ import annotations

import pytest

from engine.attribution.registry import methods
from engine.bibliography import paper
from engine.errors import ResultError
from engine.models.bundled import bundled_models


def test_every_method_and_model_cites_a_paper_that_is_there() -> None:
    for key in [m.paper for m in methods().values()] + [m.card.paper for m in bundled_models()]:
        assert str(paper(key).year) in paper(key).cite()


def test_unknown_key() -> None:
    with pytest.raises(ResultError, match="did you mean selvaraju2017grad"):
        paper("selvaraju2017")
