"""Where a network comes from: a reference, a file, or the caller's hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from engine.errors import InputError, ModelError, WeightsError, nearest, one_line
from engine.inputs.tables import Table, load_table
from engine.models.bundled import Bundled, bundled_models, find_bundled
from engine.models.cards import Card
from engine.models.corrections import Corrections
from engine.models.digest import digest_model
from engine.models.estimators import as_network, is_estimator
from engine.models.learning_columns import learn_columns
from engine.models.libraries.built import Built, class_count_of
from engine.models.modules import build_named
from engine.models.narrowing.files import Saved, saved_in
from engine.models.narrowing.rebuilding import rebuilt
from engine.models.reading_estimators import read_skops
from engine.models.references import (
    LIBRARIES,
    FileReference,
    check_reference,
    parse_file_reference,
    parse_reference,
)
from engine.models.specs import InputSpec
from engine.models.table_specs import TableSpec
from engine.models.weights import check_there, put_weights, read_weights

Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Source:
    """A network with what its origin says of it; None where the source says nothing.

    Attributes:
        ref, module, card: as in ``LoadedModel``.
        spec: what it wants as input.
        classes: class names by index.
        in_hand: the network belongs to the caller.
        activation: how logits become probabilities, or "".
        told_by: who says so: "timm", "the card" …
        corrections: those in the reference.
    """

    ref: str
    module: nn.Module
    card: Card
    spec: InputSpec | None = None
    classes: tuple[str, ...] | None = None
    in_hand: bool = False
    activation: str = ""
    told_by: str = ""
    corrections: Corrections = field(default_factory=Corrections)


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


def _in_hand(given: nn.Module) -> Source:
    """Take a network as it is; of one that torch.compile has wrapped, what is inside."""
    _check_real(given)
    compiled = type(given).__name__ == "OptimizedModule"
    module = given.get_submodule("_orig_mod") if compiled else given
    name = type(module).__name__
    ref = f"module:{name}@{digest_model(module)[:12]}"
    notes = ("it runs as it was before torch.compile, whose code tells no layers",)
    card = Card(name, "A network handed over in Python.", notes=notes if compiled else ())
    return Source(ref, module, card, in_hand=True)


def _check_real(module: nn.Module) -> None:
    """Refuse a network whose weights are not there yet."""
    for name, weight in (*module.named_parameters(), *module.named_buffers()):
        if is_lazy(weight):
            raise ModelError(f"{name!r} has no shape yet: ask the network once before it is loaded")
        if weight.is_meta:
            raise ModelError(f"{name!r} is on the meta device and has no values; load its weights")


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
    found = parse_reference(ref)
    built = _architecture(f"{found.kind}:{found.name}", found.arguments)
    return replace(_frozen(ref, built), corrections=Corrections.from_options(found.corrections))


def _frozen(ref: str, built: Built) -> Source:
    built.module.requires_grad_(False)
    return Source(
        ref,
        built.module,
        built.card,
        built.spec,
        built.classes,
        activation=built.activation,
        told_by=built.told_by,
    )


def _architecture(arch: str, arguments: Mapping[str, Any], tensors: Tensors | None = None) -> Built:
    """Build what a reference names, ready for weights if these are given.

    Args:
        arch: ``bundled:NAME``, ``timm:NAME`` …, ``module:builder`` as it stands.
        arguments: for its builder.
        tensors: weights for which it is.
    """
    kind, _, name = arch.partition(":")
    if kind == "bundled":
        return _bundled(find_bundled(name))
    if kind in LIBRARIES:
        home = "hub_models" if kind == "hf" else f"{kind}_models"
        library = import_module(f"engine.models.libraries.{home}")
        built: Built = library.build(name, arguments, tensors)
        return built
    title = arch.removeprefix("module:")
    return Built(build_named(title, **arguments), None, None, Card(title, f"Built by {title}."))


def _bundled(bundled: Bundled) -> Built:
    home, function = bundled.builder.split(":")
    module, spec, classes = getattr(import_module(home), function)()
    return Built(module, spec, classes, bundled.card, told_by="its card")


def _from_file(ref: str, spec: InputSpec | Table | None) -> Source:
    file = parse_file_reference(ref)
    columns = None if file.columns is None else _columns(file.columns)
    if file.is_estimator:
        return _from_skops(ref, file, columns or _of_tables(spec, file.path.name))
    saved = saved_in(file.path, file.path.name)
    if saved is not None:
        found = smaller(ref, file.path.name, saved, read_weights(file.path), file.arch)
        own = Corrections.from_options(file.corrections).over(found.corrections)
        return replace(found, corrections=own)
    found = weighed(ref, file.path.name, file.arch, read_weights(file.path), file.arguments)
    if isinstance(columns, Table):
        columns = learn_columns(columns, file.label)
    of_arch = Corrections.from_options(parse_reference(file.arch).corrections)
    found = replace(found, corrections=Corrections.from_options(file.corrections).over(of_arch))
    return found if columns is None else replace(found, spec=columns)


def weighed(
    ref: str, name: str, arch: str, tensors: Tensors, arguments: Mapping[str, Any]
) -> Source:
    """Return the network of an architecture with weights in it.

    Args:
        ref: what it will be known by.
        name: of the weights' file.
        arch: a bundled name, ``timm:NAME``, ``torchvision:NAME``, ``hf:NAME`` or
            ``module:builder``.
        tensors: the weights.
        arguments: for the architecture's builder.

    Raises:
        ModelError: no such architecture, or weights that do not fit it.
    """
    built = _for_weights(arch, tensors, arguments)
    put_weights(built.module, tensors, name)
    built.module.eval()
    told = arch.partition("?")[0]
    card = replace(built.card, title=name, summary=_summary(arch, told))
    if ":" not in arch:
        card = Card(name, _summary(arch, told))
    return _frozen(ref, replace(built, card=card))


def smaller(ref: str, name: str, saved: Saved, tensors: Tensors, arch: str) -> Source:
    """Return the smaller network of a file that Haloscope has saved.

    Args:
        ref: what it will be known by.
        name: of the file.
        saved: what the file says.
        tensors: those in it.
        arch: the architecture as the user names it, or "" for the file's own word.

    Raises:
        ModelError: damaged, or an architecture that cannot be built.
    """
    module = rebuilt(saved, tensors, arch, name, lambda one, whole: _for_weights(one, whole, {}))
    module.requires_grad_(False)
    made = saved.pruned
    other = "it was saved with other versions of its code: its answers may differ a little"
    card = Card(
        made.told,
        made.summary,
        licence=saved.licence,
        origin=saved.origin or made.ref,
        paper=saved.paper,
        notes=(other,) if digest_model(module) != saved.digest else (),
    )
    return Source(
        ref,
        module,
        card,
        saved.spec,
        saved.classes,
        activation=saved.activation,
        told_by="its file",
        corrections=Corrections(layer=saved.layer),
    )


def _summary(arch: str, told: str) -> str:
    kind = arch.partition(":")[0]
    return (
        f"Weights for the architecture of {told}."
        if kind in ("hf", "timm", "torchvision") or (":" not in arch)
        else f"Built by {told}."
    )


def _for_weights(arch: str, tensors: Tensors, arguments: Mapping[str, Any]) -> Built:
    if ":" in arch:
        asked = parse_reference(arch)
        name = asked.name if asked.kind == "module" else f"{asked.kind}:{asked.name}"
        return _architecture(name, {**asked.arguments, **arguments}, tensors)
    known = {model.name: model for model in bundled_models()}
    if arch not in known:
        raise ModelError(
            f"arch={arch!r} is neither a bundled model nor module:builder; {nearest(arch, known)}"
        )
    if arguments:
        raise ModelError(f"arch={arch} takes no option {next(iter(arguments))!r}")
    built = _bundled(known[arch])
    classes = len(built.classes or ())
    count = class_count_of(built.module, classes, tensors)
    if count is None:
        return built
    raise WeightsError(
        f"the weights are for {count} classes, {arch} has {classes}; name an "
        "architecture whose number of classes can be set, like timm:resnet18"
    )


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
