"""What the trials of the bundled models came to: kept with them, so that none waits for it.

``assets/training/make_verdicts.py`` tries them and writes the file; a test does so again.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


def kept_verdict(digest: str, method: str) -> str | None:
    """Return what a trial of a bundled model came to; None where none is kept.

    Args:
        digest: of the model, weights and architecture.
        method: name of the method or fill.

    Returns:
        The reason against it, or "" if there is none.
    """
    return _kept().get(digest, {}).get(method)


@cache
def _kept() -> dict[str, dict[str, str]]:
    text = files("assets").joinpath("models/verdicts.json").read_text("utf-8")
    found: dict[str, dict[str, str]] = json.loads(text)
    return found
