"""The page "Own model": bring a model, see what was found out, correct it, try it, add it."""

from __future__ import annotations

from dashboard.own_model import page

page.show()
