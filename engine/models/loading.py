"""``load_model``: from a reference or a network in hand to a model in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from engine.errors import ModelError, nearest
from engine.inputs.tables import Table, load_table
from engine.models.activations import activation_of
from engine.models.corrections import Corrections
from engine.models.devices import resolve_device
from engine.models.discovery import FAILED, Discovery, discover
from engine.models.estimators import BlackBox
from engine.models.fitting_labels import fit_labels
from engine.models.guessing import guess_specs
from engine.models.learning_columns import learn_columns
from engine.models.loaded import LoadedModel
from engine.models.references import PRUNED, UPLOAD, corrected
from engine.models.sources import Source, find_source
from engine.models.specs import ImageSpec, InputSpec, as_spec
from engine.models.table_specs import TableSpec

_MOST_NAMES = 50  # class names that a reference carries

SpecLike = InputSpec | Table | dict[str, Any] | tuple[int, ...]


def load_model(
    ref: Any,
    *,
    input_spec: SpecLike | None = None,
    classes: Sequence[str] | None = None,
    device: str | torch.device = "auto",
    target_layer: str = "",
    activation: str = "",
) -> LoadedModel:
    """Load a model, and find out what it is.

    Args:
        ref: a bundled name ("imagenet-cnn"), ``hf:owner/name`` or ``hf:folder``,
            ``torchvision:resnet18``, ``timm:vit_tiny_patch16_224``, ``module:builder``,
            ``file:weights.safetensors?arch=`` one of these,
            ``file:estimator.skops?columns=table.csv&label=COLUMN``, an ``nn.Module`` in hand,
            or a fitted estimator of scikit-learn's kind. A network in hand is used as it is: it
            stays on its device unless one is named, and the mode it is in is put back after
            every use. Options after "?" correct what was found out (``size=96``, ``mean=0.5``,
            ``std=0.25``, ``classes=names.txt``, ``layer=layer3``, ``activation=sigmoid`` …);
            all others go to the builder.
        input_spec: an ``ImageSpec``, a ``TensorSpec``, a ``TableSpec`` or a table (or pandas
            frame) like the one it was trained on, a dict of ``ImageSpec`` fields, or one sample's
            shape; found out where not given.
        classes: class names by index; "class 0" … where they are not known.
        device: "auto", "cpu", "cuda" or "mps"; an estimator answers on the CPU in any case.
        target_layer: the layer class activation maps are read from; by default the last that
            has maps.
        activation: how logits become probabilities: "softmax", "sigmoid" where several classes
            may be right at once, "identity" for a number that is no class; found out by default.

    Raises:
        ModelError: unknown reference, weights that do not fit, a network that does not run, or
            labels that do not suit its outputs.
        DeviceError: a device that is not there.
    """
    if isinstance(ref, LoadedModel):
        return ref
    wanted = _wanted(input_spec)
    own = Corrections(classes=_named(classes), layer=target_layer, activation=activation)
    return load_source(find_source(ref, wanted), wanted, own, device)


def load_source(
    found: Source,
    wanted: InputSpec | Table | None,
    own: Corrections,
    device: str | torch.device,
) -> LoadedModel:
    """Find out what a network is, and correct it by what the caller knows.

    Args:
        found: the network.
        wanted: its input as the caller says; None to find it out.
        own: the caller's corrections; they go before those of the reference.
        device: as in ``load_model``.

    Raises:
        ModelError, DeviceError: as ``load_model``.
    """
    changes = own.over(found.corrections)
    known = found.classes if changes.classes is None else changes.classes
    found = replace(found, ref=_reference(found, own), classes=known)
    place = _place(found, device)
    given = _spec(found, wanted)
    spec, seen, notes = _looked_at(found, given, changes, place)
    names = _class_names(known, seen.classes)
    if isinstance(spec, TableSpec) and not isinstance(found.module, BlackBox):
        spec, told = fit_labels(spec, names)
        notes = (*notes, *told)
    loaded = _loaded(found, spec, seen, names, notes, changes, place)
    return replace(loaded, spec_by=_spec_by(found, given, wanted))


def _spec_by(found: Source, given: InputSpec | None, wanted: InputSpec | Table | None) -> str:
    """Say how a model's input is known."""
    if given is None or any(note.startswith("assumed") for note in found.card.notes):
        return "assumed"
    return "told by the caller" if wanted is not None else f"told by {found.told_by}"


def _reference(found: Source, own: Corrections) -> str:
    """Return a reference that has the caller's corrections in it, where that can be loaded."""
    too_long = own.classes is not None and len(own.classes) > _MOST_NAMES
    if found.in_hand or found.ref.startswith((f"{UPLOAD}:", f"{PRUNED}:")) or too_long:
        return found.ref
    return corrected(found.ref, own)


def _wanted(given: Any) -> InputSpec | Table | None:
    if given is None or isinstance(given, Table):
        return given
    return load_table(given) if hasattr(given, "iloc") else as_spec(given)


