"""Attention maps of one forward pass, taken where torch computes attention."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch

from engine.attention.interception import Fused, Interceptor
from engine.attention.site import AttentionSites
from engine.errors import MethodError
from engine.execution.passes import Passes


class _Recorder(Interceptor):
    """Notes the probabilities of each attention, in the order of the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.maps: list[torch.Tensor] = []

    def fused(self, index: int, call: Fused) -> torch.Tensor:
        with torch.no_grad():
            self.maps.append(call.probabilities())
        return call.run()

    def weighted(
        self, index: int, weights: torch.Tensor, plain: Callable[[], torch.Tensor]
    ) -> torch.Tensor:
        self.maps.append(plain())
        return weights


@contextmanager
def recording() -> Iterator[list[torch.Tensor]]:
    """Collect the attention maps of all that this thread runs inside.

    Seen are torch's fused attention, ``nn.MultiheadAttention``, and softmax over the last axis
    of four or more axes. Maps are those before any gate (see ``gated``), so their rows sum
    to 1. What gradient checkpointing computes anew outside the ``with`` is not seen.

    Yields:
        A list that fills up, one entry for each attention, in the order of the calls: the
        probabilities, as a rule ``(n, heads, queries, keys)``; of windowed attention
        ``(n × windows, heads, queries, keys)``, the windows of the first sample first.
    """
    with _Recorder() as recorder:
        yield recorder.maps


def capture_attention(passes: Passes, x: torch.Tensor) -> list[torch.Tensor]:
    """Run one counted forward pass and return its attention maps.

    Args:
        passes: how to run.
        x: ``(n, …)``, prepared.

    Returns:
        As ``recording``; detached, in the network's own precision. Empty if the network
        computes its attention by hand, without a softmax, or is traced.

    Raises:
        Cancelled: the caller asked to stop.
    """
    with torch.no_grad(), recording() as maps:
        passes.forward(x)
    return maps


def check_seen(title: str, found: AttentionSites, maps: Sequence[torch.Tensor]) -> None:
    """Check that maps of one sample are those that a model's sites tell.

    Args:
        title: of the model.
        found: its attention.
        maps: as ``recording`` collects them.

    Raises:
        MethodError: others came than when the model was looked at.
    """
    wanted = [(site.windows, site.heads, site.queries, site.keys) for site in found.sites]
    seen = [tuple(one.shape) for one in maps]
    if seen != wanted:
        raise MethodError(
            f"{title} attends otherwise than when it was looked at: {len(seen)} maps of "
            f"shapes {seen}, expected {wanted}"
        )
