"""Page "Interactions"."""

from __future__ import annotations

from dashboard.interactions import page

page.show()
