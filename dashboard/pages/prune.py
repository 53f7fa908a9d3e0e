"""Page "Prune"."""

from __future__ import annotations

from dashboard.prune import page

page.show()
