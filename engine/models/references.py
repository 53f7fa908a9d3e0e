"""References to models: ``imagenet-cnn``, ``file:weights.safetensors?arch=module:builder``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from torch import nn

from engine.errors import ModelError, one_line
from engine.models.bundled import find_bundled
from engine.models.weights import check_there

_KNOWN_OPTIONS = {"arch", "columns", "label"}
ESTIMATORS = ".skops"
_PICKLES = (".pkl", ".pickle", ".joblib")
_EXAMPLE = "file:weights.safetensors?arch=module:builder"


@dataclass(frozen=True)
class FileReference:
    """Weights in a file, and where their architecture comes from.

    Attributes:
        path: the weights file.
        arch: the name of a bundled model, or ``module:builder``; "" for an estimator.
        columns: a table like the one the model was trained on, or a JSON file that tells its
            columns; None where it takes no tables.
        label: the column of that table which is the truth and no input.
    """

    path: Path
    arch: str
    columns: Path | None = None
    label: str | None = None

    @property
    def is_estimator(self) -> bool:
        """Whether the file holds an estimator, not the weights of a network."""
        return self.path.suffix.lower() == ESTIMATORS


def parse_file_reference(ref: str) -> FileReference:
    """Take a ``file:`` reference apart.

    Raises:
        ModelError: no path, no ``arch``, or an unknown option.

    >>> parse_file_reference("file:w.safetensors?arch=mine:build").arch
    'mine:build'
    """
    path, _, query = ref.removeprefix("file:").partition("?")
    options = dict(parse_qsl(query))
    unknown = sorted(set(options) - _KNOWN_OPTIONS)
    if Path(path).suffix.lower() in _PICKLES:
        raise ModelError(
            f"{path}: a pickle runs code when it is read; save the estimator with skops.io.dump "
            "and name the .skops file"
        )
    needs_arch = Path(path).suffix.lower() != ESTIMATORS
    if not path or unknown or ("arch" not in options and needs_arch):
        wrong = (
            "it names no file" if not path
            else f"unknown option {unknown[0]!r}" if unknown
            else "it does not say which architecture the weights are for"
        )  # fmt: skip
        raise ModelError(f"{ref!r}: {wrong}; write {_EXAMPLE}")
    columns = Path(options["columns"]).expanduser() if "columns" in options else None
    return FileReference(
        Path(path).expanduser(), options.get("arch", ""), columns, options.get("label")
    )


def check_reference(ref: str) -> None:
    """Refuse a reference that cannot work, without building or reading anything.

    Raises:
        ModelError: unknown name or kind, or no such file.
    """
    if ref.startswith("file:"):
        check_there(parse_file_reference(ref).path)
    elif ":" in ref:
        kind = ref.split(":", maxsplit=1)[0]
        raise ModelError(f"{ref!r}: references of kind {kind!r} are unknown; use file: or a name")
    else:
        find_bundled(ref)


def build_named(arch: str) -> nn.Module:
    """Call ``module:builder`` and return the network that it builds.

    Raises:
        ModelError: no such module or builder, it fails, or it returns no ``nn.Module``.
    """
    module_name, _, builder_name = arch.partition(":")
    if not re.fullmatch(r"[A-Za-z_][\w.]*", module_name) or not builder_name:
        raise ModelError(f"arch={arch!r} is neither a bundled model nor of the form module:builder")
    builder = _builder(module_name, builder_name)
    try:
        built = builder()
    except (
        Exception,
        SystemExit,
    ) as error:  # the user's own code: whatever it raises is told in one line
        raise ModelError(f"{arch} failed: {type(error).__name__}: {one_line(error)}") from error
    if not isinstance(built, nn.Module):
        raise ModelError(f"{arch} returned {type(built).__name__}, expected an nn.Module")
    return built


def _builder(module_name: str, builder_name: str) -> Any:
    try:
        found = getattr(import_module(module_name), builder_name, None)
    except ModuleNotFoundError as error:
        if error.name and module_name.startswith(error.name):
            raise ModelError(f"no module {module_name!r} on the Python path") from None
        raise ModelError(f"{module_name} needs {error.name!r}, which is not installed") from None
    except (Exception, SystemExit) as error:  # the user's own code
        told = f"{type(error).__name__}: {one_line(error)}"
        raise ModelError(f"importing {module_name} failed: {told}") from error
    if not callable(found):
        raise ModelError(f"{module_name} has no builder {builder_name!r}")
    return found
