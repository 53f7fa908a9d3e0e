"""Which head and patch are looked at and which heads are off, and their way into a link.

No Streamlit here. Layers, heads, rows and columns count from 0; in links and for people from 1.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from engine.head_results import Place

Head = tuple[int, int]


@dataclass(frozen=True)
class Marks:
    """What drives all charts.

    Attributes:
        head: layer and head that are looked at.
        place: shares of height and width whose patch asks; None: the class token, or the mean
            of all patches where there is none.
        off: heads that are switched off.
    """

    head: Head = (0, 0)
    place: Place | None = None
    off: frozenset[Head] = frozenset()

    def within(self, heads: Sequence[int]) -> Marks:
        """Return the same for a model with so many heads in each layer."""
        layer = min(self.head[0], len(heads) - 1)
        head = (layer, min(self.head[1], heads[layer] - 1))
        return replace(self, head=head, off=there(self.off, heads))

    def toggled(self, head: Head) -> Marks:
        """Return the same with a head switched off, or on again."""
        return replace(self, off=self.off ^ {head})


def there(heads: Collection[Head], counts: Sequence[int]) -> frozenset[Head]:
    """Return those heads that a model with so many in each layer has."""
    return frozenset(
        (layer, head) for layer, head in heads if layer < len(counts) and head < counts[layer]
    )


def middle(row: int, column: int, grid: tuple[int, int]) -> Place:
    """Return the place of a patch's middle.

    >>> middle(0, 3, (2, 4))
    (0.25, 0.875)
    """
    return (row + 0.5) / grid[0], (column + 0.5) / grid[1]


def as_text(pair: tuple[int, int]) -> str:
    """Write layer and head, or row and column, for a link.

    >>> as_text((3, 0))
    '4.1'
    """
    return f"{pair[0] + 1}.{pair[1] + 1}"


def from_text(text: str) -> tuple[int, int] | None:
    """Read what ``as_text`` wrote; None where it is something else.

    >>> from_text("4.1"), from_text("0.1"), from_text("four")
    ((3, 0), None, None)
    """
    first, dot, second = text.partition(".")
    if not (dot and _is_count(first) and _is_count(second)):
        return None
    return int(first) - 1, int(second) - 1


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < len(text) < 5 and int(text) > 0


def off_as_text(off: Collection[Head]) -> str:
    """Write the heads that are off for a link.

    >>> off_as_text({(3, 0), (0, 1)})
    '1.2,4.1'
    """
    return ",".join(as_text(head) for head in sorted(off))


def off_from_text(text: str) -> tuple[frozenset[Head], list[str]]:
    """Read what ``off_as_text`` wrote, and what in it is no head."""
    parts = [part for part in text.split(",") if part]
    read = {part: from_text(part) for part in parts}
    return (
        frozenset(head for head in read.values() if head is not None),
        [part for part, head in read.items() if head is None],
    )
