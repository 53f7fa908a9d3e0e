"""Pruning: what can go from a network, what goes first, what that costs and what it saves."""
