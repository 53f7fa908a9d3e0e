"""Every component draws its example."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

import components
from components.views import View

MODULES = [
    module.name
    for module in pkgutil.iter_modules(components.__path__, "components.")
    if hasattr(import_module(module.name), "example")
]


def test_there_are_examples() -> None:
    assert {"components.heatmap", "components.pictures", "components.predictions"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_example_is_drawn(name: str) -> None:
    drawn = import_module(name).example()
    if isinstance(drawn, go.Figure):
        assert len(drawn.to_json()) > 200
        assert drawn.data
    elif isinstance(drawn, Image.Image):
        assert np.asarray(drawn.convert("RGB")).std() > 0
    else:
        assert isinstance(drawn, View)
        assert drawn.values.std() > 0
