"""``timm:vit_tiny_patch16_224``: architecture, published weights, preprocessing, class names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from torch import nn

from engine.errors import ModelError, nearest, one_line
from engine.models.cards import Card
from engine.models.libraries.built import Built, Tensors, class_count_of, drawn
from engine.models.libraries.extras import need
from engine.models.libraries.network import hub_online_or_not
from engine.models.libraries.options import check_plain
from engine.models.libraries.parity import told_difference
from engine.models.specs import ImageSpec, InputSpec, TensorSpec

# With these timm reads other files, fetches from other places, or sets switches for its whole.
_OF_FILES = (
    "checkpoint_path", "cache_dir", "scriptable", "exportable", "no_jit", "model_cfg",
    "feature_cfg", "kwargs_filter",
)  # fmt: skip


def architectures() -> list[str]:
    """Return the names of timm's networks.

    Raises:
        ModelError: timm is not installed.
    """
    return [str(name) for name in need("timm", "timm:").list_models()]


def build(name: str, arguments: Mapping[str, Any], tensors: Tensors | None = None) -> Built:
    """Build a network.

    Args:
        name: as ``timm.create_model`` takes it, with or without the tag of its weights.
        arguments: ``weights="none"`` for random weights; the rest, plain values alone, goes to
            timm.
        tensors: weights that the network is for; it then gets as many classes as they have.

    Raises:
        ModelError: unknown name, weights that are not there and cannot be had, a bad argument.
    """
    ref = f"timm:{name}"
    timm = need("timm", ref)
    options = dict(arguments)
    wanted = str(options.pop("weights", "default")).lower()
    pretrained = tensors is None and wanted != "none"
    _check_name(timm, name)
    check_plain(ref, options, [*_OF_FILES, *(one for one in options if "pretrained" in one)])
    module = _network(timm, ref, name, options, pretrained)
    count = None if tensors is None else class_count_of(module, module.num_classes, tensors)
    if count is not None:
        module = _network(timm, ref, name, {**options, "num_classes": count}, False)
    spec, note = _spec(timm, module)
    return Built(
        module.eval(),
        spec,
        _classes(timm, module) if pretrained and "num_classes" not in options else None,
        _card(name, module, pretrained, tensors is not None, note),
        told_by="timm",
    )


def _check_name(timm: Any, name: str) -> None:
    if ":" in name or "/" in name or timm.is_model(name):
        return
    known = timm.list_models() + timm.list_pretrained()
    raise ModelError(f"no model {name!r} in timm; {nearest(name, known)}")


def _network(timm: Any, ref: str, name: str, options: dict[str, Any], pretrained: bool) -> Any:
    try:
        if not pretrained:
            return drawn(lambda: timm.create_model(name, pretrained=False, **options))
        with hub_online_or_not(f"the weights of {ref} are not on this machine"):
            return timm.create_model(name, pretrained=True, **options)
    except ModelError:
        raise
    except Exception as error:  # timm, the network and the disk fail in many ways
        hint = f"; {ref}?weights=none has random weights" if "pretrained" in str(error) else ""
        raise ModelError(f"{ref} cannot be built: {one_line(error)}{hint}") from None


def _spec(timm: Any, module: nn.Module) -> tuple[InputSpec, str]:
    """Return timm's own way to prepare a picture, and what could not be taken over."""
    config = timm.data.resolve_model_data_config(module)
    size = _own_size(module) or config["input_size"][1:]
    channels = _channels(module) or config["input_size"][0]
    if channels not in (1, 3):
        return TensorSpec((channels, *size)), ""
    scaled = _scaled(size, config["crop_pct"])
    squashed = config["crop_mode"] == "squash" or scaled[0] != scaled[1]
    height, width = size
    spec = ImageSpec(
        height,
        width,
        channels=channels,
        mean=_per_channel(config["mean"], channels),
        std=_per_channel(config["std"], channels),
        resize=scaled if squashed else scaled[0],
        interpolation=config["interpolation"] if config["interpolation"] != "random" else "bicubic",
    )
    if channels != 3:
        return spec, ""
    theirs = timm.data.create_transform(
        **{**config, "input_size": (channels, *size)}, is_training=False
    )
    return spec, told_difference(spec, "timm", theirs)


def _scaled(size: tuple[int, int], share: float) -> tuple[int, int]:
    return math.floor(size[0] / share), math.floor(size[1] / share)


def _own_size(module: nn.Module) -> tuple[int, int] | None:
    """Return the size of picture that a network was built for, where it is fixed."""
    embedding = getattr(module, "patch_embed", None)
    size = getattr(embedding, "img_size", None)
    return None if size is None else (int(size[0]), int(size[1]))


def _channels(module: nn.Module) -> int | None:
    first = next((part for part in module.modules() if isinstance(part, nn.Conv2d)), None)
    return None if first is None else first.in_channels * (first.groups if first.groups < 2 else 1)


def _per_channel(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    return tuple(values) if len(values) == channels else (sum(values) / len(values),) * channels


def _classes(timm: Any, module: nn.Module) -> tuple[str, ...] | None:
    told = getattr(module, "pretrained_cfg", {})
    names, descriptions = told.get("label_names"), told.get("label_descriptions") or {}
    if names:
        return tuple(str(descriptions.get(name, name)) for name in names)
    subset = timm.data.infer_imagenet_subset(module)
    if subset is None:
        return None
    info = timm.data.ImageNetInfo(subset)
    return tuple(info.index_to_description(index) for index in range(info.num_classes()))


def _card(name: str, module: nn.Module, pretrained: bool, own: bool, note: str) -> Card:
    headless = getattr(module, "num_classes", None) == 0
    without = "it has no head: its outputs are features, not classes" if headless else ""
    notes = tuple(one for one in (without, note) if one)
    if own:
        return Card(name, f"Your weights for timm's {name}.", notes=notes)
    if not pretrained:
        untrained = "its weights are random: it has learned nothing"
        return Card(name, f"timm's {name}, untrained.", notes=(untrained, *notes))
    told = getattr(module, "pretrained_cfg", {})
    return Card(
        name,
        f"timm's {name} with its weights {told.get('tag') or 'from the hub'}.",
        licence=str(told.get("license") or ""),
        origin=str(told.get("origin_url") or told.get("hf_hub_id") or ""),
        notes=notes,
    )
