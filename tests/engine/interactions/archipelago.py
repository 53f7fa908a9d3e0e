"""Functions with known interactions on {−1, 1}^40 (tsang2020how)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product

import numpy as np
import torch

FEATURES = 40
CONTEXTS = np.stack([np.ones(FEATURES), -np.ones(FEATURES)])
Pairs = set[tuple[int, int]]
Function = Callable[[torch.Tensor], torch.Tensor]


def _all(x: torch.Tensor, places: range | list[int], signs: list[int]) -> torch.Tensor:
    """1 if all match their signs, else −1."""
    wanted = torch.tensor(signs, dtype=x.dtype)
    return torch.where((x[:, list(places)] == wanted).all(dim=1), 1.0, -1.0).to(x)


def f1(x: torch.Tensor) -> torch.Tensor:
    tens = [x[:, k : k + 10].sum(dim=1) for k in (0, 10, 20)]
    return x.sum(dim=1) + tens[0] ** 2 + tens[1] * tens[2]


def f2(x: torch.Tensor) -> torch.Tensor:
    return x.sum(dim=1) + _all(x, range(20), [1] * 20) + _all(x, range(10, 30), [1] * 20)


def f3(x: torch.Tensor) -> torch.Tensor:
    return x.sum(dim=1) + _all(x, range(20), [-1] * 20) + _all(x, range(10, 30), [1] * 20)


def f4(x: torch.Tensor) -> torch.Tensor:
    return x.sum(dim=1) + _all(x, [0, 1, 2], [1, 1, -1]) + _all(x, range(10, 30), [1] * 20)


def _within(*sets: range) -> Pairs:
    return {pair for one in sets for pair in combinations(one, 2)}


FUNCTIONS: dict[str, tuple[Function, Pairs]] = {
    "F1": (f1, _within(range(10)) | set(product(range(10, 20), range(20, 30)))),
    "F2": (f2, _within(range(20), range(10, 30))),
    "F3": (f3, _within(range(20), range(10, 30))),
    "F4": (f4, _within(range(3), range(10, 30))),
}
