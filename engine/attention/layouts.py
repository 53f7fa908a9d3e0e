"""Which token stands in which window, and what becomes of the tokens between blocks."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from engine.attention.decoding import Pull, decode, gradient, proportional, random_like
from engine.attention.probing import Form, Probed, as_tokens
from engine.attention.visits import Call, Spot

_FORMS: tuple[Form, ...] = ("channels last", "channels first")


class Unplaced(Exception):
    """Tokens have no known places; the message says why."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the tokens of one block stand.

    Attributes:
        span: the spots before and after the block.
        form: which axes of its tensors are tokens.
        slots: the token of each slot, ``(windows, slots)``; −1 for padding.
        merged: from the tokens after the last block to these, or None where they are the same.
    """

    span: tuple[Spot, Spot]
    form: Form
    slots: torch.Tensor
    merged: torch.Tensor | None = None

    @property
    def tokens(self) -> int:
        """Number of the block's tokens."""
        return int((self.slots >= 0).sum())


def find_layouts(calls: tuple[Call, ...], probed: Probed) -> list[Layout]:
    """Find the layout of every attention.

    Args:
        calls: the attentions, each with a span.
        probed: with the tensors at their spans.

    Raises:
        Unplaced: one has a layout that cannot be found.
    """
    found: list[Layout] = []
    for call in calls:
        layout = _layout(call, probed)
        if found:
            merged = _between(found[-1], layout, call, probed)
            layout = Layout(layout.span, layout.form, layout.slots, merged)
        found.append(layout)
    return found


def told(call: Call) -> str:
    """Return what a reader knows an attention by."""
    return f"attention {call.index}" + (f" ({call.name})" if call.name else "")


def _layout(call: Call, probed: Probed) -> Layout:
    if call.span is None:
        raise Unplaced(f"{told(call)} stands between no modules that take or return its tokens")
    before, after = (probed.tokens[spot] for spot in call.span)
    forms = _FORMS if 4 in (before.ndim, after.ndim) else _FORMS[:1]
    reasons: list[Unplaced] = []
    for form in forms:
        try:
            return Layout(call.span, form, _slots(call, probed, form))
        except Unplaced as error:
            reasons.append(error)
    raise reasons[0]


def _slots(call: Call, probed: Probed, form: Form) -> torch.Tensor:
    before, after = (probed.tokens[spot] for spot in call.span or ())
    leaf = probed.leaves[call.index]
    tokens = as_tokens(after, form)  # (tokens, channels)
    numbers, mixed = decode(_answers_of(tokens, leaf), len(tokens))
    slots = numbers.reshape(leaf.shape[:2])
    if (slots < 0).all() and not mixed:
        raise Unplaced(f"{told(call)} has no effect on what its block returns")
    if mixed:
        raise Unplaced(
            f"{told(call)} attends between channels, or tokens are mixed after it: what it "
            "finds for one token goes to several"
        )
    placed = slots[slots >= 0].sort().values
    if not torch.equal(placed, torch.arange(len(tokens))):
        raise Unplaced(f"not each of the {len(tokens)} tokens stands in one slot of {told(call)}")
    if not _keys_agree(tokens, before, leaf, slots, form):
        raise Unplaced(f"tokens are mixed before {told(call)}")
    return slots


def _answers_of(tokens: torch.Tensor, leaf: torch.Tensor) -> Pull:
    """Return how a matrix's rows change weighted tokens: weights → ``(slots, keys)``."""
    heights = (tokens * random_like(tuple(tokens.shape), tokens)).sum(dim=1)  # (tokens,)

    return lambda weights: gradient(heights @ weights.to(heights), leaf).flatten(0, 1)


def _keys_agree(
    after: torch.Tensor, before: torch.Tensor, leaf: torch.Tensor, slots: torch.Tensor, form: Form
) -> bool:
    """Whether the key in each slot is made from the slot's own token, and from no other.

    What a row of the matrix takes from a key depends on the key's token; on the row's own token
    it depends as well, so every other row is asked at a time.
    """
    heights = (after * random_like(tuple(after.shape), after)).sum()
    taken = gradient(heights, leaf, create_graph=True)  # (windows, rows, keys)
    real = slots >= 0
    weights = random_like(tuple(slots.shape), leaf, spread=False)
    for parity in (0, 1):
        rows = real & (real.cumsum(dim=1) % 2 == parity)
        asked = taken * rows[:, :, None].to(leaf)
        plain = as_tokens(gradient(asked.sum(), before), form).cpu()  # (tokens, channels)
        coded = as_tokens(gradient((asked * weights[:, None]).sum(), before), form).cpu()
        others = real & ~rows
        mine = slots[others]
        if not proportional(coded[mine], plain[mine], weights.cpu()[others]):
            return False
    return True


def _between(last: Layout, layout: Layout, call: Call, probed: Probed) -> torch.Tensor | None:
    """Return which token each token after the last block goes into, or None: the same."""
    earlier, later = last.span[1], layout.span[0]
    if probed.same(earlier, later) and last.tokens == layout.tokens:
        return None
    source = probed.tokens[earlier]
    tokens = as_tokens(probed.tokens[later], layout.form)
    heights = (tokens * random_like(tuple(tokens.shape), tokens)).sum(dim=1)

    def pull(weights: torch.Tensor) -> torch.Tensor:
        return as_tokens(gradient(heights @ weights.to(heights), source), last.form)

    merged, mixed = decode(pull, len(tokens))
    if mixed:
        raise Unplaced(f"tokens are mixed before the block of {told(call)}")
    if (merged < 0).any() or len(merged.unique()) < len(tokens):
        raise Unplaced(
            f"the {last.tokens} tokens before {told(call)} are not the ones that make its "
            f"{len(tokens)}: some are dropped or added"
        )
    return None if torch.equal(merged, torch.arange(len(tokens))) else merged
