"""Where a network comes from: a reference, a file, or the caller's hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import nn

from engine.errors import InputError, ModelError, WeightsError, nearest, one_line
from engine.inputs.tables import Table, load_table
from engine.models.bundled import Bundled, bundled_models, find_bundled
from engine.models.cards import Card
from engine.models.digest import digest_model
from engine.models.estimators import as_network, is_estimator
from engine.models.learning_columns import learn_columns
from engine.models.reading_estimators import read_skops
from engine.models.references import (
    FileReference,
    build_named,
    check_reference,
    parse_file_reference,
)
from engine.models.specs import InputSpec
from engine.models.table_specs import TableSpec
from engine.models.weights import check_there, put_weights, read_weights


@dataclass(frozen=True)
class Source:
    """A network with what its origin says of it; None where the source says nothing."""

    ref: str
    module: nn.Module
    card: Card
    spec: InputSpec | None = None
    classes: tuple[str, ...] | None = None
    in_hand: bool = False


def find_source(ref: Any, spec: InputSpec | Table | None) -> Source:
    """Return the network behind a reference, or around what the caller has in hand.

    Args:
        ref, spec: as in ``load_model``; spec or table matter to estimators only.

    Raises:
        ModelError: unknown reference, weights that do not fit, an estimator that cannot be used.
    """
    if isinstance(ref, nn.Module):
        return _in_hand(ref)
    if not is_estimator(ref):
        return _by_reference(ref, spec)
    module, columns, classes = as_network(ref, _of_tables(spec, type(ref).__name__))
    name = type(ref).__name__
    told = f"estimator:{name}@{digest_model(module)[:12]}"
    card = Card(name, "An estimator handed over in Python.")
    return Source(told, module, card, columns, classes, in_hand=True)


def _in_hand(module: nn.Module) -> Source:
    name = type(module).__name__
    ref = f"module:{name}@{digest_model(module)[:12]}"
    return Source(ref, module, Card(name, "A network handed over in Python."), in_hand=True)


def _of_tables(spec: InputSpec | Table | None, name: str) -> TableSpec | Table | None:
    if spec is None or isinstance(spec, TableSpec | Table):
        return spec
    raise ModelError(f"{name} takes tables: input_spec is a TableSpec or a table")


def _by_reference(ref: str, spec: InputSpec | Table | None) -> Source:
    if not isinstance(ref, str):
        raise ModelError(
            f"a model is a reference, an nn.Module or an estimator, not {type(ref).__name__}"
        )
    check_reference(ref)
    if ref.startswith("file:"):
        return _from_file(ref, spec)
    bundled = find_bundled(ref)
    module, spec, classes = _built(bundled)
    module.requires_grad_(False)
    return Source(ref, module, bundled.card, spec, classes)


def _built(bundled: Bundled) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    home, function = bundled.builder.split(":")
    return getattr(import_module(home), function)()


def _from_file(ref: str, spec: InputSpec | Table | None) -> Source:
    file = parse_file_reference(ref)
    columns = None if file.columns is None else _columns(file.columns)
    if file.is_estimator:
        return _from_skops(ref, file, columns or _of_tables(spec, file.path.name))
    if ":" in file.arch:
        found = Source(ref, build_named(file.arch), Card(file.path.name, f"Built by {file.arch}."))
    else:
        found = _bundled_architecture(ref, file.arch, file.path.name)
    put_weights(found.module, read_weights(file.path), file.path.name)
    found.module.requires_grad_(False)
    if isinstance(columns, Table):
        columns = learn_columns(columns, file.label)
    return found if columns is None else replace(found, spec=columns)


def _from_skops(ref: str, file: FileReference, columns: TableSpec | Table | None) -> Source:
    name = file.path.name
    content = _content(file.path)
    estimator = read_skops(content, name)
    if not is_estimator(estimator):
        raise ModelError(f"{name} holds {type(estimator).__name__}, which is no estimator")
    module, spec, classes = as_network(estimator, columns, content, file.label)
    card = Card(name, f"{type(estimator).__name__}, read with skops.")
    return Source(ref, module, card, spec, classes)


def _content(path: Path) -> bytes:
    check_there(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from None


def _columns(path: Path) -> TableSpec | Table:
    """Return the columns that a reference names: told by a JSON file, or a table that has them."""
    if path.suffix.lower() != ".json":
        return load_table(path)
    try:
        return TableSpec.from_dict(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path.name} tells no columns: {one_line(error)}") from None


def _bundled_architecture(ref: str, arch: str, name: str) -> Source:
    known = {model.name: model for model in bundled_models()}
    if arch not in known:
        raise ModelError(
            f"arch={arch!r} is neither a bundled model nor module:builder; {nearest(arch, known)}"
        )
    module, spec, classes = _built(known[arch])
    return Source(
        ref, module, Card(name, f"Weights for the architecture of {arch}."), spec, classes
    )
