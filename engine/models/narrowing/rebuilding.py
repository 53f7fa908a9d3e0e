"""From a file to the smaller network in it: the architecture is built whole, then made smaller."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

from engine.errors import ModelError, WeightsError
from engine.models.libraries.built import Built
from engine.models.modules import IS_MODULE, on_a_page
from engine.models.narrowing.files import Saved, Tensors, checksum_of
from engine.models.narrowing.heads import set_heads
from engine.models.narrowing.made import remember
from engine.models.narrowing.narrow import narrow

# Builds a whole architecture that is ready for weights.
Builder = Callable[[str, Tensors], Built]


def rebuilt(saved: Saved, tensors: Tensors, arch: str, name: str, build: Builder) -> nn.Module:
    """Return the smaller network of a file, in eval mode.

    Args:
        saved: what the file says.
        tensors: those in the file.
        arch: the architecture as the user names it, or "" for the file's own word.
        name: of the file.
        build: builds an architecture.

    Raises:
        ModelError: damaged, no architecture, or one that the tensors do not fit.
    """
    if checksum_of(tensors) != saved.checksum:
        raise WeightsError(f"{name} is damaged: its checksum does not match its tensors")
    whole = {key: torch.empty(shape, device="meta") for key, shape in saved.pruned.shapes.items()}
    module = _whole(saved, arch, name, build, whole)
    _check_whole(module, saved, name)
    narrow(module, _by_layer(module, tensors, saved, name))
    for heads in saved.pruned.heads:
        set_heads(module, heads)
    module.eval()
    remember(module, saved.pruned)
    return module


def _whole(saved: Saved, arch: str, name: str, build: Builder, whole: Tensors) -> nn.Module:
    named = arch or saved.arch
    if not arch and named == "hf":
        from engine.models.libraries.hub_models import from_config

        return from_config(name, saved.config)
    if not named:
        raise ModelError(
            f"{name} was made from a network in hand and does not say how to build it; write "
            f"file:{name}?arch=module:builder, the builder of {saved.pruned.title}"
        )
    if not arch:
        _check_named(named, name)
    return build(named, whole).module


def _check_named(named: str, name: str) -> None:
    """Refuse what a file names beyond networks that are here: code, folders, addresses.

    Raises:
        ModelError: code is only imported where the user, or an administrator, names it.
    """
    kind, colon, rest = named.partition("?")[0].partition(":")
    if not colon or (kind in ("timm", "torchvision") and not set(rest) & set(":/\\")):
        return
    if not IS_MODULE.fullmatch(f"{kind}:{rest}"):
        raise ModelError(f"{name} names {named!r}, from which no network is built")
    if not on_a_page():
        raise ModelError(
            f"{name} needs the code of {named}, which a file cannot name for you; write "
            f"file:{name}?arch={named}"
        )


def _check_whole(module: nn.Module, saved: Saved, name: str) -> None:
    own = {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}
    if own != dict(saved.pruned.shapes):
        wrong = next(
            (key for key, shape in saved.pruned.shapes.items() if own.get(key) != shape),
            next(iter(set(own) - set(saved.pruned.shapes)), ""),
        )
        raise WeightsError(
            f"{name} does not fit {type(module).__name__}: {wrong!r} is of another shape there"
        )


def _by_layer(
    module: nn.Module, tensors: Tensors, saved: Saved, name: str
) -> Mapping[tuple[str, str], torch.Tensor]:
    shapes = saved.pruned.shapes
    lacking = [key for key in shapes if key not in tensors]
    if lacking:
        raise WeightsError(f"{name} is damaged: it lacks {lacking[0]!r}")
    found = {}
    for key, tensor in tensors.items():
        layer, _, held = key.rpartition(".")
        part = dict(module.named_modules()).get(layer) if key not in shapes else None
        is_new = part is not None and held in part._parameters  # a bias that came with a repair
        fits = key in shapes and tensor.ndim == len(shapes[key])
        if not is_new and not (
            fits and all(a <= b for a, b in zip(tensor.shape, shapes[key], strict=True))
        ):
            raise WeightsError(f"{name} is damaged: {key!r} fits nowhere")
        found[layer, held] = tensor
    return found
