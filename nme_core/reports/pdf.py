"""A report as PDF: fonts embedded, outline, pages numbered."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

import matplotlib
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    Image,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from nme_core.figures.drawing import Paper
from nme_core.figures.run_figure import RunFigure
from nme_core.figures.theme import INK, MUTED, inches, width_mm
from nme_core.reports import ResultTable
from nme_core.reports.blocks import Block, Code, Items, Report, Section, Text
from nme_core.reports.formats import NOTE, set_right
from nme_core.vocabulary.language import language, tr

_MARGIN = 20 * mm
_WIDTH = A4[0] - 2 * _MARGIN
#: matplotlib brings these fonts, which have the Greek and the signs that statistics needs.
_FONTS = {
    "Report": "DejaVuSans.ttf",
    "Report-Bold": "DejaVuSans-Bold.ttf",
    "Report-Italic": "DejaVuSans-Oblique.ttf",
    "Report-Mono": "DejaVuSansMono.ttf",
}
_DPI = 300
#: Of a table: size of its text, what stands beside it in a cell, and the widest that a text is set
#: before it goes on in a second line; points.
_CELL, _PADDING, _MOST_TEXT = 7, 8, 190
#: Rows of a table that is not cut by the end of a page.
_WHOLE = 15
_PLAIN = (("VALIGN", (0, 0), (-1, -1), "TOP"), ("FONTNAME", (0, 0), (-1, -1), "Report"))


@lru_cache(maxsize=1)
def _styles() -> dict[str, ParagraphStyle]:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name, file in _FONTS.items():
        pdfmetrics.registerFont(TTFont(name, folder / file))
    text = ParagraphStyle(
        "text",
        fontName="Report",
        fontSize=8.5,
        leading=12,
        textColor=INK,
        spaceAfter=5,
        bulletFontName="Report",
        allowWidows=0,
        allowOrphans=0,
    )
    head = {"fontName": "Report-Bold", "fontSize": _CELL, "leading": 9, "spaceAfter": 0}
    sizes = {
        "title": {"fontName": "Report-Bold", "fontSize": 15, "leading": 19},
        "lead": {"textColor": MUTED},
        "heading": {
            "fontName": "Report-Bold", "fontSize": 11, "leading": 14, "spaceBefore": 9,
            "keepWithNext": 1,
        },
        "strong": {
            "fontName": "Report-Bold", "borderWidth": 1, "borderColor": "#8A3A04",
            "borderPadding": 4, "spaceBefore": 5, "spaceAfter": 10,
        },
        "item": {"leftIndent": 10, "bulletIndent": 1, "spaceAfter": 2},
        "code": {"fontName": "Report-Mono", "fontSize": 7.5, "backColor": "#F4F5F7",
                 "borderPadding": 3, "spaceBefore": 4, "spaceAfter": 8, "wordWrap": "CJK"},
        "caption": {"fontName": "Report-Italic", "spaceBefore": 6},
        "note": {"fontSize": 7.5, "leading": 10, "textColor": MUTED},
        "cell": {"fontSize": _CELL, "leading": 9, "spaceAfter": 0},
        "number": {"fontSize": _CELL, "leading": 9, "spaceAfter": 0, "alignment": 2},
        "head": head,
        "number_head": {**head, "alignment": 2},
    }  # fmt: skip
    made = {name: ParagraphStyle(name, parent=text, **given) for name, given in sizes.items()}
    return {"text": text, **made}


class _Heading(Paragraph):
    """A heading that is an entry of the outline too."""

    def __init__(self, text: str, level: int, style: ParagraphStyle) -> None:
        super().__init__(escape(text), style)
        self._entry, self._level = text, level

    def draw(self) -> None:
        """Draw it and note where it stands."""
        key = f"h{id(self)}"
        self.canv.bookmarkPage(key)
        self.canv.addOutlineEntry(self._entry, key, self._level)
        super().draw()


def to_pdf(report: Report) -> bytes:
    """The report as PDF on A4; the same bytes for the same report."""
    styles = _styles()
    story: list[Flowable] = [
        _Heading(report.title, 0, styles["title"]),
        Paragraph(escape(report.lead), styles["lead"]),
    ]
    for section in report.sections:
        story += _section(section)
    buffer = BytesIO()
    document = SimpleDocTemplate(
        buffer, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=16 * mm,
        bottomMargin=16 * mm, title=report.title, author="Neural Mixed Effects",
        subject=report.lead, lang=language(), invariant=1,
        initialFontName="Report",
    )  # fmt: skip
    document.build(story, onFirstPage=_numbered, onLaterPages=_numbered)
    return buffer.getvalue()


def _numbered(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont("Report", 7)
    canvas.drawCentredString(A4[0] / 2, 9 * mm, f"{document.title} – {document.page}")


def _section(section: Section) -> list[Flowable]:
    # A heading never stands alone at the foot of a page.
    story: list[Flowable] = [
        CondPageBreak(55 * mm), _Heading(section.title, 1, _styles()["heading"])
    ]  # fmt: skip
    blocks = list(section.blocks)
    while blocks:
        pair = blocks[:2]
        if len(pair) == 2 and all(_is_narrow(block) for block in pair):
            story.append(
                _side_by_side([_figure(one) for one in pair if isinstance(one, RunFigure)])
            )
            blocks = blocks[2:]
        else:
            story += _block(blocks.pop(0))
    return story


def _is_narrow(block: Block) -> bool:
    return isinstance(block, RunFigure) and block.columns == 1


def _side_by_side(figures: list[list[Flowable]]) -> Flowable:
    style = TableStyle([*_PLAIN, ("LEFTPADDING", (0, 0), (-1, -1), 0)])
    return Table([figures], colWidths=[_WIDTH / 2] * 2, style=style, hAlign="LEFT")


def _block(block: Block) -> list[Flowable]:
    styles = _styles()
    if isinstance(block, Text):
        return [Paragraph(escape(block.text), styles["strong" if block.strong else "text"])]
    if isinstance(block, Items):
        return [
            Paragraph(escape(item), styles["item"], bulletText="\u2022") for item in block.items
        ]
    if isinstance(block, Code):
        return [Paragraph(escape(block.text), styles["code"])]
    if isinstance(block, RunFigure):
        return [KeepTogether(_figure(block))]
    return _table(block)


def _figure(figure: RunFigure) -> list[Flowable]:
    """The image and its caption, together."""
    image = Image(BytesIO(figure.file("png", Paper(figure.columns, dpi=_DPI))))
    width = min(
        inches(width_mm(figure.columns)) * 72, _WIDTH / (2 if figure.columns == 1 else 1) - 6
    )
    image.drawHeight *= width / image.drawWidth
    image.drawWidth, image.hAlign = width, "LEFT"
    caption = f"<font name='Report-Bold'>{escape(figure.title)}.</font> {escape(figure.sentence)}"
    return [Spacer(0, 4), image, Paragraph(caption, _styles()["note"])]


def _table(table: ResultTable) -> list[Flowable]:
    styles = _styles()
    columns = [str(column) for column in table.cells.columns]
    right = set_right(table)
    kinds = [styles["number" if one else "cell"] for one in right]
    heads = [styles["number_head" if one else "head"] for one in right]
    rows = [[Paragraph(escape(c), kind) for c, kind in zip(columns, heads, strict=True)]]
    for line in table.cells.itertuples(index=False):
        rows.append([Paragraph(escape(str(c)), kind) for c, kind in zip(line, kinds, strict=True)])
    grid = Table(rows, colWidths=_widths(table, right), repeatRows=1, hAlign="LEFT")
    rules = [("LINEABOVE", (0, 0), (-1, 0), 0.8, colors.black),
             ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black),
             ("LINEBELOW", (0, -1), (-1, -1), 0.8, colors.black),
             *_PLAIN,
             ("TOPPADDING", (0, 0), (-1, -1), 1.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
             ("LEFTPADDING", (0, 0), (-1, -1), 3),
             ("RIGHTPADDING", (0, 0), (-1, -1), 3)]  # fmt: skip
    grid.setStyle(TableStyle(rules))
    caption = Paragraph(escape(table.caption), styles["caption"])
    story: list[Flowable] = [caption, grid]
    if table.note:
        story += [Spacer(0, 2), Paragraph(escape(f"{tr(NOTE)} {table.note}"), styles["note"])]
    if len(table.cells) <= _WHOLE:
        return [KeepTogether(story)]
    return [CondPageBreak(60 * mm), *story]


def _widths(table: ResultTable, right: list[bool]) -> list[float]:
    """Widths of the columns on no more than the page: numbers and words are never broken."""
    least, wanted = [], []
    for column, number in zip(table.cells, right, strict=True):
        head, cells = str(column), [str(cell) for cell in table.cells[column]]
        parts = cells if number else [word for cell in cells for word in cell.split()]
        longest = max(map(_text_width, parts), default=0.0)
        least.append(
            _PADDING + max(longest, *(_text_width(word, "-Bold") for word in head.split()))
        )
        whole = min(max(map(_text_width, cells), default=0.0), _MOST_TEXT)
        wanted.append(max(least[-1], _PADDING + whole, _PADDING + _text_width(head, "-Bold")))
    if sum(least) > _WIDTH:  # ids or addresses without a gap: these have to be broken
        return [width * _WIDTH / sum(least) for width in least]
    more = sum(wanted) - sum(least)
    share = min(1.0, (_WIDTH - sum(least)) / more) if more else 0.0
    return [low + share * (high - low) for low, high in zip(least, wanted, strict=True)]


def _text_width(text: str, face: str = "") -> float:
    return float(stringWidth(text, f"Report{face}", _CELL))
