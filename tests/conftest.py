"""What all tests share: repeatable fuzzing, and the bundled model loaded once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from engine.inputs.images import ImageInput
    from engine.models.loaded import LoadedModel

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def imagenet_cnn() -> LoadedModel:
    from engine.models.loading import load_model

    return load_model("imagenet-cnn", device="cpu")


@pytest.fixture(scope="session")
def chelsea() -> ImageInput:
    from engine.inputs.samples import load_sample

    return load_sample("chelsea")
