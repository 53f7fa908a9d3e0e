"""A figure as a page of its own: one file with what it is of, which needs no network."""

from __future__ import annotations

import html

import plotly.graph_objects as go

from components.tokens import FONT

_STYLE = (
    f"body {{ font-family: {FONT}; color: #1f2430; background: #ffffff; margin: 2rem auto; "
    "max-width: 900px; padding: 0 1rem; line-height: 1.5 } "
    "h1 { font-size: 1.4rem; margin: 0 } .of { color: #5f6675; font-size: 0.9rem } "
    ".figure { overflow-x: auto; padding-top: 1.5rem } .figure > div { min-width: %dpx }"
)


def page(drawn: go.Figure, *, title: str, of: str, words: str, name: str, least: int = 320) -> str:
    """Return a page as HTML, with Plotly in it; its camera saves the figure as a PNG.

    Args:
        drawn: the figure.
        title: of the page.
        of: of what the figure is, in small letters below the title.
        words: what it shows, below it.
        name: of the picture that is saved, without an ending.
        least: pixels; narrower it moves aside instead.
    """
    figure = drawn.to_html(
        full_html=False,
        include_plotlyjs=True,
        config={
            "displayModeBar": True,
            "displaylogo": False,
            "modeBarButtons": [["toImage"]],
            "toImageButtonOptions": {"format": "png", "filename": name, "scale": 2},
        },
    )
    told = {
        key: html.escape(text) for key, text in (("title", title), ("of", of), ("words", words))
    }
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{told['title']}</title><style>{_STYLE % least}</style></head><body>"
        f'<h1>{told["title"]}</h1><p class="of">{told["of"]}</p>'
        f'<div class="figure">{figure}</div><p>{told["words"]}</p></body></html>'
    )
