"""References to models: ``imagenet-cnn``, ``hf:owner/name``, ``file:w.pth?arch=timm:resnet18``."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from engine.errors import ModelError, nearest
from engine.models.bundled import Bundled, bundled_models, find_bundled
from engine.models.corrections import OPTIONS, Corrections
from engine.models.modules import IS_MODULE, on_a_page
from engine.models.narrowing.header import arch_in, manifest_in
from engine.models.weights import check_there

LIBRARIES = ("hf", "torchvision", "timm")
UPLOAD = "upload"
PRUNED = "pruned"
ESTIMATORS = ".skops"
_OF_FILES = {"arch", "columns", "label"}
_WEIGHTS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")
_PICKLES = (".pkl", ".pickle", ".joblib")
_EXAMPLE = "file:weights.safetensors?arch=module:builder"
_KINDS = "hf:, torchvision:, timm:, file:, module:builder or a name"


@dataclass(frozen=True)
class Reference:
    """A reference taken apart.

    Attributes:
        kind: "bundled", "hf", "torchvision", "timm", "file" or "module".
        name: what stands between the kind and the options.
        corrections: options that correct what is found out ("mean", "classes" …), as text.
        arguments: all other options, for the builder, read as Python literals.
    """

    kind: str
    name: str
    corrections: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FileReference:
    """Weights in a file, and where their architecture comes from.

    Attributes:
        path: the weights file.
        arch: a reference to the architecture; "" for an estimator, and for a smaller network
            that Haloscope has saved, whose file tells it.
        columns: a table like the one the model was trained on, or a JSON file that tells its
            columns; None where it takes no tables.
        label: the column of that table which is the truth and no input.
        corrections, arguments: as in ``Reference``.
    """

    path: Path
    arch: str
    columns: Path | None = None
    label: str | None = None
    corrections: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def is_estimator(self) -> bool:
        """Whether the file holds an estimator, not the weights of a network."""
        return self.path.suffix.lower() == ESTIMATORS


def parse_reference(ref: str) -> Reference:
    """Take any reference apart.

    Raises:
        ModelError: its kind is unknown, or it names nothing.

    >>> parse_reference("timm:vit_tiny_patch16_224?img_size=64").arguments
    {'img_size': 64}
    """
    head, _, query = ref.partition("?")
    corrections, arguments = _options(query)
    kind, colon, name = head.partition(":")
    if not colon:
        return Reference("bundled", head, corrections, arguments)
    if not name:
        raise ModelError(f"{ref!r} names nothing after the colon")
    if kind == UPLOAD:
        named = unquote(name.partition("?")[0].rpartition("@")[0])
        raise ModelError(f"{named} was uploaded in another session; upload that file again")
    if kind == PRUNED:
        raise ModelError(
            f"{made_from(ref)}, pruned: made in another session; save it, and name the file"
        )
    if kind in ("file", *LIBRARIES):
        return Reference(kind, name, corrections, arguments)
    if IS_MODULE.fullmatch(head):
        return Reference("module", head, corrections, arguments)
    if kind == "module" and IS_MODULE.fullmatch(name):
        raise ModelError(f"{ref!r}: a module and its builder are named as they are; write {name!r}")
    raise ModelError(f"{ref!r}: references of kind {kind!r} are unknown; use {_KINDS}")


def pruned_ref(ref: str, digest: str) -> str:
    """Return what a smaller copy of a model is known by: ``pruned:REF@DIGEST``."""
    return f"{PRUNED}:{ref}@{digest[:12]}"


def made_from(ref: str) -> str:
    """Return the reference of the whole model that a pruned one was made from.

    >>> made_from("pruned:timm:resnet18@1a2b3c4d5e6f")
    'timm:resnet18'
    """
    return ref.removeprefix(f"{PRUNED}:").rpartition("@")[0]


def _options(query: str) -> tuple[dict[str, str], dict[str, Any]]:
    every = dict(parse_qsl(query, keep_blank_values=True))
    corrections = {name: text for name, text in every.items() if name in OPTIONS}
    rest = {name: _literal(name, text) for name, text in every.items() if name not in OPTIONS}
    return corrections, rest


def _literal(name: str, text: str) -> Any:
    """Read a number, a boolean, a tuple …; anything else stays text."""
    try:
        return ast.literal_eval(text)
    except (MemoryError, RecursionError):
        raise ModelError(f"{name}={text[:20]}…: nested too deep to be read") from None
    except (ValueError, SyntaxError, TypeError):
        return {"true": True, "false": False}.get(text.lower(), text)


def parse_file_reference(ref: str) -> FileReference:
    """Take a ``file:`` reference apart.

    Raises:
        ModelError: no path, no ``arch``, or an option that has nothing to go to.

    >>> parse_file_reference("file:w.safetensors?arch=mine:build").arch
    'mine:build'
    """
    path, _, query = ref.removeprefix("file:").partition("?")
    options = {k: v for k, v in parse_qsl(query, keep_blank_values=True) if v or k not in _OF_FILES}
    corrections, arguments = _options(query)
    arguments = {name: value for name, value in arguments.items() if name not in _OF_FILES}
    _check_file(ref, path, options, arguments)
    columns = _path(options["columns"]) if "columns" in options else None
    return FileReference(
        _path(path),
        options.get("arch", ""),
        columns,
        options.get("label"),
        corrections,
        arguments,
    )


def _path(text: str) -> Path:
    """Return a path; "?", "&" and the like in a file's name are written as %3F and %26."""
    try:
        plain = Path(text).expanduser()
        return plain if plain.exists() else Path(unquote(text)).expanduser()
    except RuntimeError:
        raise ModelError(f"{text}: there is no such home folder") from None


