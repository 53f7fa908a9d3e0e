"""What all tests share: repeatable fuzzing, and the bundled model loaded once."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from engine.inputs.images import ImageInput
    from engine.models.loaded import LoadedModel

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

# Not the user's hub, mirror or proxy: taken away before any library reads them.
_OF_A_HUB = ("HF_", "HUGGINGFACE_", "TRANSFORMERS_OFFLINE")
for _name in list(os.environ):
    if _name.upper().startswith(_OF_A_HUB) or _name.upper().endswith("_PROXY"):
        del os.environ[_name]

# torchvision as the registry has it, beside a CPU build of torch: here, and in all that is started.
_shims = str(Path(__file__).parent / "shims")
sys.path.append(_shims)
import_module("torchvision_operators")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_shims, os.environ.get("PYTHONPATH")]))

_caches = Path(tempfile.mkdtemp(prefix="haloscope-tests-"))
_numbers = itertools.count()
os.environ["HALOSCOPE_CACHE"] = str(_caches)
os.environ.pop("HALOSCOPE_CACHE_MB", None)


def pytest_runtest_setup() -> None:
    """Every test, with all that it starts, has an empty store of its own, not the user's."""
    os.environ["HALOSCOPE_CACHE"] = str(_caches / str(next(_numbers)))


def pytest_unconfigure() -> None:
    shutil.rmtree(_caches, ignore_errors=True)


@pytest.fixture(scope="session")
def imagenet_cnn() -> LoadedModel:
    from engine.models.loading import load_model

    return load_model("imagenet-cnn", device="cpu")


@pytest.fixture(scope="session")
def chelsea() -> ImageInput:
    from engine.inputs.samples import load_sample

    return load_sample("chelsea")
