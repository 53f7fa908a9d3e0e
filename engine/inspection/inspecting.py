"""The card of a model: each thing that was found out, and how it is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from torch import nn

from engine.attribution.registry import methods
from engine.inspection.attention_entries import attention_entries
from engine.inspection.entry import Entry
from engine.inspection.input_entries import input_entries
from engine.models.devices import device_title
from engine.models.loaded import LoadedModel

Verdict = Literal["works", "refused"]

_KINDS = {
    "cnn": "convolutional network",
    "vit": "vision transformer",
    "tabular": "model for tables",
}


@dataclass(frozen=True)
class Suited:
    """Whether a method takes a model.

    Attributes:
        name, title: of the method.
        reason: why not, one line; "" if it does.
    """

    name: str
    title: str
    reason: str


@dataclass(frozen=True)
class Inspection:
    """What was found out about a model.

    Attributes:
        ref: its reference.
        title: its name in sentences.
        entries: each thing that was found out, in the order of a card.
        methods: all methods, with the reason where one does not take it.
        notes: what was assumed or should be known, one line each.
    """

    ref: str
    title: str
    entries: tuple[Entry, ...]
    methods: tuple[Suited, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, for JSON."""
        return asdict(self)


def inspect_model(model: LoadedModel) -> Inspection:
    """Return the card of a model.

    Costs a few forward passes on noise, once for each model.
    """
    return Inspection(
        model.ref,
        model.card.title,
        tuple(_entries(model)),
        tuple(
            Suited(method.name, method.title, method.refusal(model) or "")
            for method in methods().values()
        ),
        model.card.notes,
    )


def _entries(model: LoadedModel) -> Iterator[Entry]:
    yield Entry("Kind", _kind(model), "seen in one pass")
    yield from input_entries(model)
    yield from _output_entries(model)
    if model.family != "tabular":
        yield from _layer_entries(model)
        yield from attention_entries(model)
    yield Entry("Weights", f"{model.parameter_count:,}".replace(",", " "), "counted")
    yield Entry("Runs on", device_title(model.device), "")
    yield Entry("Digest", model.digest[:16], "of weights and architecture")


def _kind(model: LoadedModel) -> str:
    if model.family == "cnn" and not any(one.kind.startswith("Conv") for one in model.layers):
        convolved = any(isinstance(part, nn.Conv2d) for part in model.module.modules())
        return _KINDS["cnn"] if convolved else "network for pictures, without convolutions"
    return _KINDS[model.family]


def _output_entries(model: LoadedModel) -> Iterator[Entry]:
    seen, corrected = model.seen, model.corrections
    if corrected.classes is not None:
        how = "corrected"
    else:
        told = model.classes[0] != "class 0"
        by = f"told by {model.told_by}" if model.told_by else "told"
        how = by if told else "counted; no names known"
    yield Entry("Classes", _classes_told(model.classes), how, "classes")
    where = f"{seen.container}, entry “{seen.entry}”" if seen.entry else seen.container
    count = "one logit" if len(model.classes) == 1 else f"{len(model.classes)} logits"
    alone = len(model.classes) == 1
    own = "the probability of its class" if alone else "each class has a probability of its own"
    read = {
        "softmax": "softmax: one class is right",
        "sigmoid": f"sigmoid: {own}",
        "identity": "a number as it is",
    }[model.activation]
    how = "corrected" if corrected.activation else "seen in one pass"
    ends = f", before its own {seen.squash}" if seen.squash else ""
    yield Entry("Output", f"{where}: {count}{ends}; {read}", how, "activation")


def _classes_told(classes: tuple[str, ...]) -> str:
    shown = ", ".join(classes[:4])
    return f"{len(classes)}: {shown}{' …' if len(classes) > 4 else ''}"


def _layer_entries(model: LoadedModel) -> Iterator[Entry]:
    convolutions = [layer for layer in model.layers if layer.kind.startswith("Conv")]
    if convolutions:
        first, last = convolutions[0], convolutions[-1]
        told = f"{len(convolutions)}: {first.name} … {last.name}"
        yield Entry("Convolutions", told if len(convolutions) > 1 else first.name, "seen")
    target = model.target_layer
    if target is None:
        why = "no maps after its attention" if model.layers else "it makes no maps"
        yield Entry("Layer for Grad-CAM", "none", why)
        return
    channels, rows, columns = target.shape
    told = f"{target.name} ({channels} maps of {rows} × {columns})"
    runs = f", which runs {target.calls} times in a pass" if target.calls > 1 else ""
    how = "corrected" if model.corrections.layer else "the last with maps"
    yield Entry("Layer for Grad-CAM", f"{told}{runs}", how, "layer")
