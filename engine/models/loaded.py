"""A model in use: the network, what was found out about it, and its lock."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.errors import InputError, ModelError
from engine.inputs.arrays import ArrayInput, is_array_file, load_array
from engine.inputs.images import ImageInput, ImageSource, load_image
from engine.inputs.tables import Row, Table, as_row
from engine.manifest import digest_of
from engine.models.cards import Card
from engine.models.corrections import Corrections
from engine.models.digest import digest_model, fingerprint
from engine.models.discovery import Discovery, Layer
from engine.models.matching import match, match_row
from engine.models.outputs import Activation, logits_of
from engine.models.packages import libraries_of, packages_of
from engine.models.specs import ImageSpec, InputSpec
from engine.models.squashing import unsquashed
from engine.models.table_specs import TableSpec

Given = ImageInput | ArrayInput | torch.Tensor | Row
ModelInput = Given | ImageSource | Mapping[str, Any]


@dataclass(eq=False)
class LoadedModel:
    """A network with all that the engine needs to know of it.

    Attributes:
        ref: the reference under which it was loaded.
        module: the network itself, an ``nn.Module``.
        family: "cnn" (takes pictures, no attention), "vit" (attention) or "tabular".
        classes: class names, by index.
        spec: what it wants as input.
        device: where its weights are.
        layers: sub-modules that put out maps, in the order in which they finish.
        activation: "softmax"; "sigmoid" for a single logit; "identity" for a regression.
        card: what a person should know of it.
        in_hand: the network belongs to the caller, who may change it at any time.
        seen: what one pass told of it.
        told_by: who tells its input and its classes ("timm", "its card"), or "".
        spec_by: how its input is known: "told by timm", "told by the caller", "assumed".
        corrections: what the user corrected of what was found out.
    """

    ref: str
    module: nn.Module
    family: str
    classes: tuple[str, ...]
    spec: InputSpec
    device: torch.device
    layers: tuple[Layer, ...] = ()
    activation: Activation = "softmax"
    card: Card = field(default_factory=lambda: Card("model"))
    in_hand: bool = False
    seen: Discovery = field(default_factory=lambda: Discovery((), 0, 0), repr=False)
    told_by: str = ""
    spec_by: str = ""
    corrections: Corrections = field(default_factory=Corrections, repr=False)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _digest: tuple[int, str] | None = field(default=None, repr=False)

    @property
    def digest(self) -> str:
        """Digest of weights and architecture (hex); made anew when a tensor has changed."""
        current = fingerprint(self.module, thorough=self.in_hand)
        if self._digest is None or self._digest[0] != current:
            self._digest = (current, digest_model(self.module))
        return self._digest[1]

    def describe(self) -> dict[str, Any]:
        """Return what of it decides the numbers, besides its input and its classes."""
        return {"digest": self.digest, "family": self.family, "activation": self.activation}

    @property
    def classes_digest(self) -> str:
        """Digest of the class names in their order (hex)."""
        return digest_of(*(name.encode() for name in self.classes))

    @property
    def parameter_count(self) -> int:
        """Number of weights."""
        return sum(parameter.numel() for parameter in self.module.parameters())

    @property
    def target_layer(self) -> Layer | None:
        """The layer class activation maps are read from, or None.

        The one that the user named; else the last with maps of those that a pass calls once and
        that do not only bring maps to another size; else the last with maps.
        """
        usable = [layer for layer in self.layers if layer.usable]
        named = [layer for layer in usable if layer.name == self.corrections.layer]
        once = [one for one in usable if one.calls == 1 and one.kind != "AdaptiveAvgPool2d"]
        return next((some[-1] for some in (named, once, usable) if some), None)

    @property
    def differentiable(self) -> bool:
        """Whether gradients can be taken; not of an estimator that is no network."""
        return not getattr(self.module, "black_box", False)

    @property
    def dtype(self) -> str:
        """The precision it computes in: "float32" as a rule, of an estimator "float64"."""
        if not self.differentiable:
            return "float64"
        return str(self._precision or torch.float32).removeprefix("torch.")

    @property
    def _precision(self) -> torch.dtype | None:
        weights = next(self.module.parameters(), None)
        return weights.dtype if weights is not None and weights.is_floating_point() else None

    @property
    def packages(self) -> dict[str, str]:
        """What it computes with besides torch, and its version."""
        if self.differentiable:
            return libraries_of(self.module)
        return packages_of(self.module.estimator)

    @property
    def table_spec(self) -> TableSpec:
        """What the model wants of a table.

        Raises:
            ModelError: it takes no tables.
        """
        if isinstance(self.spec, TableSpec):
            return self.spec
        raise ModelError(f"{self.card.title} takes {_wanted(self.spec)}, not tables")

    def load_input(self, given: ModelInput) -> Given:
        """Turn what a caller has (a path, an array, a tensor, a row …) into an input.

        Raises:
            InputError: it cannot be read, or is not what the model takes.
        """
        if isinstance(given, torch.Tensor | ImageInput | ArrayInput | Row):
            return given
        if isinstance(self.spec, TableSpec):
            return _row(given)
        if isinstance(given, Mapping):
            raise InputError(f"{self.card.title} takes {_wanted(self.spec)}, not rows of a table")
        return load_array(given) if is_array_file(given) else load_image(given)  # type: ignore[arg-type]

    def prepare(self, given: ModelInput) -> torch.Tensor:
        """Return the exact tensor that the model sees, ``(1, …)``, on its device.

        It is of the network's own precision; of an estimator that is no network, float64.

        Raises:
            InputError: a shape, or a number of channels, that the model does not take.
        """
        found = self.load_input(given)
        if isinstance(found, torch.Tensor):
            return self._checked(found)
        if isinstance(found, ArrayInput):
            return self._checked(torch.from_numpy(np.array(found.values)))
        if isinstance(found, Row):
            return self._as_tensor(match_row(found, self._of_tables()))
        if not isinstance(self.spec, ImageSpec):
            raise InputError(
                f"{self.card.title} takes {_wanted(self.spec)}, not pictures; save one sample "
                "as a NumPy file (.npy)"
            )
        return self._suited(self.spec.prepare(found)).to(self.device)

    def prepare_table(self, table: Table) -> torch.Tensor:
        """Return all rows of a table as the network sees them, ``(n, features)``.

        Raises:
            InputError: columns that are missing, or cells that cannot be used.
        """
        return self._as_tensor(match(table, self._of_tables()).frame)

    def _of_tables(self) -> TableSpec:
        if not isinstance(self.spec, TableSpec):
            raise InputError(f"{self.card.title} takes {_wanted(self.spec)}, not rows of a table")
        return self.spec

    def _as_tensor(self, frame: Any) -> torch.Tensor:
        return self._suited(torch.from_numpy(self._of_tables().encode(frame))).to(self.device)

    def _suited(self, batch: torch.Tensor) -> torch.Tensor:
        """Return samples in the precision of the network's weights."""
        wanted = self._precision
        return batch if wanted in (None, batch.dtype) else batch.to(wanted)

    def _checked(self, tensor: torch.Tensor) -> torch.Tensor:
        batched = tensor[None] if tensor.ndim == len(self.spec.shape) else tensor
        if tuple(batched.shape) != (1, *self.spec.shape):
            raise InputError(
                f"expected a tensor of shape {(1, *self.spec.shape)}, got {tuple(tensor.shape)}"
            )
        if not batched.isfinite().all():
            raise InputError("the input tensor holds values that are not finite")
        return self._suited(batched.detach()).to(self.device)

    @contextmanager
    def ready(self) -> Iterator[nn.Module]:
        """Hold the lock with the network in eval mode and its weights frozen.

        Both are put back after. Gradients then belong to the input alone: where none comes out,
        the network cuts them off.
        """
        with self.lock:
            training = [part for part in self.module.modules() if part.training]
            learning = [weight for weight in self.module.parameters() if weight.requires_grad]
            for part in training:
                part.training = False
            for weight in learning:
                weight.requires_grad_(False)
            try:
                yield self.module
            finally:
                for part in training:
                    part.training = True
                for weight in learning:
                    weight.requires_grad_(True)

    def forward(self, batch: torch.Tensor, rows: int | None = None) -> torch.Tensor:
        """One pass under the lock: ``(n, …)`` → logits ``(n, classes)``.

        Args:
            batch: samples.
            rows: how many come out, where something inside makes several of each.

        Raises:
            ModelError: logits of another shape.
        """
        with self.ready() as module:
            samples = self._suited(batch)
            entry = self.seen.entry
            if self.seen.squash:
                logits = unsquashed(module, samples, entry)
            else:
                logits = logits_of(module(samples), entry)
        expected = len(batch) if rows is None else rows
        if logits.shape != (expected, len(self.classes)):
            raise ModelError(
                f"the model returned shape {tuple(logits.shape)} for {expected} samples and "
                f"{len(self.classes)} classes"
            )
        return logits


def _wanted(spec: InputSpec) -> str:
    if isinstance(spec, TableSpec):
        return "rows of a table"
    return "pictures" if isinstance(spec, ImageSpec) else f"tensors of shape {spec.shape}"


def _row(given: Any) -> Row:
    if isinstance(given, Mapping) or (hasattr(given, "keys") and hasattr(given, "index")):
        return as_row(given)
    raise InputError(
        f"a row is table.row(N) or a mapping from column to value, not {type(given).__name__}"
    )
