"""What is known of a model's attention: its sites, its tokens, and what its head reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ALONE = "class token"
PATCHES = "mean of the patches"
ALL = "all tokens"
PAIR = "class and distillation token"
BOTH = "class token and mean of the patches"


@dataclass(frozen=True, eq=False)
class AttentionSite:
    """One attention of a forward pass.

    Attributes:
        index: its number in the pass, by which it is gated.
        name: of its block, the outermost module that holds this attention alone and returns as
            many tokens as it takes; without one, of the innermost module it stands in; empty
            where it stands in the network itself.
        heads: number of them.
        windows: of one sample; 1 where every token attends to all.
        queries, keys: in each window.
        layout: which of the block's tokens stands in each window's slots, ``(windows, slots)``;
            −1 where a slot is padding. None where it is not known (``AttentionSites.unplaced``).
        grid: rows and columns of its patches, or None where not known.
        prefix, suffix: class and register tokens before and after the block's patches.
        merged: into which of this block's tokens each token that the last site's block returned
            went, ``(tokens before,)``; None where they are the same tokens.
    """

    index: int
    name: str
    heads: int
    windows: int
    queries: int
    keys: int
    layout: np.ndarray | None = None
    grid: tuple[int, int] | None = None
    prefix: int = 0
    suffix: int = 0
    merged: np.ndarray | None = None

    @property
    def tokens(self) -> int:
        """Number of the block's tokens; where not known, of all slots."""
        if self.layout is None:
            return self.windows * self.queries
        return int((self.layout >= 0).sum())


@dataclass(frozen=True, eq=False)
class AttentionSites:
    """All attention of a model.

    Attributes:
        sites: in the order of the calls; as far as known where there is a problem.
        problem: why the heads of this model cannot be gated, in one line; empty if they can.
        unplaced: why its tokens have no known places on the picture, in one line; empty if
            they have. Without places there are no maps, but heads can be gated.
        reads: what the head reads of the last block's tokens: "class token", "class and
            distillation token", "mean of the patches", "class token and mean of the patches"
            or "all tokens"; empty where not known.
        weights: of the last block's tokens in what the head reads, ``(tokens,)``, sum 1; several
            tokens count the same, the class token as much as all patches (our definition).
    """

    sites: tuple[AttentionSite, ...]
    problem: str = ""
    unplaced: str = ""
    reads: str = ""
    weights: np.ndarray | None = None

    @property
    def grid(self) -> tuple[int, int] | None:
        """Rows and columns of the first site's patches, or None where not known."""
        return self.sites[0].grid if self.sites else None

    @property
    def prefix(self) -> int:
        """Class and register tokens before the first site's patches."""
        return self.sites[0].prefix if self.sites else 0

    @property
    def suffix(self) -> int:
        """Class and register tokens after the first site's patches."""
        return self.sites[0].suffix if self.sites else 0

    @property
    def windowed(self) -> bool:
        """Whether any site attends within windows."""
        return any(site.windows > 1 for site in self.sites)
