"""The family of methods that train nothing."""

from __future__ import annotations

from engine.pruning.methods.method import PruningMethod


class PostHoc(PruningMethod):
    """A method that works on a network as it is."""
