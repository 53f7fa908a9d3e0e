"""Names that the parts of the page share."""

from __future__ import annotations

PREFIX = "pr."
OVERRIDES = "pr-overrides"
FIRST, SCOPE, REPAIR = "group-l2", "uniform", "usual"
RATIO, STEP, MANY, DRAWS, ROUND = 50, "10", "120", 1, "16"
EPOCHS = "0"
# Epochs of training after the cut → in words.
TRAININGS = {
    "0": "No training", "2": "Two epochs", "5": "Five epochs", "20": "Twenty epochs",
}  # fmt: skip
RATIO_TWO = 30  # of the other network in a comparison
MOST = 95  # percent: of what is asked to go
