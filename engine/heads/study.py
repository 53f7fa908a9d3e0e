"""Pictures that heads are studied with, one pass each, and what decides the numbers."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from engine.attention.site import AttentionSites
from engine.errors import InputError
from engine.execution.chunks import telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.environment import environment
from engine.execution.passes import Cancel, Passes, Progress
from engine.head_results import HeadMaps
from engine.heads.looking import Head, check_heads, look_prepared, placed_sites
from engine.heads.metric import mean_and_error
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import ImageInput
from engine.inputs.tables import Row
from engine.manifest import SCHEMA, digest_of, key_of, versions
from engine.models.loaded import Given, LoadedModel, ModelInput

Pictures = ImageSet | Sequence[ModelInput]


@dataclass(eq=False)
class Study:
    """A set of pictures to look at with a model.

    Attributes:
        model: the model.
        found: its attention.
        inputs: the pictures.
        off: heads that are switched off.
        request: all that decides the numbers.
        skipped: pictures that could not be read, by their place, and why.
    """

    model: LoadedModel
    found: AttentionSites
    inputs: ImageSet | tuple[Given, ...]
    off: frozenset[Head]
    request: dict[str, Any]
    skipped: dict[int, str] = field(default_factory=dict)
    _started: float = field(default_factory=time.perf_counter)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a prepared picture."""
        height, width = self.model.spec.shape[-2:]
        return height, width

    def passes(
        self, progress: Progress | None, cancel: Cancel | None, more: int = 0, each: int = 1
    ) -> Passes:
        """Return counted passes, ``each`` for each picture and ``more`` for what comes after."""
        return Passes(self.model, Cost(each * len(self.inputs) + more), progress, cancel)

    def looks(self, passes: Passes) -> Iterator[tuple[int, HeadMaps]]:
        """Look at one picture after the other; yields its place in the set and the maps.

        Raises:
            InputError: not one picture could be read.
            Cancelled: the caller asked to stop.
            OutOfMemory: one picture does not fit.
        """
        for index, x in self.prepared(passes):
            with telling_out_of_memory():
                maps = look_prepared(passes, self.found, x, self.off)
            yield index, maps

    def prepared(self, passes: Passes) -> Iterator[tuple[int, torch.Tensor]]:
        """Prepare one picture after the other; yields its place in the set and ``(1, …)``.

        Raises:
            InputError: not one picture could be read.
            Cancelled: the caller asked to stop.
        """
        for index in range(len(self.inputs)):
            passes.check()
            try:
                x = self.model.prepare(self.inputs[index])
            except InputError as error:
                self.skipped[index] = str(error)
                continue
            yield index, x
        if len(self.skipped) == len(self.inputs):
            first = f"; {self.skipped[0]}" if self.skipped else ""
            raise InputError(f"no picture could be read{first}")

    def manifest(self, passes: Passes, display: dict[str, Any], **outcome: Any) -> dict[str, Any]:
        """Return the manifest of what was found."""
        sites = self.found.sites
        layers = {
            "layers": [site.name for site in sites],
            "grids": [list(site.grid or ()) for site in sites],
            "windows": [site.windows for site in sites],
            "heads": [site.heads for site in sites],
        }
        return {
            "key": key_of(self.request),
            "request": self.request,
            "display": {**layers, **display},
            "source": _source(self.model, self.inputs),
            "outcome": {
                "passes": {"forward": passes.used.forward, "backward": 0},
                "seconds": time.perf_counter() - self._started,
                "pictures": len(self.inputs) - len(self.skipped),
                "skipped": [[index, why] for index, why in sorted(self.skipped.items())],
                "environment": environment(self.model.device),
                **outcome,
            },
        }


def plan_study(
    model: LoadedModel,
    pictures: Pictures,
    kind: str,
    *,
    off: Collection[Head] = (),
    **decisive: Any,
) -> Study:
    """Check what is asked; nothing is run.

    Args:
        model: a loaded model.
        pictures: a set, or several inputs of any kind that the model takes.
        kind: of the result.
        off: layer and head of those switched off.
        decisive: what else decides the numbers.

    Raises:
        MethodError: the model's tokens have no known places.
        ParameterError: a head that it does not have.
        InputError: there are no pictures, or one is none.
    """
    found = placed_sites(model)
    check_heads(found, off)
    inputs = pictures if isinstance(pictures, ImageSet) else tuple(map(model.load_input, pictures))
    if not len(inputs):
        raise InputError("there are no pictures to look at")
    request = {
        "schema": SCHEMA,
        "kind": kind,
        "model": model.describe(),
        "preprocessing": model.spec.describe(),
        "images": identity(inputs),
        "off": sorted([int(layer), int(head)] for layer, head in set(off)),
        "device": model.device.type,
        "dtype": model.dtype,
        "versions": versions(),
        **decisive,
    }
    return Study(model, found, inputs, frozenset(off), request)


def over_pictures(arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the mean over pictures and its standard error, None of a single one; float32."""
    mean, error = mean_and_error(np.stack(arrays))
    return mean.astype(np.float32), None if error is None else error.astype(np.float32)


def identity(inputs: ImageSet | Sequence[Given]) -> str:
    """Return the digest of pictures in their order, hex."""
    if isinstance(inputs, ImageSet):
        return inputs.digest
    return digest_of(*(_told(one) for one in inputs))


def _told(given: Given) -> bytes:
    if isinstance(given, torch.Tensor):
        flat = given.detach().cpu().contiguous()
        content = flat.reshape(-1).view(torch.uint8).numpy().tobytes()
        return f"{flat.dtype} {tuple(flat.shape)} ".encode() + content
    fit = given.fit if isinstance(given, ImageInput) else "prepared"
    return f"{fit} {given.digest}".encode()


def _source(model: LoadedModel, inputs: ImageSet | Sequence[Given]) -> dict[str, Any]:
    told = {"model": model.ref, "model_title": model.card.title}
    if isinstance(inputs, ImageSet):
        return {**told, "images": inputs.name, "images_origin": inputs.origin}
    names = [getattr(one, "name", "") or "tensor" for one in inputs if not isinstance(one, Row)]
    origins = [getattr(one, "origin", "") for one in inputs]
    fits = [one.fit if isinstance(one, ImageInput) else "prepared" for one in inputs]
    name = names[0] if len(names) == 1 else f"{len(names)} pictures"
    return {**told, "images": name, "origins": origins, "fits": fits}
