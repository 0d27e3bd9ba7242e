"""A screen figure as one HTML file that can be pointed at and zoomed, and asks no host."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from nme_core.figures.labels import clean
from nme_core.figures.theme import INK, PLOTLY_CONFIG, SCREEN_FONT
from nme_core.vocabulary.language import language, tr

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: Whatever the file holds, a browser must not fetch or send anything for it.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)
_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 {font}; color: {ink}; max-width: 64rem; margin: 1.5rem auto; }}
h1 {{ font-size: 1.3rem; }} p {{ max-width: 46rem; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<div role="img" aria-label="{sentence}">
{drawing}
</div>
<p>{sentence}</p>
<p>{use}</p>
</main>
</body>
</html>
"""


def to_html(figure: go.Figure, *, title: str, sentence: str) -> bytes:
    """The figure with the library that draws it, its heading, and the sentence under it.

    The library makes the file some 5 MB large. Text stays as it is, whatever it holds.
    """
    import plotly.io

    drawing = plotly.io.to_html(
        figure,
        config=dict(PLOTLY_CONFIG),
        include_plotlyjs=True,
        include_mathjax=False,
        full_html=False,
    )
    page = _PAGE.format(
        policy=_POLICY, title=escape(clean(title)), sentence=escape(clean(sentence)),
        drawing=drawing, font=SCREEN_FONT, ink=INK, language=language(),
        use=tr("Research use, not diagnosis."),
    )  # fmt: skip
    return page.encode()
