"""Packages that only some references need: there, or one line on how to get them."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from engine.errors import ModelError, one_line

_WANTED = {"transformers": "'transformers>=5.23,<6'", "timm": "'timm>=1.0.31,<2'"}
_AHEAD = 15  # torchvision 0.(n + 15) belongs to torch 2.n


def need(package: str, ref: str) -> Any:
    """Import a package that a reference needs.

    Raises:
        ModelError: it is not installed, or does not fit the torch that is; with the command
            that mends it.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        missing = (error.name or package).partition(".")[0]
        raise ModelError(f"{ref} needs {missing}: {_install(missing)}") from None
    except Exception as error:  # a package that cannot be imported breaks in many ways
        if "torchvision::" in str(error) or "libtorch" in str(error):
            raise ModelError(
                f"{ref}: the torchvision that is installed was not built for torch "
                f"{version('torch')}; {_install('torchvision')} --force-reinstall --no-deps "
                f"--index-url https://download.pytorch.org/whl/{_build()}"
            ) from None
        raise ModelError(f"{ref}: {package} cannot be imported ({one_line(error)})") from None


def _install(package: str) -> str:
    paired = f"torchvision=={_torchvision()}"  # any other would bring another torch
    wanted = {"torchvision": paired, "timm": f"{_WANTED['timm']} {paired}"}.get(
        package, _WANTED.get(package, package)
    )
    return f"{sys.executable} -m pip install {wanted}"


def _torchvision() -> str:
    """Return the release of torchvision that belongs to the torch that is installed."""
    try:
        _, minor, _ = version("torch").split(".", maxsplit=2)
    except PackageNotFoundError:
        return "0.28.0"
    return f"0.{int(minor) + _AHEAD}.0"


def _build() -> str:
    import torch

    cuda = torch.version.cuda
    return "cpu" if cuda is None else f"cu{cuda.replace('.', '')}"
