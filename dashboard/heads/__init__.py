"""The parts of the page "Heads", from top to bottom."""
