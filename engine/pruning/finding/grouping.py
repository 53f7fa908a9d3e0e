"""From what a traced pass has noted to groups: units that lie in the same tensors alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.pruning.finding.following.state import Following, Record
from engine.pruning.units import Group, Groups, Kind, Span

Places = tuple[tuple[int, int], ...]  # number of a record, and how many places a unit has there
_TITLES = {"channels": "Channels", "hidden": "Hidden units", "heads": "Heads"}


@dataclass(frozen=True)
class _Attention:
    """The attention that a unit is a head of."""

    index: int = -1
    layer: str = ""
    heads: int = 0
    problem: str = ""


def grouped(state: Following, sites: Mapping[int, str]) -> Groups:
    """Put units together that lie in the same tensors in the same way.

    Args:
        state: after a pass.
        sites: name of each attention's block, by its number in the pass.
    """
    units, records = state.units, state.records
    roots = [units.find(record.labels) for record in records]
    attentions = _attentions(state)
    alike: dict[tuple[_Attention, Places], list[int]] = {}
    refused: dict[str, str] = {}
    for root, places in _lying(roots).items():
        attention = attentions.get(root, _Attention())
        reason = units.reason(root) or attention.problem or _unread(records, places)
        if reason:
            _refuse(refused, records, places, reason)
        elif any(records[number].role in ("filters", "rows") for number, _ in places):
            alike.setdefault((attention, places), []).append(root)
    groups = []
    for (attention, places), members in alike.items():
        if len(members) > 1:
            groups.append(_group(records, roots, places, members, attention, sites))
        else:
            single = "it has a single head" if attention.heads == 1 else units.mixed(members[0])
            told = single or "it has a single unit"
            _refuse(refused, records, places, told)
    named = _named(sorted(groups, key=lambda found: found[0]))
    made = {span.layer for group in named for span in group.producers}
    return Groups(named, {name: why for name, why in refused.items() if name not in made})


def _lying(roots: Sequence[np.ndarray]) -> dict[int, Places]:
    """Return where each set of labels lies."""
    found: dict[int, list[tuple[int, int]]] = {}
    for number, line in enumerate(roots):
        for root, count in zip(*np.unique(line, return_counts=True), strict=True):
            found.setdefault(int(root), []).append((number, int(count)))
    return {root: tuple(places) for root, places in found.items()}


def _attentions(state: Following) -> dict[int, _Attention]:
    """Return what each unit is a head of."""
    found: dict[int, _Attention] = {}
    for index, layer, line in state.attentions:
        for root in np.unique(state.units.find(line)).tolist():
            before = found.get(root)
            if before is not None and before.index != index:
                problem = "several attentions share its heads"
                found[root] = replace(before, problem=problem)
            else:
                found[root] = _Attention(index, layer, len(line))
    return found


def _unread(records: Sequence[Record], places: Places) -> str:
    if any(records[number].role == "columns" for number, _ in places):
        return ""
    return "nothing that can be followed reads it"


def _refuse(
    refused: dict[str, str], records: Sequence[Record], places: Places, reason: str
) -> None:
    """Note why the layers that make a unit must keep it."""
    for number, _ in places:
        if records[number].role in ("filters", "rows"):
            refused.setdefault(records[number].layer, reason)


def _group(
    records: Sequence[Record],
    roots: Sequence[np.ndarray],
    places: Places,
    members: Sequence[int],
    attention: _Attention,
    sites: Mapping[int, str],
) -> tuple[int, Group]:
    """Return a group, and the number of the record that makes it."""
    makers = [n for n, _ in places if records[n].role in ("filters", "rows")]
    first = makers[0]
    order = _in_order(roots[first], members)
    spans = [(records[n].role, _span(records[n], roots[n], order)) for n, _ in places]
    kind: Kind = "hidden"
    if attention.index >= 0:
        kind = "heads"
    elif any(records[n].role == "filters" for n in makers):
        kind = "channels"
    name = records[first].layer
    if kind == "heads":
        name = sites.get(attention.index) or attention.layer or name
    others = len(dict.fromkeys(records[n].layer for n in makers)) - 1
    more = f" and of {others} more tied to it" if others and kind == "channels" else ""
    group = Group(
        name=name,
        title=f"{_TITLES[kind]} of {name}{more}",
        kind=kind,
        size=len(order),
        producers=tuple(span for role, span in spans if role != "columns"),
        consumers=tuple(span for role, span in spans if role == "columns"),
        site=attention.index,
        attention=attention.layer,
    )
    return first, group


def _in_order(line: np.ndarray, members: Sequence[int]) -> np.ndarray:
    """Return units in the order in which they are made."""
    own = line[np.isin(line, members)]
    _, where = np.unique(own, return_index=True)
    return np.asarray(own[np.sort(where)])


def _span(record: Record, line: np.ndarray, order: np.ndarray) -> Span:
    """Return the places of units along one axis, ``(units, k)``."""
    where = np.flatnonzero(np.isin(line, order))
    by_unit = where[np.argsort(line[where], kind="stable")].reshape(len(order), -1)
    number = np.argsort(np.argsort(order))  # rank of each unit among the sorted ones
    return Span(record.layer, record.tensor, record.dim, by_unit[number].astype(np.int64))


def _named(found: Iterable[tuple[int, Group]]) -> tuple[Group, ...]:
    """Return groups with a name each: where a layer makes several, they are numbered."""
    taken: dict[str, int] = {}
    groups = []
    for _, group in found:
        count = taken[group.name] = taken.get(group.name, 0) + 1
        number = f" ({count})" if count > 1 else ""
        groups.append(replace(group, name=f"{group.name}{number}", title=f"{group.title}{number}"))
    return tuple(groups)
