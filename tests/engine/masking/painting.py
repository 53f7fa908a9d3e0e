"""The fills that put values in place of hidden ones, the same under every mask."""

from __future__ import annotations

from engine.masking.fills.fill import Replacement
from engine.masking.fills.registry import FILLS

PAINTED: dict[str, Replacement] = {
    name: fill for name, fill in FILLS.items() if isinstance(fill, Replacement)
}
PLAIN = [name for name, fill in PAINTED.items() if not fill.seeded]
