"""How much of each tensor is left when units are removed, told by their spans alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

import numpy as np

from engine.errors import InputError, nearest
from engine.pruning.units import Group, Groups, Kept, Span

# Layer and name of a tensor in it ("layer1.conv1", "weight").
Place = tuple[str, str]


class Shrinking:
    """What is left of a network's tensors and heads.

    Args:
        groups: what could be removed.
        kept: which units stay; a group that is not named stays whole.

    Raises:
        InputError: no such group, a mask of another size, or a group of which nothing is left.
    """

    def __init__(self, groups: Groups | None = None, kept: Kept | None = None) -> None:
        self._removed: dict[Place, dict[int, np.ndarray]] = {}
        self._heads: dict[int, tuple[int, int]] = {}
        for group, stays in _checked(groups, kept):
            if group.kind == "heads":
                self._heads[group.site] = (int(stays.sum()), group.size)
            for span in (*group.producers, *group.consumers):
                self._remove(span, stays)

    def _remove(self, span: Span, stays: np.ndarray) -> None:
        """Note the places along one dimension that no unit needs any more."""
        gone = np.setdiff1d(span.index[~stays].ravel(), span.index[stays].ravel())
        by_dim = self._removed.setdefault((span.layer, span.tensor), {})
        by_dim[span.dim] = np.union1d(by_dim.get(span.dim, gone[:0]), gone)

    def shape(self, place: Place, shape: Iterable[int]) -> tuple[int, ...]:
        """Return the shape of what is left of a tensor."""
        gone = self._removed.get(place, {})
        return tuple(length - len(gone.get(dim, ())) for dim, length in enumerate(shape))

    def of_tensor(self, amount: int, place: Place | None, shape: tuple[int, ...]) -> int:
        """Return what is left of an amount of work that grows with the size of a tensor."""
        if place is None or place not in self._removed:
            return amount
        return amount * prod(self.shape(place, shape)) // prod(shape)

    def of_heads(self, amount: int, site: int) -> int:
        """Return what is left of an amount of work that grows with the heads of an attention."""
        left, before = self._heads.get(site, (1, 1))
        return amount * left // before


def _checked(groups: Groups | None, kept: Kept | None) -> list[tuple[Group, np.ndarray]]:
    known: Mapping[str, Group] = {} if groups is None else {g.name: g for g in groups.groups}
    found = []
    for name, mask in (kept or {}).items():
        if name not in known:
            raise InputError(f"no group {name!r}; {nearest(name, known)}")
        group, stays = known[name], np.asarray(mask)
        if stays.dtype != bool or stays.shape != (group.size,):
            raise InputError(
                f"{group.title} has {group.size} units; what stays of it is bool "
                f"({group.size},), not {stays.dtype} {stays.shape}"
            )
        if not stays.any():
            raise InputError(f"nothing is left of {group.title}: one unit at least has to stay")
        found.append((group, stays))
    return found
