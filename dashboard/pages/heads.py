"""Page "Heads"."""

from __future__ import annotations

from dashboard.heads import page

page.show()
