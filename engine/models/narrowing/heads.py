"""Attention with fewer heads: its own settings follow, those of others do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from engine.errors import ModelError
from engine.models.zoo.small_vit import Attention


@dataclass(frozen=True)
class Heads:
    """How many heads an attention has and had.

    Attributes:
        layer: name of the module that computes the attention.
        before, after: heads of the whole network's, and of the smaller.
        width: numbers that each head puts out.
    """

    layer: str
    before: int
    after: int
    width: int


def set_heads(module: nn.Module, heads: Heads) -> None:
    """Let the settings of one attention follow its number of heads.

    Raises:
        ModelError: torch's attention in a form that cannot have fewer heads.
    """
    part = module.get_submodule(heads.layer)
    if isinstance(part, nn.MultiheadAttention):
        _check_packed(part, heads.layer)
        part.__class__ = NarrowMultihead
        part._qkv_same_embed_dim = False  # no short cut that takes the width for granted
    elif type(part) is Attention:
        part.__class__ = NarrowAttention
    for name, value in list(vars(part).items()):
        if type(value) is int and "head" in name and value == heads.before != heads.width:
            setattr(part, name, heads.after)
        elif type(value) is int and _is_whole(name) and value == heads.before * heads.width:
            setattr(part, name, heads.after * heads.width)
    for name in _COUNTS:
        if type(getattr(part, name, None)) is int:
            setattr(part, name, heads.after)


_COUNTS = ("num_heads", "heads", "num_attention_heads", "n_heads", "n_head", "nhead")
_WHOLE = ("all_head", "attn_dim", "inner", "attention_dim")


def _is_whole(name: str) -> bool:
    return any(word in name for word in _WHOLE)


def _check_packed(part: nn.MultiheadAttention, layer: str) -> None:
    if part.in_proj_weight is None or part.bias_k is not None or part.add_zero_attn:
        raise ModelError(
            f"{layer}: torch's attention with separate projections, or with a key of its own, "
            "cannot have fewer heads"
        )


class NarrowAttention(Attention):
    """The small transformer's attention with any number of heads of the width they had."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, t, width) → (n, t, width)"""
        n, tokens, _ = x.shape
        parts = self.qkv(x).reshape(n, tokens, 3, self.heads, -1)
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # each (n, heads, t, width of a head)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.proj(mixed.transpose(1, 2).flatten(2))


class NarrowMultihead(nn.MultiheadAttention):
    """torch's attention with any number of heads of the width they had."""

    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        key_padding_mask: torch.Tensor | None = None,
        need_weights: bool = True,
        attn_mask: torch.Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """As torch's own: (n, t, width) → (n, t, width), and the weights where wanted."""
        packed = query is key and key is value
        alone = query.ndim == 2
        if alone:
            query, key, value = (one.unsqueeze(0) for one in (query, key, value))
        elif not self.batch_first:
            query, key, value = (one.transpose(0, 1) for one in (query, key, value))
        mask = _joint_mask(key_padding_mask, attn_mask, self.num_heads, query)
        given = (query,) if packed else (query, key, value)
        mixed, weights = self._mixed(self._projected(given), mask, need_weights)
        out = self.out_proj(mixed.transpose(1, 2).flatten(2))
        if weights is not None and average_attn_weights:
            weights = weights.mean(dim=1)
        if alone:
            return out[0], None if weights is None else weights[0]
        return out if self.batch_first else out.transpose(0, 1), weights

    def _projected(self, given: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
        """Return queries, keys and values, (n, heads, t, width of a head) each.

        Args:
            given: what they are made from, each (n, t, width); one tensor if that is the same.
        """
        weight, bias = self.in_proj_weight, self.in_proj_bias
        if len(given) == 1:
            parts = F.linear(given[0], weight, bias).chunk(3, dim=-1)
        else:
            biases: Any = (None,) * 3 if bias is None else bias.chunk(3)
            parts = tuple(map(F.linear, given, weight.chunk(3), biases))
        return [part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for part in parts]

    def _mixed(
        self, projected: list[torch.Tensor], mask: torch.Tensor | None, need_weights: bool
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return what each head puts out, (n, heads, t, width of a head), and its weights."""
        q, k, v = projected
        dropout = self.dropout if self.training else 0.0
        if not need_weights:
            return F.scaled_dot_product_attention(q, k, v, mask, dropout), None
        scores = q @ k.transpose(-2, -1) / self.head_dim**0.5
        if mask is not None:
            scores = scores + mask
        weights = F.dropout(scores.softmax(dim=-1), dropout)
        return weights @ v, weights


def _joint_mask(
    padding: torch.Tensor | None, mask: torch.Tensor | None, heads: int, query: torch.Tensor
) -> torch.Tensor | None:
    """Return what is added to the scores, ``(n or 1, heads or 1, queries, keys)``, or None."""
    parts = []
    if mask is not None:
        wide = mask if mask.ndim == 2 else mask.unflatten(0, (-1, heads))
        parts.append(wide if wide.ndim == 4 else wide[None, None])
    if padding is not None:
        wide = padding if padding.ndim == 2 else padding[None]
        parts.append(wide[:, None, None])
    added = [_as_added(part, query) for part in parts]
    return sum(added[1:], added[0]) if added else None


def _as_added(mask: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
    if mask.dtype != torch.bool:
        return mask.to(query)
    return torch.zeros(mask.shape, dtype=query.dtype, device=query.device).masked_fill(
        mask, float("-inf")
    )
