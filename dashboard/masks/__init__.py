"""The parts of the page "Masks", from top to bottom."""
