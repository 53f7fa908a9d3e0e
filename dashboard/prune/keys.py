"""Names that the parts of the page share."""

from __future__ import annotations

PREFIX = "pr."
OVERRIDES = "pr-overrides"
FIRST, SCOPE, REPAIR = "group-l2", "uniform", "both"
RATIO, STEP, MANY, DRAWS, ROUND = 50, "10", "120", 1, "16"
RATIO_TWO = 30  # of the other network in a comparison
MOST = 95  # percent: of what is asked to go
