"""Libraries that are not there, or do not fit: one line with what mends it."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.errors import ModelError
from engine.models.libraries import extras
from engine.models.loading import load_model
from tests.engine.refusals import expect_refusal

Break = Callable[[str, BaseException], None]


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Lets the import of a package, and of all below it, fail."""

    def one(package: str, error: BaseException) -> None:
        real = extras.import_module

        def failing(name: str) -> Any:
            if name.partition(".")[0] == package:
                raise error
            return real(name)

        monkeypatch.setattr(extras, "import_module", failing)

    return one


@pytest.mark.parametrize(
    ("ref", "package", "command"),
    [
        ("hf:folder", "transformers", "'transformers>=5.23,<6'"),
        ("timm:resnet18", "timm", "'timm>=1.0.31,<2'"),
        ("torchvision:resnet18", "torchvision", "torchvision==0."),
    ],
)
def test_a_missing_package_is_told_with_the_command(
    ref: str, package: str, command: str, breaking: Break
) -> None:
    breaking(package, ModuleNotFoundError(f"No module named {package!r}", name=package))
    with expect_refusal(ModelError, f"{ref} needs {package}", f"-m pip install {command}"):
        load_model(ref)


def test_the_package_that_a_package_needs_is_the_one_told(breaking: Break) -> None:
    breaking("timm", ModuleNotFoundError("No module named 'torchvision'", name="torchvision.ops"))
    with expect_refusal(ModelError, "timm:resnet18 needs torchvision", "torchvision==0."):
        load_model("timm:resnet18")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("operator torchvision::nms does not exist\nand more"),
        OSError("libtorch_cuda.so: cannot open shared object file"),
    ],
)
def test_a_torchvision_for_another_torch_is_told_with_the_command(
    error: Exception, breaking: Break
) -> None:
    breaking("torchvision", error)
    build = "cpu" if torch.version.cuda is None else "cu"
    with expect_refusal(
        ModelError, f"not built for torch {torch.__version__}", "--force-reinstall", f"whl/{build}"
    ):
        load_model("torchvision:resnet18")


def test_a_package_that_breaks_otherwise_is_told_in_one_line(breaking: Break) -> None:
    breaking("timm", AttributeError("module has no attribute 'x'\nsecond line"))
    with expect_refusal(ModelError, "timm cannot be imported (module has no attribute 'x')"):
        load_model("timm:resnet18")


def test_the_release_of_torchvision_is_the_one_for_this_torch() -> None:
    from importlib.metadata import version

    release = version("torchvision").partition("+")[0]  # "0.28.0+cpu" of a build for the CPU
    assert f"torchvision=={release}" in extras._install("torchvision")


def test_weights_in_a_file_say_the_same_of_a_missing_library(
    tmp_path: Path, breaking: Break
) -> None:
    torch.save({"w": torch.zeros(1)}, tmp_path / "w.pth")
    breaking("timm", ModuleNotFoundError("No module named 'timm'", name="timm"))
    with expect_refusal(ModelError, "timm:resnet18 needs timm"):
        load_model(f"file:{tmp_path / 'w.pth'}?arch=timm:resnet18")


def test_models_of_our_own_need_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        assert name.partition(".")[0] not in ("transformers", "timm", "torchvision"), name
        return real(name, *args, **kwargs)

    for name in [name for name in sys.modules if name.startswith("engine.models.libraries.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    assert load_model("digits-cnn", device="cpu").family == "cnn"
