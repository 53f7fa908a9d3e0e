"""Class names: from what a user types to an index, without guessing."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import TargetError, nearest


def resolve_class(target: int | str, classes: Sequence[str]) -> int:
    """Return the index of a class.

    Args:
        target: an index, an index as text, or a name (upper and lower case alike unless
            that leaves two).
        classes: the model's class names.

    Raises:
        TargetError: out of range, unknown (the nearest names are told), or a name that
            stands for two classes (both indices are told).
    """
    if isinstance(target, bool) or not isinstance(target, int | str):
        raise TargetError(f"a target is a class index or a name, not {target!r}")
    if isinstance(target, int) or target.strip().removeprefix("-").isdecimal():
        return _in_range(int(target), classes)
    name = target.strip()
    for found in (
        [i for i, known in enumerate(classes) if known == name],
        [i for i, known in enumerate(classes) if known.lower() == name.lower()],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            indices = " and ".join(str(i) for i in found)
            raise TargetError(f"{name!r} stands for classes {indices}; name one by its index")
    raise TargetError(f"no class {name!r}; {nearest(name, classes)}")


def _in_range(index: int, classes: Sequence[str]) -> int:
    if not 0 <= index < len(classes):
        raise TargetError(
            f"class {index} is out of range: the model has {len(classes)} (0 to {len(classes) - 1})"
        )
    return index


def display_names(classes: Sequence[str]) -> list[str]:
    """Return names that differ from each other even without regard to case.

    >>> display_names(["Cardigan", "cat", "cardigan"])
    ['Cardigan (0)', 'cat', 'cardigan (2)']
    """
    counts: dict[str, int] = {}
    for name in classes:
        counts[name.lower()] = counts.get(name.lower(), 0) + 1
    return [f"{n} ({i})" if counts[n.lower()] > 1 else n for i, n in enumerate(classes)]
