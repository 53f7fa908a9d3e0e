"""Page "Tables"."""

from __future__ import annotations

from dashboard.tables import page

page.show()
