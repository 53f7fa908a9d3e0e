"""What a command computes, unless it was computed earlier and kept."""

from __future__ import annotations

import sys
from typing import Any

from dashboard.command.progress import Progress
from dashboard.running import keeping
from engine.errors import HaloscopeError


def kept_or_computed(planned: Any, title: str, find: Any, *, use_kept: bool) -> tuple[Any, bool]:
    """Return a result, and whether it was computed earlier and kept.

    Args:
        planned: a plan, with ``run(progress)``.
        title: what the terminal calls it.
        find: ``keeping.find`` or ``keeping.find_measured``, whichever suits the plan.
        use_kept: look for what is kept, and keep what is computed.
    """
    problems: list[HaloscopeError] = []
    kept = find(planned, problems.append) if use_kept else None
    if kept is not None:
        return kept, True
    with Progress(title) as progress:
        result = planned.run(progress)
    if use_kept and not problems:
        keeping.keep(result, problems.append)
    for problem in problems:
        print(f"haloscope: {problem}", file=sys.stderr)
    return result, False
