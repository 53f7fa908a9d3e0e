"""What was found of a model's attention, as lines of its card."""

from __future__ import annotations

from collections.abc import Iterator

from engine.attention.site import PAIR, AttentionSite, AttentionSites
from engine.attention.sites import attention_sites
from engine.inspection.entry import Entry
from engine.models.loaded import LoadedModel

_HOW = "seen in a few passes"


def attention_entries(model: LoadedModel) -> Iterator[Entry]:
    """Yield layers and heads, tokens, patches and what the head reads; or what was not found."""
    if not model.seen.attention_calls:
        yield Entry("Attention", "none", "seen in one pass")
        return
    found = attention_sites(model)
    if not found.sites:
        yield Entry("Attention", f"not to be had: {found.problem}", _HOW)
        return
    yield Entry("Attention", _layers_told(found.sites), _HOW)
    if found.problem or found.unplaced:
        yield Entry("Patches", f"not found: {found.problem or found.unplaced}", _HOW)
        return
    first = found.sites[0]
    if first.grid is not None:
        last = found.sites[-1].grid
        merged = f", merged to {last[0]} × {last[1]}" if last and last != first.grid else ""
        yield Entry("Patches", f"{first.grid[0]} × {first.grid[1]}{merged}", _HOW)
    yield Entry("Other tokens", _others_told(first, found), _HOW)
    yield Entry("The head reads", f"the {found.reads}", "seen in its gradient")


def _layers_told(sites: tuple[AttentionSite, ...]) -> str:
    heads = sorted({site.heads for site in sites})
    each = f"{heads[0]} heads" if len(heads) == 1 else f"{heads[0]} to {heads[-1]} heads"
    windows = max(site.windows for site in sites)
    how = "in windows" if windows > 1 else "from every token to every token"
    layers = f"{len(sites)} layers" if len(sites) > 1 else "1 layer"
    return f"{layers}, {each}{' each' if len(sites) > 1 and len(heads) == 1 else ''}, {how}"


def _others_told(first: AttentionSite, found: AttentionSites) -> str:
    count = first.prefix + first.suffix
    if not count:
        return "none"
    named = ["class token"] + ["distillation token"] * (found.reads == PAIR)
    others = count - len(named)
    if others > 0:
        named.append(f"{others} more (registers or the like)")
    behind = " (after the patches)" if first.suffix and not first.prefix else ""
    return f"{', '.join(named)}{behind}"
