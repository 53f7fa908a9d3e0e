"""The page "Explore": one picture, one class, one map, and how far to trust it."""

from __future__ import annotations

from dashboard.explore import page

page.show()
