"""Print figures as files: PNG, SVG with text as text, PDF with embedded fonts."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from matplotlib.figure import Figure

from dashboard.plots.theme import print_style


def to_png(figure: Figure, dpi: int = 300) -> bytes:
    """PNG of the figure at its size in millimetres and `dpi` dots per inch."""
    return _saved(figure, format="png", dpi=dpi)


def to_svg(figure: Figure) -> bytes:
    """SVG whose text can be edited and searched; the same bytes for the same figure."""
    return _saved(figure, format="svg", metadata={"Date": None})


def to_pdf(figure: Figure) -> bytes:
    """PDF with embedded TrueType fonts; the same bytes for the same figure."""
    return _saved(figure, format="pdf", metadata={"CreationDate": None})


def _saved(figure: Figure, **options: Any) -> bytes:
    buffer = BytesIO()
    with print_style():
        figure.savefig(buffer, **options)
    return buffer.getvalue()
