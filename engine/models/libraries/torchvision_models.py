"""``torchvision:resnet18``: architecture, published weights, preprocessing and class names."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import nn

from engine.errors import ModelError, nearest, one_line
from engine.models.cards import Card
from engine.models.libraries.built import Built, Tensors, class_count_of, drawn
from engine.models.libraries.extras import need
from engine.models.libraries.network import is_reachable
from engine.models.libraries.options import check_plain
from engine.models.specs import ImageSpec

_NONE = ("none", None, False)
_CLASSES = 1000  # where nobody says otherwise


def architectures() -> list[str]:
    """Return the names of torchvision's classifiers of pictures.

    Raises:
        ModelError: torchvision is not installed.
    """
    models = need("torchvision", "torchvision:").models
    return [str(name) for name in models.list_models(module=models)]


def build(name: str, arguments: Mapping[str, Any], tensors: Tensors | None = None) -> Built:
    """Build a network.

    Args:
        name: as in ``torchvision.models.list_models``.
        arguments: ``weights`` ("DEFAULT", the name of others, or "none" for random ones); the
            rest, plain values alone, goes to torchvision's builder.
        tensors: weights that the network is for; it then gets as many classes as they have.

    Raises:
        ModelError: unknown name, weights that are not there and cannot be had, a bad argument.
    """
    ref = f"torchvision:{name}"
    models = need("torchvision", ref).models
    known = architectures()
    if name not in known:
        raise ModelError(f"no model {name!r} in torchvision; {nearest(name, known)}")
    options = dict(arguments)
    weights = _weights(models, name, options.pop("weights", "DEFAULT"))
    check_plain(ref, options, ("pretrained", "weights_backbone", "progress"))
    described = weights or _first_weights(models, name)
    if tensors is None and weights is not None:
        options |= _of_weights(models, name, weights)
    module = _network(models, ref, name, options)
    classes = int(options.get("num_classes", _CLASSES))
    count = None if tensors is None else class_count_of(module, classes, tensors)
    if count is not None:
        module = _network(models, ref, name, {**options, "num_classes": count})
    if tensors is None and weights is not None:
        _put(module, weights, ref)
    published = tensors is None and weights is not None
    return Built(
        module.eval(),
        None if described is None else _spec(described, module),
        _classes(described, module) if published else None,
        _card(name, weights, tensors is not None),
        told_by="torchvision",
    )


def _weights(models: Any, name: str, wanted: Any) -> Any:
    if wanted in _NONE or str(wanted).lower() == "none":
        return None
    known = models.get_model_weights(name)
    if wanted == "DEFAULT":
        return getattr(known, "DEFAULT", None)
    try:
        return known[wanted]
    except (KeyError, TypeError):  # unknown, or no name at all
        names = [one.name for one in known]
        raise ModelError(
            f"torchvision:{name} has no weights {wanted!r}; {nearest(str(wanted), names)}"
        ) from None


def _first_weights(models: Any, name: str) -> Any:
    return next(iter(models.get_model_weights(name)), None)


def _network(models: Any, ref: str, name: str, options: dict[str, Any]) -> nn.Module:
    quiet = {"init_weights": False} if name in ("inception_v3", "googlenet") else {}
    try:
        return drawn(lambda: models.get_model(name, weights=None, **quiet, **options))
    except (TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{ref} cannot be built: {one_line(error)}") from None


def _of_weights(models: Any, name: str, weights: Any) -> dict[str, Any]:
    """Return what torchvision's own builder sets because of weights."""
    taken = inspect.signature(inspect.unwrap(models.get_model_builder(name))).parameters
    if "transform_input" in taken or name in ("inception_v3", "googlenet"):
        return {"transform_input": True, "aux_logits": True}
    return {"num_classes": len(weights.meta["categories"])}


def _put(module: nn.Module, weights: Any, ref: str) -> None:
    """Load published weights: from the cache, or over the network, never running code."""
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlsplit(weights.url).path).name
    host = urlsplit(weights.url).hostname
    if not file.is_file() and not is_reachable(weights.url, all_proxy=False):
        raise ModelError(
            f"the weights of {ref} are not on this machine, and {host} cannot be reached; save "
            f"them as {file}, or use {ref}?weights=none for a network that has learned nothing"
        )
    try:
        state = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
        module.load_state_dict(state)
    except Exception as error:  # network, disk and unpickler fail in many ways
        raise ModelError(f"the weights of {ref} cannot be loaded ({one_line(error)})") from None


def _spec(weights: Any, module: nn.Module) -> ImageSpec:
    """Return the preset of some weights, in proportion where the network takes another size."""
    preset = weights.transforms()
    published = preset.crop_size[0]
    side = int(getattr(module, "image_size", published))
    return ImageSpec(
        side,
        side,
        mean=tuple(preset.mean),
        std=tuple(preset.std),
        resize=round(preset.resize_size[0] * side / published),
        interpolation=preset.interpolation.value,
    )


def _classes(weights: Any, module: nn.Module) -> tuple[str, ...] | None:
    names = None if weights is None else weights.meta.get("categories")
    return None if names is None else tuple(names)


def _card(name: str, weights: Any, own: bool) -> Card:
    if own:
        return Card(name, f"Your weights for torchvision's {name}.")
    if weights is None:
        note = "its weights are random: it has learned nothing"
        return Card(name, f"torchvision's {name}, untrained.", notes=(note,))
    return Card(
        name,
        f"torchvision's {name} with its weights {weights.name}.",
        origin=weights.meta.get("recipe", weights.url),
        licence="see torchvision's page of the weights",
    )
