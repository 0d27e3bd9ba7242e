"""Print figures as files: PNG, SVG with text as text, PDF with embedded fonts.

``enlarged`` is by how much the file is larger than the figure was laid out, in all that it shows.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from matplotlib.backends.backend_pdf import Op, PdfFile, PdfPages
from matplotlib.figure import Figure

from nme_core.figures.theme import print_style


def to_png(figure: Figure, dpi: int = 300, *, enlarged: float = 1.0) -> bytes:
    """PNG of the figure at its size in millimetres and `dpi` dots per inch."""
    written = {"dpi": (dpi, dpi)}
    return _saved(figure, format="png", dpi=dpi * enlarged, pil_kwargs=written)


def to_svg(figure: Figure, *, enlarged: float = 1.0) -> bytes:
    """SVG whose text can be edited and searched; the same bytes for the same figure."""
    drawn = _saved(figure, format="svg", metadata={"Date": None}).decode()

    def larger(found: re.Match[str]) -> str:
        return f'{found[1]}="{float(found[2]) * enlarged:g}pt"'

    # The sheet's size stands first; the drawing's own coordinates (viewBox) stay.
    return re.sub(r'\b(width|height)="([\d.]+)pt"', larger, drawn, count=2).encode()


def to_pdf(figure: Figure, *, enlarged: float = 1.0) -> bytes:
    """PDF with embedded TrueType fonts; the same bytes for the same figure."""
    if enlarged == 1:
        return _saved(figure, format="pdf", metadata={"CreationDate": None})
    buffer = BytesIO()
    with print_style(), _EnlargedPages(buffer, enlarged) as pages:
        figure.savefig(pages, format="pdf")
    return buffer.getvalue()


class _EnlargedFile(PdfFile):
    """A PDF whose pages are drawn larger than they are laid out."""

    def __init__(self, filename: BytesIO, enlarged: float) -> None:
        super().__init__(filename, metadata={"CreationDate": None})
        self._enlarged = enlarged

    def newPage(self, width: float, height: float) -> None:  # noqa: N802 (matplotlib's name)
        """Begin a page, with a transformation before everything else."""
        by = self._enlarged
        super().newPage(width * by, height * by)
        self.output(by, 0, 0, by, 0, 0, Op.concat_matrix)


class _EnlargedPages(PdfPages):
    """What matplotlib draws pages of such a PDF into."""

    def __init__(self, filename: BytesIO, enlarged: float) -> None:
        super().__init__(filename)
        self._enlarged = enlarged

    def _ensure_file(self) -> PdfFile:
        if self._file is None:
            self._file = _EnlargedFile(self._filename, self._enlarged)
        return self._file


def _saved(figure: Figure, **options: Any) -> bytes:
    buffer = BytesIO()
    with print_style():
        figure.savefig(buffer, **options)
    return buffer.getvalue()
