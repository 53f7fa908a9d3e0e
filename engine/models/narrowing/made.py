"""How a smaller network was made: remembered for each network, saved and loaded with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from torch import nn

from engine.models.narrowing.heads import Heads

_known: WeakKeyDictionary[nn.Module, Pruned] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Pruned:
    """How a smaller network was made.

    Attributes:
        ref, title, digest: of the whole network.
        kept: which units stay: group's name → bool ``(size,)``, for every group.
        sliced: whether the others are gone; else nothing reads them.
        shapes: of all tensors of the whole network, by name.
        heads: of the attentions that lost some.
        made: what was asked for (criterion, ratio …): plain values.
    """

    ref: str
    title: str
    digest: str
    kept: Mapping[str, np.ndarray]
    sliced: bool
    shapes: Mapping[str, tuple[int, ...]]
    heads: tuple[Heads, ...] = ()
    made: Mapping[str, Any] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Share of all units that went."""
        every = [np.asarray(stays, dtype=bool) for stays in self.kept.values()]
        return float(1 - np.concatenate(every).mean()) if every else 0.0

    @property
    def told(self) -> str:
        """What the smaller network is called."""
        how = "pruned" if self.sliced else "gated"
        return f"{self.title}, {how} ({100 * self.share:.0f} %)"

    @property
    def summary(self) -> str:
        """What it is, in a line."""
        gone = "removed" if self.sliced else "switched off"
        return f"{self.title} with {100 * self.share:.0f} % of its units {gone}."

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return {
            **{name: getattr(self, name) for name in ("ref", "title", "digest", "sliced")},
            "kept": {
                name: {"of": len(stays), "units": np.flatnonzero(stays).tolist()}
                for name, stays in self.kept.items()
            },
            "shapes": {name: list(shape) for name, shape in self.shapes.items()},
            "heads": [asdict(heads) for heads in self.heads],
            "made": dict(self.made),
        }

    @staticmethod
    def from_dict(told: Mapping[str, Any]) -> Pruned:
        """Read what ``to_dict`` returns.

        Raises:
            KeyError, TypeError, ValueError, IndexError: it is not that.
        """
        kept = {}
        for name, units in told["kept"].items():
            stays = kept[str(name)] = np.zeros(int(units["of"]), dtype=bool)
            stays[np.asarray(units["units"], dtype=np.int64)] = True
        return Pruned(
            str(told["ref"]),
            str(told["title"]),
            str(told["digest"]),
            kept,
            bool(told["sliced"]),
            {name: tuple(int(one) for one in shape) for name, shape in told["shapes"].items()},
            tuple(Heads(**_heads(one)) for one in told["heads"]),
            dict(told["made"]),
        )


def _heads(told: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: int(told[name]) for name in ("before", "after", "width")}
    if not 1 <= counts["after"] <= counts["before"]:
        raise ValueError(f"{counts['after']} heads of {counts['before']}")
    return {"layer": str(told["layer"]), **counts}


def remember(module: nn.Module, made: Pruned) -> None:
    """Note how a network was made."""
    _known[module] = made


def made_of(module: nn.Module) -> Pruned | None:
    """Return how a network was made smaller, or None where it was not."""
    return _known.get(module)
