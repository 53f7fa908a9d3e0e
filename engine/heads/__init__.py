"""Attention heads: which of them matter, where they look, what they have learned."""
