"""A tiny vision transformer and every metric of its heads, in float64 and plain numpy.

Independent of the engine: from weights and pictures alone. Attention is multiplied by gates
where a head's output meets its own columns of the output projection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from math import factorial

import numpy as np
from torch import nn

Gates = np.ndarray  # (layers, heads)


@dataclass
class Passed:
    """One picture's pass."""

    logits: np.ndarray
    embedding: np.ndarray
    maps: list[np.ndarray]  # of each layer (heads, tokens, tokens)
    outputs: list[np.ndarray]  # of each layer (heads, tokens, width)


class Reference:
    """The network of ``tests.engine.attention.nets.Vit`` (or ``Of(Block)``), patches of 4 × 4."""

    def __init__(self, module: nn.Module) -> None:
        self.w = {name: v.detach().double().numpy() for name, v in module.state_dict().items()}
        self.layers = len(module.blocks)
        self.heads = module.blocks[0].heads

    def ones(self) -> Gates:
        return np.ones((self.layers, self.heads))

    def run(self, picture: np.ndarray, gates: Gates | None = None) -> Passed:
        w, gates = self.w, self.ones() if gates is None else gates
        kernel = w["patches.weight"]  # (width, 3, 4, 4)
        rows, columns = picture.shape[1] // 4, picture.shape[2] // 4
        tokens = [w["tokens"][0, 0]]
        for row in range(rows):
            for column in range(columns):
                cut = picture[:, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
                tokens.append(np.tensordot(kernel, cut, axes=3) + w["patches.bias"])
        x = np.stack(tokens)  # (tokens, width)
        maps, outputs = [], []
        for layer in range(self.layers):
            added, attention, given = self._attend(x, layer, gates[layer])
            x = x + added
            maps.append(attention)
            outputs.append(given)
        return Passed(w["head.weight"] @ x[0] + w["head.bias"], x[0], maps, outputs)

    def _attend(
        self, x: np.ndarray, layer: int, gates: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        def of(name: str) -> np.ndarray:
            return self.w[f"blocks.{layer}.{name}"]

        spread = np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
        normal = (x - x.mean(axis=1, keepdims=True)) / spread * of("norm.weight") + of("norm.bias")
        parts = normal @ of("qkv.weight").T + of("qkv.bias")
        width = x.shape[1] // self.heads
        added, maps, outputs = of("out.bias").copy(), [], []
        for head in range(self.heads):
            start = head * width
            q, k, v = (parts[:, block * x.shape[1] + start :][:, :width] for block in range(3))
            scores = (2 * q) @ (2 * k).T / np.sqrt(width)
            weights = np.exp(scores - scores.max(axis=1, keepdims=True))
            weights /= weights.sum(axis=1, keepdims=True)
            given = weights @ v
            own = of("out.weight")[:, start : start + width]
            added = added + gates[head] * (given @ own.T)
            maps.append(weights)
            outputs.append(given)
        return added, np.stack(maps), np.stack(outputs)


def probabilities(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max())
    return raised / raised.sum()


def entropy(p: np.ndarray) -> float:
    return float(-(p * np.log(p)).sum())


def off(whole: Passed, without: Passed, label: int) -> dict[str, float]:
    """How far the answer is off, by each metric that switches heads off."""
    p, q = probabilities(whole.logits), probabilities(without.logits)
    a, b = whole.embedding, without.embedding
    return {
        "probability-drop": p[label] - q[label],
        "cross-entropy": np.log(p[label]) - np.log(q[label]),
        "divergence": entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2,
        "flips": float(p.argmax() != q.argmax()),
        "embedding": 1 - a @ b / np.sqrt((a @ a) * (b @ b)),
    }


def ablated(
    net: Reference, picture: np.ndarray, label: int, *, keep_one: bool = False
) -> dict[str, np.ndarray]:
    """Leave one out, or keep one: ``(layers, heads)`` by metric."""
    whole = net.run(picture)
    names = off(whole, whole, label)
    found = {name: np.zeros((net.layers, net.heads)) for name in names}
    for layer in range(net.layers):
        for head in range(net.heads):
            gates, none = net.ones(), net.ones()
            none[layer] = 0
            gates[layer] = np.eye(net.heads)[head] if keep_one else 1 - np.eye(net.heads)[head]
            values = off(whole, net.run(picture, gates), label)
            empty = off(whole, net.run(picture, none), label)
            for name, value in values.items():
                found[name][layer, head] = empty[name] - value if keep_one else value
    return found


def slopes(net: Reference, picture: np.ndarray, label: int, step: float = 1e-5) -> np.ndarray:
    """∂ cross-entropy / ∂ gate at 1, by central differences, ``(layers, heads)``."""

    def loss(gates: Gates) -> float:
        return float(-np.log(probabilities(net.run(picture, gates).logits)[label]))

    found = np.zeros((net.layers, net.heads))
    for place in np.ndindex(*found.shape):
        up, down = net.ones(), net.ones()
        up[place] += step
        down[place] -= step
        found[place] = (loss(up) - loss(down)) / (2 * step)
    return found


def confidence(net: Reference, picture: np.ndarray) -> np.ndarray:
    return np.stack([maps.max(axis=2).mean(axis=1) for maps in net.run(picture).maps])


def output_norm(net: Reference, picture: np.ndarray) -> np.ndarray:
    found = []
    for layer, outputs in enumerate(net.run(picture).outputs):
        weight = net.w[f"blocks.{layer}.out.weight"]
        width = outputs.shape[2]
        each = [
            np.linalg.norm(given @ weight[:, head * width : head * width + width].T, axis=1).mean()
            for head, given in enumerate(outputs)
        ]
        found.append(each)
    return np.array(found)


def cka(a: np.ndarray, b: np.ndarray) -> float:
    """Linear CKA by centred Gram matrices over samples, ``(samples, features)``."""
    centre = np.eye(len(a)) - 1 / len(a)
    one, two = (centre @ (x @ x.T) @ centre for x in (a, b))
    return float((one * two).sum() / np.sqrt((one * one).sum() * (two * two).sum()))


def uniqueness(net: Reference, picture: np.ndarray) -> np.ndarray:
    found = []
    for outputs in net.run(picture).outputs:
        each = [
            1
            - max(cka(outputs[head], outputs[other]) for other in range(net.heads) if other != head)
            for head in range(net.heads)
        ]
        found.append(each)
    return np.array(found)


def shapley(net: Reference, worth: Callable[[Gates], float]) -> np.ndarray:
    """Exact Shapley values by going through all coalitions, ``(layers, heads)``."""
    players = list(np.ndindex(net.layers, net.heads))
    found = np.zeros((net.layers, net.heads))

    def of(coalition: tuple[tuple[int, ...], ...]) -> float:
        gates = np.zeros((net.layers, net.heads))
        for place in coalition:
            gates[place] = 1
        return worth(gates)

    count = len(players)
    for player in players:
        others = [one for one in players if one != player]
        for size in range(count):
            weight = factorial(size) * factorial(count - 1 - size) / factorial(count)
            for coalition in combinations(others, size):
                found[player] += weight * (of((*coalition, player)) - of(coalition))
    return found
