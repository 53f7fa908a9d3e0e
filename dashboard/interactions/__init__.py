"""The parts of the page "Interactions", from top to bottom."""
