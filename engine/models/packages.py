"""The libraries that an estimator computes with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

# Modules that are distributed under another name.
_CALLED = {"sklearn": "scikit-learn"}


def packages_of(estimator: Any) -> dict[str, str]:
    """Return the version of each library that an estimator, and those within it, are of.

    Args:
        estimator: of scikit-learn's kind; a pipeline or the like tells its parts.
    """
    found: dict[str, str] = {}
    for part in _parts(estimator):
        for kind in type(part).__mro__:
            root = kind.__module__.partition(".")[0]
            version = getattr(sys.modules.get(root), "__version__", None)
            if isinstance(version, str):
                found[_CALLED.get(root, root)] = version
    return found


def libraries_of(module: Any) -> dict[str, str]:
    """Return the version of each library that a network's layers are of, besides torch.

    Args:
        module: an ``nn.Module``.
    """
    roots = {type(part).__module__.partition(".")[0] for part in module.modules()}
    return {
        name: sys.modules[name].__version__
        for name in sorted(roots & {"transformers", "torchvision", "timm"})
        if name in sys.modules
    }


def _parts(estimator: Any) -> Iterator[Any]:
    yield estimator
    try:
        inner = estimator.get_params(deep=True)
    except Exception:  # not of scikit-learn's own kind
        return
    yield from (part for part in inner.values() if hasattr(part, "predict") or _changes(part))


def _changes(part: Any) -> bool:
    return hasattr(part, "transform") and not isinstance(part, type)
