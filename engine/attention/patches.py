"""Where the tokens of a vision transformer lie on the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from threading import Lock
from weakref import WeakKeyDictionary

import torch

from engine.attention.capture import capture_attention
from engine.errors import MethodError
from engine.execution.passes import Passes
from engine.models.loaded import LoadedModel

# More tokens before the patches than this are taken for something else than class and
# register tokens.
_MOST_PREFIX = 16

_reasons: WeakKeyDictionary[LoadedModel, str] = WeakKeyDictionary()
_guard = Lock()


@dataclass(frozen=True)
class PatchGrid:
    """Tokens as places: first class and register tokens, then patches row by row.

    Attributes:
        rows, columns: of patches.
        prefix: tokens before the patches; the first of them, if any, is the class token.
    """

    rows: int
    columns: int
    prefix: int

    @property
    def tokens(self) -> int:
        """Number of all tokens."""
        return self.prefix + self.rows * self.columns


def patch_grid(model: LoadedModel, tokens: int) -> PatchGrid:
    """Return the grid of a number of tokens.

    The grid is that of the layer whose maps have as many cells as there are tokens, or a few
    less; where no layer has, the tokens but for the class token must make a square.

    Raises:
        MethodError: neither is so.
    """
    drawn = [
        PatchGrid(rows, columns, tokens - rows * columns)
        for _, rows, columns in (layer.shape for layer in model.layers)
        if 0 <= tokens - rows * columns <= _MOST_PREFIX and rows * columns > 1
    ]
    if drawn:
        return min(drawn, key=lambda grid: grid.prefix)
    for prefix in (1, 0):
        side = isqrt(max(0, tokens - prefix))
        if side > 1 and side**2 == tokens - prefix:
            return PatchGrid(side, side, prefix)
    raise MethodError(f"{model.card.title} has {tokens} tokens, which make no grid of patches")


def check_global(model: LoadedModel, maps: Sequence[torch.Tensor]) -> PatchGrid:
    """Make sure that every layer attends from all tokens to all tokens; return their grid.

    Args:
        model: the model.
        maps: of one sample, as ``capture_attention`` returns them.

    Raises:
        MethodError: no attention was seen, it is windowed, or layers have other tokens.
    """
    title = model.card.title
    if not maps:
        raise MethodError(f"no attention was seen in {title}: it computes it by hand or is traced")
    for index, found in enumerate(maps):
        shape = tuple(found.shape)
        if len(shape) != 4 or shape[0] != 1 or shape[2] != shape[3]:
            raise MethodError(
                f"{title} attends within windows or between different tokens: attention {index} "
                f"has shape {shape}, expected (1, heads, tokens, tokens)"
            )
    counts = [found.shape[-1] for found in maps]
    if len(set(counts)) > 1:
        told = ", ".join(map(str, sorted(set(counts), reverse=True)))
        raise MethodError(f"the layers of {title} have different numbers of tokens: {told}")
    return patch_grid(model, counts[0])


def reason_against(model: LoadedModel) -> str | None:
    """Say in one line why a model's attention makes no maps, or None if it does.

    Runs one forward pass on noise, once for each loaded model.
    """
    with _guard:
        known = _reasons.get(model)
    if known is None:
        known = _look(model)
        with _guard:
            _reasons[model] = known
    return known or None


def _look(model: LoadedModel) -> str:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((1, *model.spec.shape), generator=generator).to(model.device)
    try:
        check_global(model, capture_attention(Passes(model), noise))
    except MethodError as error:
        return str(error)
    return ""
