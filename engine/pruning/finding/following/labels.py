"""Which unit each number of a tensor belongs to: labels, and the units that go together.

Every tensor of a traced pass has a tensor of labels of the same shape. Whatever moves numbers about
(a view, a concatenation, a window) moves their labels in the same way, so that a channel is found
again wherever it goes. What stands still along an axis is kept at stride 0: labels of large maps
then cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

_ROOM = 1024


class Units:
    """Sets of labels that can only be removed together, and why some cannot be removed at all."""

    def __init__(self) -> None:
        self._parent = np.arange(_ROOM, dtype=np.int64)
        self._size: dict[int, int] = {}
        self._count = 0
        self._reasons: dict[int, str] = {}
        self._mixed: dict[int, tuple[int, str]] = {}  # of how many, and why

    def fresh(self, count: int) -> np.ndarray:
        """Return labels that nobody has had, int64 ``(count,)``."""
        first, self._count = self._count, self._count + count
        if self._count > len(self._parent):
            longer = np.arange(2 * self._count, dtype=np.int64)
            longer[: len(self._parent)] = self._parent
            self._parent = longer
        return np.arange(first, self._count, dtype=np.int64)

    def fixed(self, reason: str) -> int:
        """Return a label of what cannot be removed."""
        (label,) = self.fresh(1)
        self._reasons[int(label)] = reason
        return int(label)

    def find(self, labels: np.ndarray) -> np.ndarray:
        """Return the set of each label: the same number for all labels of one set."""
        found = self._parent[labels]
        while True:
            further = self._parent[found]
            if np.array_equal(further, found):
                self._parent[labels] = found
                return found
            found = further

    def join(self, one: np.ndarray, other: np.ndarray) -> None:
        """Let labels be removed only together, pair by pair; both of the same shape."""
        pairs = np.stack([self.find(one).ravel(), self.find(other).ravel()])
        pairs = pairs[:, pairs[0] != pairs[1]]
        if not pairs.size:
            return
        keys = np.unique(pairs[0] * self._count + pairs[1])
        for a, b in zip((keys // self._count).tolist(), (keys % self._count).tolist(), strict=True):
            self._merge(self._root(a), self._root(b))

    def join_all(self, lines: np.ndarray, why: str) -> None:
        """Let all of a line be removed only together, line by line.

        Args:
            lines: labels, ``(…, k)``.
            why: what mixes them; told where it leaves a single unit, unless it is empty.
        """
        roots = self.find(lines.reshape(-1, lines.shape[-1]))
        before = len(np.unique(roots))
        self.join(roots[:, 1:], np.broadcast_to(roots[:, :1], roots[:, 1:].shape))
        after = np.unique(self.find(roots[:, 0]))
        for root in after.tolist() if why and len(after) < before else ():
            told = (before // len(after), why)
            self._mixed[root] = max(self._mixed.get(root, (0, "")), told)

    def fix(self, labels: np.ndarray, reason: str) -> None:
        """Let none of these be removed; the first reason is kept."""
        for root in np.unique(self.find(labels)).tolist():
            self._reasons.setdefault(root, reason)

    def reason(self, root: int) -> str:
        """Return why a set cannot be removed, or ""."""
        return self._reasons.get(root, "")

    def mixed(self, root: int) -> str:
        """Return what made one unit of what were many, or ""."""
        return self._mixed.get(root, (0, ""))[1]

    def _root(self, label: int) -> int:
        while self._parent[label] != label:
            self._parent[label] = self._parent[self._parent[label]]
            label = int(self._parent[label])
        return label

    def _merge(self, a: int, b: int) -> None:
        """Put two sets together, the smaller below the larger: ways to the top stay short."""
        if a == b:
            return
        if self._size.get(a, 1) < self._size.get(b, 1):
            a, b = b, a
        self._size[a] = self._size.get(a, 1) + self._size.pop(b, 1)
        self._parent[b] = a
        if b in self._reasons:
            self._reasons.setdefault(a, self._reasons.pop(b))
        if b in self._mixed:
            self._mixed[a] = max(self._mixed.get(a, (0, "")), self._mixed.pop(b))


def compact(labels: torch.Tensor) -> torch.Tensor:
    """Return labels with the axes along which they stand still cut to 1."""
    for axis, (stride, size) in enumerate(zip(labels.stride(), labels.shape, strict=True)):
        if size > 1 and stride == 0:
            labels = labels.narrow(axis, 0, 1)
    return labels


def still(labels: torch.Tensor, axes: Sequence[int], units: Units) -> torch.Tensor | None:
    """Return labels cut to 1 along axes, or None where they differ along one."""
    small = compact(labels)
    for axis in axes:
        if small.shape[axis] < 2:
            continue
        roots = units.find(small.numpy())
        if not (roots == roots.take([0], axis=axis)).all():
            return None
        small = small.narrow(axis, 0, 1)
    return small


def along(labels: torch.Tensor, axis: int, units: Units) -> np.ndarray | None:
    """Return the label of each place along one axis, or None where others differ as well."""
    axis %= labels.ndim
    found = still(labels, [other for other in range(labels.ndim) if other != axis], units)
    if found is None:
        return None
    line = found.reshape(found.shape[axis])
    return line.expand(labels.shape[axis]).numpy().copy()


def spread(line: np.ndarray, axis: int, shape: Sequence[int]) -> torch.Tensor:
    """Return labels of a tensor that differ along one axis alone; the rest at stride 0."""
    view = [1] * len(shape)
    view[axis] = len(line)
    return torch.from_numpy(np.ascontiguousarray(line)).reshape(view).expand(tuple(shape))


def all_same(label: int, shape: Sequence[int]) -> torch.Tensor:
    """Return labels of a tensor that is one unit."""
    return torch.tensor(label).expand(tuple(shape))
