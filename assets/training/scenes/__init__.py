"""Synthetic scenes: one object whose shape is the class, and nothing else that tells it.

Colour, texture, place, size, background and distractors say nothing of the class. Each
scene comes with the exact mask of the pixels that decide it.
"""
