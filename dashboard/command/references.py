"""References on the command line: what can be known of them before anything is loaded."""

from __future__ import annotations

import re
from importlib.util import find_spec

from engine.errors import HaloscopeError

KINDS = """\
kinds of references:
  imagenet-cnn                                a model that comes with Haloscope
  torchvision:resnet18                        a library's network with its published weights;
  timm:vit_tiny_patch16_224                     ?weights=none for random ones
  hf:owner/name, hf:FOLDER                    a classifier of pictures that transformers reads
  file:w.safetensors?arch=timm:resnet18       weights in a file (.safetensors, .pth, .pt, .bin)
  file:w.pth?arch=mynet:build                   for a network that a module of yours builds
  file:forest.skops?columns=train.csv&label=y an estimator for tables
  mynet:build                                 a network as a module of yours builds it

options after "?" correct what is found out: size=96, channels=1, mean=0.5, std=0.5 (or one
number a channel: 0.5,0.4,0.3), resize=256, interpolation=bicubic, classes=names.txt, layer=NAME,
activation=sigmoid; all others go to the builder: num_classes=10
"""

_LIBRARIES = {"hf": "transformers", "timm": "timm", "torchvision": "torchvision"}


def check_model(ref: str) -> None:
    """Refuse a reference that cannot work, before the dashboard opens.

    Raises:
        HaloscopeError: unknown kind or name, no such file, module or package, or a correction
            that cannot be read.
    """
    from engine.models.corrections import Corrections
    from engine.models.libraries.extras import need
    from engine.models.references import architecture_of, check_reference, parse_file_reference
    from engine.models.references import parse_reference as parse

    check_reference(ref)
    options = parse_file_reference(ref) if ref.startswith("file:") else parse(ref)
    Corrections.from_options(options.corrections)
    found = architecture_of(ref)
    if found is None:
        return
    if found.kind == "module":
        check_module(found.name.partition(":")[0])
    package = _LIBRARIES.get(found.kind)
    if package and find_spec(package) is None:
        need(package, ref)


def check_module(name: str) -> None:
    """Refuse a module that is not there, without importing it.

    Raises:
        HaloscopeError: no name of a module, or there is none.
    """
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", name):
        raise HaloscopeError(f"{name!r} is no name of a module; write it as in import: my.module")
    try:
        found = find_spec(name)
    except Exception:  # a dotted name has its package imported, which is the user's own code
        found = None
    if found is None:
        raise HaloscopeError(f"no module {name!r} on the Python path")
