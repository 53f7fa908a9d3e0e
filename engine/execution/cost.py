"""What a method costs, in passes over the model, one sample each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """A number of passes; as a promise, an upper bound.

    Attributes:
        forward: samples sent through the model.
        backward: samples for which a gradient was taken.

    >>> Cost(50, 50) + Cost(2)
    Cost(forward=52, backward=50)
    """

    forward: int = 0
    backward: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.forward + other.forward, self.backward + other.backward)

    @property
    def total(self) -> int:
        """Forward and backward passes together."""
        return self.forward + self.backward

    def within(self, promised: Cost) -> bool:
        """Whether no more was used than promised."""
        return self.forward <= promised.forward and self.backward <= promised.backward

    def describe(self) -> str:
        """Say it in words: "52 forward and 50 backward passes"."""
        if not self.backward:
            return f"{self.forward} forward pass{'es' if self.forward != 1 else ''}"
        many = "es" if self.backward != 1 or self.forward != 1 else ""
        return f"{self.forward} forward and {self.backward} backward pass{many}"
