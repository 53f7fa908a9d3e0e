"""Which of the last block's tokens the head reads."""

from __future__ import annotations

import numpy as np

from engine.attention.decoding import gradient, random_like
from engine.attention.layouts import Layout, Unplaced
from engine.attention.probing import Probed, as_tokens
from engine.attention.site import ALL, ALONE, BOTH, PAIR, PATCHES

_NOTHING = 1e-6


def find_readout(probed: Probed, last: Layout, fixed: tuple[int, int]) -> tuple[str, np.ndarray]:
    """Find what the head reads, from the gradient of the logits.

    Args:
        probed: with the tensors at the last block's span.
        last: its layout.
        fixed: class and register tokens before and after its patches.

    Returns:
        Its name, as in ``AttentionSites.reads``, and the weights of the tokens in it.

    Raises:
        Unplaced: the head reads nothing of that block, or a part of its tokens that is none
            of these.
    """
    logits = probed.logits
    score = (logits * random_like(tuple(logits.shape), logits)).sum()
    slopes = as_tokens(gradient(score, probed.tokens[last.span[1]]), last.form).norm(dim=1)
    strengths = slopes.double().cpu().numpy()  # (tokens,)
    read = strengths > _NOTHING * strengths.max()
    if not read.any():
        raise Unplaced("the head reads nothing of what the last block returns (zero weights?)")
    own = np.ones(len(read), dtype=bool)
    own[fixed[0] : len(own) - fixed[1]] = False  # class and register tokens
    return _named(read, own, strengths)


def _named(read: np.ndarray, own: np.ndarray, strengths: np.ndarray) -> tuple[str, np.ndarray]:
    patches = read & ~own
    special = int((read & own).sum())
    if not patches.any() and special <= 2:
        return (ALONE if special == 1 else PAIR), _even(read)
    if not special:
        return PATCHES, _even(~own)
    if special == 1 and _outweighs(strengths[read & own], strengths[patches]):
        return BOTH, (_even(read & own) + _even(~own)) / 2
    if read.all():
        return ALL, _even(read)
    raise Unplaced(f"the head reads {special} class or register tokens and {patches.sum()} patches")


def _outweighs(alone: np.ndarray, patches: np.ndarray) -> bool:
    """Whether a token is read for itself, and not as one of all: far more than a patch is."""
    return bool(alone[0] > np.sqrt(len(patches)) * np.median(patches))


def _even(mask: np.ndarray) -> np.ndarray:
    return mask / mask.sum()
