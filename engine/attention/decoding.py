"""Which token is which: numbers read off gradients, exact for any order, window or shift."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt

import torch

Pull = Callable[[torch.Tensor], torch.Tensor]

# A proportion that is off by more than this share is no rounding error of float32.
_TOLERANCE = 2e-3
_NOTHING = 1e-7


def decode(pull: Pull, count: int) -> tuple[torch.Tensor, bool]:
    """Find for each slot the one token that it belongs to.

    A slot's answer is linear in the tokens' weights. If it belongs to token t alone, its answer
    to any weights is weight t times its answer to ones; so weights that spell the tokens'
    numbers, digit by digit, tell t.

    Args:
        pull: from weights of the tokens, ``(tokens,)``, to the slots' answers, ``(slots, k)``.
        count: of tokens.

    Returns:
        The token of each slot, ``(slots,)``, −1 where a slot answers nothing; and whether
        some slot belongs to several tokens (the numbers then mean nothing).
    """
    base = isqrt(max(count - 1, 0)) + 1
    order = torch.arange(count)
    plain = pull(torch.ones(count)).cpu().double()  # (slots, k)
    size = plain.norm(dim=1)
    answers = size > _NOTHING * size.max() if size.numel() else size > 0
    if not answers.any():
        return torch.full((len(plain),), -1), False
    numbers = torch.zeros(len(plain), dtype=torch.long)
    for digit in (order // base, order % base):
        answer = pull(1.0 + digit).cpu().double()
        ratio = (answer * plain).sum(dim=1) / plain.square().sum(dim=1).clamp_min(1e-300)
        numbers = numbers * base + ratio.round().long() - 1
    inside = (numbers >= 0) & (numbers < count)
    if not inside[answers].all():
        return numbers, True
    numbers = numbers.where(answers, -1)
    return numbers, not _holds(pull, plain, numbers, count)


def proportional(answer: torch.Tensor, plain: torch.Tensor, times: torch.Tensor) -> bool:
    """Whether each row of one, ``(slots, k)``, is so many times (about 1 to 2) the other's."""
    expected = times[:, None].double() * plain.double()
    off = (answer.double() - expected).norm(dim=1)
    return bool((off <= _TOLERANCE * expected.norm(dim=1)).all())


def random_like(shape: tuple[int, ...], like: torch.Tensor, *, spread: bool = True) -> torch.Tensor:
    """Draw normal numbers, or numbers from 1 to 2, always the same, where a tensor is."""
    generator = torch.Generator().manual_seed(1)
    drawn = (
        torch.randn(shape, generator=generator)
        if spread
        else 1 + torch.rand(shape, generator=generator)
    )
    return drawn.to(like)


def _holds(
    pull: Pull,
    plain: torch.Tensor,
    numbers: torch.Tensor,
    count: int,
) -> bool:
    """Whether weights drawn by chance give what the numbers foretell."""
    weights = random_like((count,), torch.ones(1), spread=False)
    real = numbers >= 0
    expected = weights[numbers[real]]
    return proportional(pull(weights).cpu()[real], plain[real], expected)


def gradient(value: torch.Tensor, at: torch.Tensor, *, create_graph: bool = False) -> torch.Tensor:
    """Return the gradient of one number at a tensor; zeros where it does not depend on it."""
    if not value.requires_grad:
        return torch.zeros_like(at)
    (found,) = torch.autograd.grad(
        value, at, retain_graph=True, create_graph=create_graph, allow_unused=True
    )
    return torch.zeros_like(at) if found is None else found
