"""The page "Prune"."""
