"""A figure as one file: what it is of stands on it, and it asks nothing of a network."""

from __future__ import annotations

import re

from components import halo, sheet


def made(**changes: str) -> str:
    told = {"title": "Halo of A × B", "of": "COMPAS · 6172 rows", "words": "Out.", "name": "halo"}
    return sheet.page(halo.example(), **{**told, **changes})  # type: ignore[arg-type]


def test_it_says_of_what_it_is() -> None:
    page = made(title="<b>A</b> & B")
    assert "<h1>&lt;b&gt;A&lt;/b&gt; &amp; B</h1>" in page
    assert "<title>&lt;b&gt;A&lt;/b&gt; &amp; B</title>" in page
    assert '<p class="of">COMPAS · 6172 rows</p>' in page
    assert page.endswith("<p>Out.</p></body></html>")


def test_plotly_is_in_it_and_nothing_is_fetched() -> None:
    page = made()
    assert "plotly.js v" in page
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page)


def test_its_camera_saves_a_picture_under_its_name() -> None:
    page = made(name="halo-of-mine")
    assert '"modeBarButtons": [["toImage"]]' in page
    assert '"format": "png", "filename": "halo-of-mine"' in page
