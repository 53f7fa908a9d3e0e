"""The page "Gallery": many pictures, which of them are named right, one click to explain one."""

from __future__ import annotations

from dashboard.gallery import page

page.show()
