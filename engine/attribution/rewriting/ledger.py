"""What biases and the stabiliser take of the relevance on its way back."""

from __future__ import annotations

import torch


class Ledger:
    """Sums, in float64, of what does not reach the input; filled during the backward pass.

    Attributes:
        biases: what went to biases and other constants.
        stabiliser: what the ε in the denominators took.
    """

    def __init__(self) -> None:
        self._biases: list[torch.Tensor] = []
        self._stabiliser: list[torch.Tensor] = []

    def to_biases(self, multipliers: torch.Tensor, constants: torch.Tensor) -> None:
        """Add the relevance of constants: multipliers × constants, broadcastable."""
        self._biases.append(_product(multipliers, constants))

    def to_stabiliser(self, multipliers: torch.Tensor, lost: torch.Tensor) -> None:
        """Add multipliers × what the stabiliser took of the outputs."""
        self._stabiliser.append(_product(multipliers, lost))

    @property
    def biases(self) -> float:
        """Sum of all that went to constants."""
        return sum((float(one) for one in self._biases), 0.0)

    @property
    def stabiliser(self) -> float:
        """Sum of all that ε took."""
        return sum((float(one) for one in self._stabiliser), 0.0)

    @property
    def size(self) -> float:
        """Sum of the magnitudes of the entries, for the rounding to expect."""
        return sum(abs(float(one)) for one in self._biases + self._stabiliser)


def _product(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return the sum of a product, multiplied in the tensors' own precision."""
    product = (one * other).detach()
    on_mps = product.device.type == "mps"  # which has no float64
    return (product.cpu() if on_mps else product).sum(dtype=torch.float64)