def _looked_at(
    found: Source, spec: InputSpec | None, changes: Corrections, place: torch.device
) -> tuple[InputSpec, Discovery, tuple[str, ...]]:
    """Run the network in eval mode; one in hand gets its modes back."""
    training = [part for part in found.module.modules() if part.training]
    found.module.eval()
    try:
        count = None if found.classes is None else len(found.classes)
        return _examined(found.module, spec, changes, place, count)
    finally:
        for part in training if found.in_hand else ():
            part.training = True


def _loaded(
    found: Source,
    spec: InputSpec,
    seen: Discovery,
    names: tuple[str, ...],
    notes: tuple[str, ...],
    changes: Corrections,
    place: torch.device,
) -> LoadedModel:
    activation, told = activation_of(spec, seen, changes.activation or found.activation)
    _check_layer(changes.layer, seen)
    warnings = tuple(f"it {warning}" for warning in (*seen.warnings, *_rough(found.module)))
    return LoadedModel(
        ref=found.ref,
        module=found.module,
        family=_family(spec, seen),
        classes=names,
        spec=spec,
        device=place,
        layers=seen.layers,
        activation=activation,
        card=replace(found.card, notes=(*found.card.notes, *notes, *told, *warnings)),
        in_hand=found.in_hand,
        seen=seen,
        told_by=found.told_by,
        corrections=changes,
    )


def _rough(module: nn.Module) -> tuple[str, ...]:
    """Say so where a network computes with half the usual digits."""
    weights = next((one for one in module.parameters() if one.is_floating_point()), None)
    if weights is None or weights.dtype not in (torch.bfloat16, torch.float16):
        return ()
    name = str(weights.dtype).removeprefix("torch.")
    told = f"computes in {name}: small differences drown in rounding; module.float() has none of it"
    return (told,)


def _check_layer(name: str, seen: Discovery) -> None:
    known = [layer.name for layer in seen.layers if layer.usable]
    if name and name not in known:
        reason = "it has no layer with maps" if not known else nearest(name, known[::-1])
        raise ModelError(f"layer {name!r} has no maps to read; {reason}")


def _spec(found: Source, wanted: InputSpec | Table | None) -> InputSpec | None:
    if wanted is None or isinstance(found.module, BlackBox):
        return found.spec
    return learn_columns(wanted) if isinstance(wanted, Table) else wanted


def _place(found: Source, device: str | torch.device) -> torch.device:
    parameter = next(found.module.parameters(), None)
    if found.in_hand and device == "auto":
        return parameter.device if parameter is not None else torch.device("cpu")
    place = resolve_device(device)
    if isinstance(found.module, BlackBox):  # an Apple GPU has no float64
        return torch.device("cpu")
    found.module.to(place)
    return place


def _examined(
    module: nn.Module,
    spec: InputSpec | None,
    changes: Corrections,
    place: torch.device,
    count: int | None,
) -> tuple[InputSpec, Discovery, tuple[str, ...]]:
    if isinstance(module, BlackBox):
        return module.spec, Discovery((), _outputs_of(module, place), 0), ()
    if spec is not None:
        spec = changes.of_spec(spec)
        return spec, discover(module, spec.shape, place, count), ()
    tried: list[str] = []
    for guess, note in guess_specs(module, changes):
        try:
            seen = discover(module, guess.shape, place, count)
            return guess, seen, (note,) if note else ()
        except ModelError as error:
            tried.append(str(error))
    # Where it runs at some size, what it returns there is the reason.
    ran = next((told for told in tried if not told.startswith(FAILED)), "")
    if ran:
        raise ModelError(f"{ran}; only networks that score classes, or one number, are taken")
    raise ModelError(
        "the input of this network could not be found out; say it with ?size=HEIGHTxWIDTH after "
        "the reference, in Python with input_spec=(…). "
        f"{tried[0] if tried else 'It has no layer that tells its channels'}"
    )


def _outputs_of(module: BlackBox, place: torch.device) -> int:
    """Ask once, at the mean row: an estimator that cannot answer is told now."""
    with torch.no_grad():
        return int(module(torch.from_numpy(module.spec.mean_row)[None].to(place)).shape[1])


def _family(spec: InputSpec, seen: Discovery) -> str:
    if seen.attention_calls:
        return "vit"
    pictures = isinstance(spec, ImageSpec) or len(spec.shape) == 3
    return "cnn" if pictures else "tabular"


def _named(given: Any) -> tuple[str, ...] | None:
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ModelError(f"classes is a list of names, not {type(given).__name__}")
    return tuple(given)


def _class_names(given: tuple[str, ...] | None, count: int) -> tuple[str, ...]:
    if given is None:
        return tuple(f"class {index}" for index in range(count))
    if count == 1 and len(given) == 2:
        raise ModelError(
            f"2 class names given, but the model has one output: name only the class that it "
            f"speaks for, {given[0]!r} or {given[1]!r}"
        )
    if len(given) != count:
        raise ModelError(f"{len(given)} class names given, but the model has {count} outputs")
    return given
