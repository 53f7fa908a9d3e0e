"""The page "Methods": what each computes, what it costs, and what to keep in mind."""

from __future__ import annotations

from dashboard.library import methods

methods.show()
