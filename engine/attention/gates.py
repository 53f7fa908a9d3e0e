"""Gates: every attention head's output times a number, 1 to leave it and 0 to switch it off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch

from engine.attention.interception import Fused, Interceptor
from engine.errors import MethodError


class Gates(Interceptor):
    """Multiplies what heads put out by their gates; see ``gated``."""

    def __init__(self, gates: Mapping[int, torch.Tensor]) -> None:
        super().__init__()
        self.gates = gates

    def fused(self, index: int, call: Fused) -> torch.Tensor:
        """Gate the output."""
        return self._gated(index, call.run())

    def weighted(
        self, index: int, weights: torch.Tensor, plain: Callable[[], torch.Tensor]
    ) -> torch.Tensor:
        """Gate the probabilities, and so the output, which is linear in them."""
        return self._gated(index, weights)

    def _gated(self, index: int, values: torch.Tensor) -> torch.Tensor:
        gate = self.gates.get(index)
        return values if gate is None else values * _fitted(index, gate, values)


@contextmanager
def gated(gates: Mapping[int, torch.Tensor]) -> Iterator[None]:
    """Gate the heads of the one forward pass that this thread runs inside.

    A zero gate is exactly what zeroing the head's columns of the output projection is.
    Gradients flow to the gates. Maps that a network returns are the gated ones; those of
    ``recording`` are not.

    Args:
        gates: by the site's index; each ``(heads,)``, the same for all samples, or
            ``(n, heads)``, one row for each sample. Sites without a gate are left alone.

    Raises:
        MethodError: a gate of another number of heads or samples, or of an attention that the
            pass did not come to.
    """
    with Gates(gates) as mode:
        yield
    beyond = [index for index in gates if not 0 <= index < mode.calls]
    if beyond:
        raise MethodError(f"a gate for attention {beyond[0]}, but {mode.calls} were seen")


def _fitted(index: int, gate: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return a gate as ``(1 or n × windows, heads, 1, 1)``, for ``(n × windows, heads, …)``."""
    rows = gate if gate.ndim == 2 else gate[None]
    if values.ndim != 4 or rows.ndim != 2 or rows.shape[1] != values.shape[1]:
        raise MethodError(
            f"attention {index} works on {tuple(values.shape)}, (n, heads, tokens, …); its gate "
            f"has shape {tuple(gate.shape)}, expected (heads,) or (n, heads)"
        )
    if len(values) % len(rows):
        raise MethodError(
            f"attention {index} works on {len(values)} windows, the gate has {len(rows)} samples"
        )
    if len(rows) > 1:  # the windows of one sample follow one another
        rows = rows.repeat_interleave(len(values) // len(rows), dim=0)
    return rows.to(values)[:, :, None, None]
