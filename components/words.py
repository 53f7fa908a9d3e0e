"""Sentences that read a result out: title, caption, text alternatives."""

from __future__ import annotations

import re

import numpy as np

from components.saying import exact
from components.views import View
from engine.results import Attribution

_LEAST = 1.0  # percentage points; smaller differences are not worth a sentence
_ROWS = ("top", "middle", "bottom")
_COLUMNS = ("left", "centre", "right")
_SPELLED = ("timm", "torchvision", "transformers", "captum", "skops")


def title(attribution: Attribution) -> str:
    """Ask the question that a map answers: "Why “tiger cat”?"."""
    request = attribution.manifest["request"]
    asked = f"Why “{request['target']['name']}”"
    if request["versus"]:
        return f"{asked} and not “{request['versus']['name']}”?"
    return f"{asked}?"


def caption(attribution: Attribution) -> str:
    """Tell in one line how a map was made."""
    request = attribution.manifest["request"]
    source = attribution.manifest["source"]
    outcome = attribution.manifest["outcome"]
    # A background stands in for the baseline, and for what is filled in.
    unused = ("baseline", "fill") if of_rows(attribution) else ()
    given = request["method"]["parameters"].items()
    parameters = ", ".join(f"{k} {v}" for k, v in given if k not in unused)
    target = f"target {request['target']['index']} {request['target']['name']}"
    if request["versus"]:
        target += f" against {request['versus']['index']} {request['versus']['name']}"
    of_value = attribution.manifest.get("display", {}).get("task") == "regression"
    parts = (
        source["model_title"],
        source["method_title"] + (f" ({parameters})" if parameters else ""),
        f"{target}, {'value' if of_value else request['output']}",
        passes_told(**outcome["passes"]),
        seconds(outcome["seconds"]),
        f"seed {request['seed']}",
        request["device"].upper(),
    )
    return " · ".join(parts)


def of_rows(attribution: Attribution) -> bool:
    """Whether a row of a table was compared with other rows."""
    manifest = attribution.manifest
    return "task" in manifest.get("display", {}) and bool(manifest["request"].get("background"))


def passes_told(forward: int, backward: int = 0) -> str:
    """Say a number of passes.

    >>> passes_told(11100), passes_told(1, 1)
    ('11\\xa0100 forward passes', '1 forward and 1 backward pass')
    """
    told = f"{exact(forward)} forward"
    if backward:
        told += f" and {exact(backward)} backward"
    return f"{told} pass{'es' if max(forward, backward) != 1 else ''}"


def plain(text: str) -> str:
    """Return text that a page shows as it is, with no Markdown, links or colours read into it.

    >>> plain("we*ird [n](x).png")
    'we\\\\*ird \\\\[n\\\\]\\\\(x\\\\).png'
    """
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~$:^=])", r"\\\1", text)


def sentence(message: str) -> str:
    """Return an error's message as a page shows it: as it is, with a capital if it is a word.

    What begins with a file, a reference or an option keeps its spelling.

    >>> print(sentence("no such file"), sentence("std=0"), sentence("timm needs more"), sep=", ")
    No such file, std\\=0, timm needs more
    """
    first = message.partition(" ")[0]
    is_word = re.fullmatch(r"[a-z]+,?|classes:", first) and first not in _SPELLED
    return plain(f"{message[:1].upper()}{message[1:]}" if is_word else message)


def seconds(value: float) -> str:
    """Say a measured duration: "0.08 s", "2.1 s"."""
    return f"{value:.2f} s" if value < 1 else f"{value:.1f} s"


def place_of_peak(view: View) -> str:
    """Say where the strongest evidence lies, on a grid of three by three.

    >>> import numpy as np
    >>> place_of_peak(View("positive", np.eye(3, dtype="float32")[::-1] * [[0], [0], [1]], 1, 1))
    'bottom left'
    """
    values = np.abs(view.values) if view.kind == "signed" else view.values
    rows, columns = values.shape
    row, column = divmod(int(values.argmax()), columns)
    vertical = _ROWS[min(2, 3 * row // rows)]
    horizontal = _COLUMNS[min(2, 3 * column // columns)]
    if (vertical, horizontal) == ("middle", "centre"):
        return "centre"
    return f"{vertical} {horizontal}"


def map_in_words(attribution: Attribution, view: View) -> str:
    """Describe a map for those who cannot see it."""
    request = attribution.manifest["request"]
    method = attribution.manifest["source"]["method_title"]
    if view.largest <= 0:
        return f"{method} map for {request['target']['name']}: nothing speaks for it."
    return (
        f"{method} map for {request['target']['name']}: the strongest evidence, "
        f"{view.largest:.3g}, is at the {place_of_peak(view)} of the picture."
    )


def verdict(before: float, after: float, control: float, control_error: float) -> str:
    """Say whether hiding the top of a map does more than hiding the same shape elsewhere.

    Args:
        before: the target's probability with nothing hidden.
        after: with the top of the map hidden.
        control: mean with the same shape hidden at other places.
        control_error: standard error of that mean; a difference is two of them, and at least
            one point (our definition).

    >>> print(verdict(0.9, 0.2, 0.8, 0.02).partition(":")[0])
    The map names what the prediction rests on
    """
    top, elsewhere = 100 * (before - after), 100 * (before - control)
    figures = f"hiding its top tenth {_cost(top)}, the same shape elsewhere {_cost(elsewhere)}."
    if max(abs(top), abs(elsewhere)) < _LEAST:
        return f"This check says little, the prediction hardly moves: {figures}"
    if top > elsewhere + max(_LEAST, 200 * control_error):
        return f"The map names what the prediction rests on: {figures}"
    if top < elsewhere - max(_LEAST, 200 * control_error):
        return f"Read this map with care, other places matter more: {figures}"
    return f"Read this map with care, it does no better than chance: {figures}"


def _cost(points: float) -> str:
    rounded = round(points, 1)
    return f"gains {-rounded:.1f} points" if rounded < 0 else f"costs {abs(rounded):.1f} points"
