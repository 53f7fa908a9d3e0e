"""``load_model``: from a reference or a network in hand to a model in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from torch import nn

from engine.errors import ModelError, nearest
from engine.models.bundled import Bundled, bundled_models, find_bundled
from engine.models.cards import Card
from engine.models.devices import resolve_device
from engine.models.digest import digest_model
from engine.models.discovery import Discovery, discover
from engine.models.guessing import guess_specs
from engine.models.loaded import LoadedModel
from engine.models.references import build_named, check_reference, parse_file_reference
from engine.models.specs import ImageSpec, InputSpec, as_spec
from engine.models.weights import put_weights, read_weights

SpecLike = InputSpec | dict[str, Any] | tuple[int, ...]


@dataclass(frozen=True)
class _Found:
    """A network with what its source says of it; None where the source says nothing."""

    ref: str
    module: nn.Module
    card: Card
    spec: InputSpec | None = None
    classes: tuple[str, ...] | None = None
    in_hand: bool = False


def load_model(
    ref: str | nn.Module | LoadedModel,
    *,
    input_spec: SpecLike | None = None,
    classes: Sequence[str] | None = None,
    device: str | torch.device = "auto",
) -> LoadedModel:
    """Load a model, and find out what it is.

    Args:
        ref: a bundled name ("imagenet-cnn"),
            ``file:weights.safetensors?arch=REF_OR_module:builder``, or an ``nn.Module`` in
            hand. A network in hand is used as it is: it stays on its device unless one is
            named, and the mode it is in is put back after every use.
        input_spec: an ``ImageSpec``, a ``TensorSpec``, a dict of ``ImageSpec`` fields, or
            one sample's shape; found out where not given.
        classes: class names by index; "class 0" … where they are not known.
        device: "auto", "cpu", "cuda" or "mps".

    Raises:
        ModelError: unknown reference, weights that do not fit, a network that does not run.
        DeviceError: a device that is not there.
    """
    if isinstance(ref, LoadedModel):
        return ref
    found = _in_hand(ref) if isinstance(ref, nn.Module) else _by_reference(ref)
    place = _place(found, device)
    spec = as_spec(input_spec) if input_spec is not None else found.spec
    module = found.module
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        spec, seen, notes = _examined(module, spec, place)
    finally:
        for part in training if found.in_hand else ():
            part.training = True
    if seen.classes == 1:
        notes = (*notes, "one output, read through a sigmoid as the probability of its class")
    names = _class_names(found.classes if classes is None else classes, seen.classes)
    card = Card(**{**vars(found.card), "notes": (*found.card.notes, *notes)})
    return LoadedModel(
        ref=found.ref,
        module=module,
        family=_family(spec, seen),
        classes=names,
        spec=spec,
        device=place,
        layers=seen.layers,
        activation="sigmoid" if seen.classes == 1 else "softmax",
        card=card,
        in_hand=found.in_hand,
    )


def _in_hand(module: nn.Module) -> _Found:
    name = type(module).__name__
    ref = f"module:{name}@{digest_model(module)[:12]}"
    return _Found(ref, module, Card(name, "A network handed over in Python."), in_hand=True)


def _by_reference(ref: str) -> _Found:
    if not isinstance(ref, str):
        raise ModelError(f"a model is a reference or an nn.Module, not {type(ref).__name__}")
    check_reference(ref)
    if ref.startswith("file:"):
        return _from_file(ref)
    bundled = find_bundled(ref)
    module, spec, classes = _built(bundled)
    module.requires_grad_(False)
    return _Found(ref, module, bundled.card, spec, classes)


def _built(bundled: Bundled) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    home, function = bundled.builder.split(":")
    return getattr(import_module(home), function)()


def _from_file(ref: str) -> _Found:
    file = parse_file_reference(ref)
    if ":" in file.arch:
        found = _Found(ref, build_named(file.arch), Card(file.path.name, f"Built by {file.arch}."))
    else:
        found = _bundled_architecture(ref, file.arch, file.path.name)
    put_weights(found.module, read_weights(file.path), file.path.name)
    found.module.requires_grad_(False)
    return found


def _bundled_architecture(ref: str, arch: str, name: str) -> _Found:
    known = {model.name: model for model in bundled_models()}
    if arch not in known:
        raise ModelError(
            f"arch={arch!r} is neither a bundled model nor module:builder; {nearest(arch, known)}"
        )
    module, spec, classes = _built(known[arch])
    return _Found(
        ref, module, Card(name, f"Weights for the architecture of {arch}."), spec, classes
    )


def _place(found: _Found, device: str | torch.device) -> torch.device:
    parameter = next(found.module.parameters(), None)
    if found.in_hand and device == "auto":
        return parameter.device if parameter is not None else torch.device("cpu")
    place = resolve_device(device)
    found.module.to(place)
    return place


def _examined(
    module: nn.Module, spec: InputSpec | None, place: torch.device
) -> tuple[InputSpec, Discovery, tuple[str, ...]]:
    if spec is not None:
        return spec, discover(module, spec.shape, place), ()
    tried: list[str] = []
    for guess, note in guess_specs(module):
        try:
            return guess, discover(module, guess.shape, place), (note,)
        except ModelError as error:
            tried.append(str(error))
    raise ModelError(
        "the input of this network could not be found out; pass input_spec. "
        f"{tried[0] if tried else 'It has no layer that tells its channels'}"
    )


def _family(spec: InputSpec, seen: Discovery) -> str:
    if seen.attention_calls:
        return "vit"
    pictures = isinstance(spec, ImageSpec) or len(spec.shape) == 3
    return "cnn" if pictures else "tabular"


def _class_names(given: Sequence[str] | None, count: int) -> tuple[str, ...]:
    if given is None:
        return tuple(f"class {index}" for index in range(count))
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ModelError(f"classes is a list of names, not {type(given).__name__}")
    if len(given) != count:
        raise ModelError(f"{len(given)} class names given, but the model has {count} outputs")
    return tuple(given)
