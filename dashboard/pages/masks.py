"""Page "Masks"."""

from __future__ import annotations

from dashboard.masks import page

page.show()