def _check_file(ref: str, path: str, options: dict[str, str], arguments: dict[str, Any]) -> None:
    if Path(path).suffix.lower() in _PICKLES:
        raise ModelError(
            f"{path}: a pickle runs code when it is read; save the estimator with skops.io.dump "
            "and name the .skops file"
        )
    is_estimator = Path(path).suffix.lower() == ESTIMATORS
    for_nobody = [] if options.get("arch") and not is_estimator else sorted(arguments)
    if not path:
        wrong = "it names no file"
    elif for_nobody:
        wrong = f"unknown option {for_nobody[0]!r}"
    elif "arch" not in options and not is_estimator and manifest_in(_path(path)) is None:
        wrong = "it does not say which architecture the weights are for"
    else:
        return
    raise ModelError(f"{ref!r}: {wrong}; write {_EXAMPLE}")


def corrected(ref: str, corrections: Corrections) -> str:
    """Return a reference that loads the same model with these corrections.

    >>> corrected("timm:resnet18", Corrections(layer="layer3"))
    'timm:resnet18?layer=layer3'
    """
    head, _, query = ref.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True)) | corrections.to_options()
    return f"{head}?{urlencode(options, safe=':/,', quote_via=quote)}" if options else ref


def architecture_of(ref: str) -> Reference | None:
    """Return the reference that a network is built from: of weights in a file, their ``arch``.

    Args:
        ref: any reference, one of an upload too.

    Returns:
        None for an estimator, and where the reference names no architecture.

    Raises:
        ModelError: a reference of no known kind.
    """
    kind = ref.partition(":")[0]
    if kind == PRUNED:
        return architecture_of(made_from(ref))
    if kind not in ("file", UPLOAD):
        return parse_reference(ref)
    arch = dict(parse_qsl(ref.partition("?")[2])).get("arch", "")
    if kind == "file" and not arch:
        arch = arch_in(_path(ref.removeprefix("file:").partition("?")[0]))
    return parse_reference(arch) if arch and arch != "hf" else None


def bundled_of(ref: str) -> Bundled | None:
    """Return the bundled model whose architecture a reference names, or None.

    >>> bundled_of("file:mine.pth?arch=digits-cnn").name
    'digits-cnn'
    """
    try:
        found = architecture_of(ref)
    except ModelError:
        return None
    known = {model.name: model for model in bundled_models()}
    return known.get(found.name) if found is not None and found.kind == "bundled" else None


def check_reference(ref: str) -> None:
    """Refuse a reference that cannot work, without building or reading anything.

    Raises:
        ModelError: unknown name or kind, or no such file.
    """
    found = parse_reference(ref)
    if found.kind == "file":
        file = parse_file_reference(ref)
        check_there(file.path)
        if file.arch:
            check_arch(file.arch)
        if on_a_page():
            _check_beside(file)
    elif found.kind == "bundled":
        _check_bundled(found.name)
        if found.arguments:
            raise ModelError(f"{found.name} takes no option {next(iter(found.arguments))!r}")


def _check_beside(file: FileReference) -> None:
    """On a page a reference reads no table from just anywhere on the machine."""
    if file.columns is None:
        return
    try:
        beside = file.columns.resolve().parent == file.path.resolve().parent
    except (OSError, ValueError, RuntimeError):  # a path that cannot be, or links in a circle
        beside = False
    if not beside:
        raise ModelError(
            f"columns={str(file.columns)!r}: on a page it names a file in the folder of "
            f"{file.path.name}; start Haloscope with --model for any other"
        )


def _check_bundled(name: str) -> None:
    """Refuse a name that no bundled model has; where it is a path, say how that is written."""
    try:
        find_bundled(name)
    except ModelError:
        path = _path(name)
        if name and path.is_dir() and not on_a_page():
            told = f"{name} is a folder: write hf:{name} if save_pretrained has written it"
            raise ModelError(told) from None
        if path.suffix.lower() in _WEIGHTS:
            told = f"{name} is a file: write file:{name}?arch=… and which network it is for"
            raise ModelError(told) from None
        raise


def check_arch(arch: str) -> None:
    """Refuse an architecture that is neither bundled nor a reference.

    Raises:
        ModelError: with the nearest names.
    """
    if ":" in arch and parse_reference(arch).kind != "file":
        return
    known = [model.name for model in bundled_models()]
    if arch not in known:
        raise ModelError(
            f"arch={arch!r} is neither a bundled model nor a reference like timm:resnet18 or "
            f"module:builder; {nearest(arch, known)}"
        )
