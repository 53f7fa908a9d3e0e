"""torch's attention with fewer heads: with all of them it is torch's own, and with fewer, sums."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.errors import ModelError
from engine.models.narrowing.heads import Heads, set_heads
from tests.engine.refusals import expect_refusal

WIDTH, HEADS, TOKENS = 12, 3, 5


def attention(**options: bool) -> nn.MultiheadAttention:
    torch.manual_seed(0)
    found = nn.MultiheadAttention(WIDTH, HEADS, **options).double().eval()
    nn.init.normal_(found.in_proj_weight)
    return found


def whole(part: nn.MultiheadAttention) -> nn.Module:
    """The same attention as one that has lost heads, though it has all of them."""
    box = nn.Sequential(attention(batch_first=part.batch_first, bias=part.in_proj_bias is not None))
    set_heads(box, Heads("0", HEADS, HEADS, WIDTH // HEADS))
    return box[0]


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("mask", ["none", "added", "boolean", "each head", "padding", "both"])
def test_with_all_heads_it_is_torchs_own(
    batch_first: bool, bias: bool, need_weights: bool, mask: str
) -> None:
    own = attention(batch_first=batch_first, bias=bias)
    x = drawn(2, TOKENS, WIDTH) if batch_first else drawn(TOKENS, 2, WIDTH)
    other = x.flip(-1)
    upper = torch.ones(TOKENS, TOKENS, dtype=torch.bool).triu(1)
    padding = torch.tensor([[False] * 4 + [True], [False] * 5])
    masks = {
        "none": {}, "added": {"attn_mask": drawn(TOKENS, TOKENS)}, "boolean": {"attn_mask": upper},
        "each head": {"attn_mask": drawn(2 * HEADS, TOKENS, TOKENS)},
        "padding": {"key_padding_mask": padding},
        "both": {"attn_mask": drawn(TOKENS, TOKENS),
                 "key_padding_mask": torch.zeros(2, TOKENS).double().masked_fill(padding, -9.0)},
    }[mask]  # fmt: skip
    for given in ((x, x, x), (x, other, other)):
        for average in (True, False):
            options = {**masks, "need_weights": need_weights, "average_attn_weights": average}
            expected, weights = own(*given, **options)
            found, told = whole(own)(*given, **options)
            torch.testing.assert_close(found, expected)
            assert (told is None) == (weights is None)
            if weights is not None:
                torch.testing.assert_close(told, weights)


def test_one_sample_alone() -> None:
    own = attention()
    x = drawn(TOKENS, WIDTH)
    for found, expected in zip(whole(own)(x, x, x), own(x, x, x), strict=True):
        torch.testing.assert_close(found, expected)


def test_a_form_that_cannot_lose_heads_is_refused() -> None:
    box = nn.Sequential(attention(add_bias_kv=True))
    with expect_refusal(ModelError, "cannot have fewer heads"):
        set_heads(box, Heads("0", HEADS, 1, 4))
