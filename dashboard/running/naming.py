"""What to call models that were added: short, and no two the same."""

from __future__ import annotations

from collections.abc import Container
from itertools import count
from urllib.parse import parse_qsl, unquote

_LIBRARIES = ("hf", "timm", "torchvision")
_OPTIONS = 40  # characters
_SHOWN = 90


def title_for(own: str, ref: str, taken: Container[str]) -> str:
    """Return a title that is not taken: the model's own, its library, or what was asked of it.

    >>> title_for("net:build", "net:build?layer=conv1", {"net:build"})
    'net:build (layer=conv1)'
    >>> title_for("resnet18", "timm:resnet18", {"resnet18"})
    'resnet18 (timm)'
    """
    head, _, query = ref.partition("?")
    kind = head.partition(":")[0]
    wanted = ", ".join(f"{name}={text}" for name, text in parse_qsl(query) if name != "arch")
    tried = [own, *([f"{own} ({kind})"] if kind in _LIBRARIES else [])]
    tried.append(f"{own} ({_cut(wanted, _OPTIONS) if wanted else 'as it is'})")
    for title in tried:
        if title not in taken:
            return title
    return next(title for n in count(2) if (title := f"{own} ({n})") not in taken)


def readable(ref: str) -> str:
    """Return a reference as people read it: decoded, and not too long.

    >>> readable("net:build?classes=%5B%22cat%22%5D")
    'net:build?classes=["cat"]'
    """
    return _cut(unquote(ref), _SHOWN)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
