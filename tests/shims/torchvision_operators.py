"""Lets torchvision be imported where torch is a CPU build and torchvision is built for CUDA.

The registry's torchvision defines its operators in a library that such a torch cannot load;
models and transforms need only the names of two of them. For tests alone.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_kept: list[object] = []  # what is defined lasts as long as its library
_NMS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


class _Operators(MetaPathFinder):
    """Names the operators just before torchvision is imported; finds nothing itself."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == "torchvision":
            sys.meta_path.remove(self)
            _define()
        return None


def _define() -> None:
    from importlib.metadata import version

    import torch

    suits = torch.version.cuda is not None or "+cpu" in version("torchvision")
    if sys.platform != "linux" or suits:
        return
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(name + _NMS)
    _kept.append(library)


def install() -> None:
    """Do so in this process, once."""
    if "torchvision" not in sys.modules and not any(
        type(finder).__name__ == _Operators.__name__ for finder in sys.meta_path
    ):
        sys.meta_path.insert(0, _Operators())


install()
