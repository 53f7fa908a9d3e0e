"""The page "Models": what each is, where it comes from, and what was found out about it."""

from __future__ import annotations

from dashboard.library import models

models.show()
