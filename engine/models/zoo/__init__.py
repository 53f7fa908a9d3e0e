"""Architectures of the bundled models."""
