"""Printed tables as CSV, HTML, LaTeX and Word: pure functions, table in, file out."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from io import BytesIO

from nme_core.io import spreadsheet_text
from nme_core.reports.result_table import ResultTable
from nme_core.vocabulary.language import tr

#: Before what stands below a table.
NOTE = "Note."

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "−": "$-$", "–": "--", "ρ": r"$\rho$", "κ": r"$\kappa$", "Σ": r"$\Sigma$", "η": r"$\eta$",
    "×": r"$\times$", "<": r"$<$", ">": r"$>$", "“": "``", "”": "''", "…": r"\ldots{}",
}  # fmt: skip
# A number, with an interval where it has one, but no "1 → 2", which is a step between states.
_NUMBER = re.compile(r"[<\[]?\s*[\d.,−–][^→]*|–")
# Characters that XML 1.0 cannot hold; names in data may have them.
_NOT_XML = re.compile(r"[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def set_right(table: ResultTable) -> list[bool]:
    """Which columns are set to the right: those of numbers, but the first, which names the row."""
    _, *others = table.cells.columns
    return [False, *(all(map(_NUMBER.fullmatch, table.cells[column])) for column in others)]


def to_csv(table: ResultTable) -> bytes:
    """CSV in UTF-8 with a byte order mark, so that a spreadsheet reads it right and runs none."""
    return spreadsheet_text(table.cells).encode("utf-8-sig")


def to_html(table: ResultTable) -> str:
    """An accessible HTML table: caption, head with scope, first cell of a row as its head."""
    columns = [str(column) for column in table.cells.columns]
    classes = [' class="num"' if right else "" for right in set_right(table)]
    head = "".join(
        f'<th scope="col"{kind}>{html.escape(column)}</th>'
        for column, kind in zip(columns, classes, strict=True)
    )
    body = []
    for row in table.cells.itertuples(index=False):
        cells = [f'<th scope="row">{html.escape(str(row[0]))}</th>']
        for cell, kind in zip(row[1:], classes[1:], strict=True):
            cells.append(f"<td{kind}>{html.escape(str(cell))}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    words = html.escape(f"{tr(NOTE)} {table.note}")
    note = f'<p class="note">{words}</p>' if table.note else ""
    return (
        f"<table><caption>{html.escape(table.caption)}</caption>"
        f"<thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table>{note}"
    )


def to_latex(table: ResultTable) -> str:
    """A LaTeX table with rules of booktabs."""
    columns = [str(column) for column in table.cells.columns]
    align = "".join("r" if right else "l" for right in set_right(table))
    # After the end of a line, a bracket or a star would be read as an option of it.
    rows = [
        "{}" * str(row[0]).startswith(("[", "*"))
        + " & ".join(latex(str(cell)) for cell in row)
        + r" \\"
        for row in table.cells.itertuples(index=False)
    ]
    lines = [
        "% needs \\usepackage{booktabs}",
        r"\begin{table}",
        rf"\caption{{{latex(table.caption)}}}",
        rf"\label{{tab:{table.name.replace('_', '-')}}}",
        rf"\begin{{tabular}}{{{align}}}",
        r"\toprule",
        " & ".join(latex(column) for column in columns) + r" \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        *([rf"\par\smallskip\emph{{{tr(NOTE)}}} {latex(table.note)}"] if table.note else []),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def latex(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(_LATEX.get(character, character) for character in text)


def to_docx(tables: Sequence[ResultTable], paragraphs: Sequence[tuple[str, str]] = ()) -> bytes:
    """A Word file: headed paragraphs, then tables in APA style (rules above, below, no lines).

    Parameters
    ----------
    tables : sequence of ResultTable
        Numbered in this order.
    paragraphs : sequence of (heading, text)
        What stands before them; an empty heading continues the last one.
    """
    from docx import Document
    from docx.shared import Pt

    document = Document()
    document.styles["Normal"].font.size = Pt(11)
    for heading, text in paragraphs:
        if heading:
            document.add_heading(_xml(heading), level=1)
        document.add_paragraph(_xml(text))
    for number, table in enumerate(tables, start=1):
        document.add_paragraph().add_run(f"Table {number}").bold = True
        document.add_paragraph().add_run(_xml(table.caption)).italic = True
        _docx_table(document, table)
        if table.note:
            note = document.add_paragraph()
            note.add_run(f"{tr(NOTE)} ").italic = True
            note.add_run(_xml(table.note))
    buffer = BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _docx_table(document: object, table: ResultTable) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    columns = [str(column) for column in table.cells.columns]
    grid = document.add_table(rows=1 + len(table.cells), cols=len(columns))  # type: ignore[attr-defined]
    lines = [columns, *table.cells.to_numpy().tolist()]
    right = set_right(table)
    for cells, line in zip(grid.rows, lines, strict=True):
        for cell, text, numeric in zip(cells.cells, line, right, strict=True):
            paragraph = cell.paragraphs[0]
            paragraph.add_run(_xml(str(text))).font.size = Pt(9)
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT if numeric else WD_ALIGN_PARAGRAPH.LEFT
    for row, sides in ((0, ("top", "bottom")), (len(table.cells), ("bottom",))):
        for cell in grid.rows[row].cells:
            _rule(cell, sides)
    _repeat(grid.rows[0])


def _rule(cell: object, sides: Sequence[str]) -> None:
    """Draw a rule at sides of a cell; python-docx has no call for it."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    borders = OxmlElement("w:tcBorders")
    for side in sides:
        line = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "6"), ("space", "0"), ("color", "222222")):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    cell._tc.get_or_add_tcPr().append(borders)  # type: ignore[attr-defined]


def _repeat(row: object) -> None:
    """Mark a row as the head of its table, repeated on every page and read out as such."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)  # type: ignore[attr-defined]


def _xml(text: str) -> str:
    return _NOT_XML.sub("", text)


#: File format of one table: ending and function.
TABLE_FORMATS: dict[str, Callable[[ResultTable], bytes]] = {
    "csv": to_csv,
    "html": lambda table: to_html(table).encode(),
    "tex": lambda table: to_latex(table).encode(),
    "docx": lambda table: to_docx([table]),
}
