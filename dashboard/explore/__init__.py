"""The parts of the page "Explore", from top to bottom."""
