"""Sheets of a workbook: stored values row by row, and how cells are merged, hidden or broken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.datetime import from_excel
from openpyxl.worksheet._reader import FORMULA_TAG, VALUE_TAG, WorkSheetParser

from nme_core.exceptions import DataError
from nme_core.study.formats.columns import MOST_COLUMNS

#: Cells that a sheet may have; reading a million takes some ten seconds.
MOST_CELLS = 5_000_000

_MOST_ROWS = 1_048_576
#: Days since 1900 that a number among dates can be: from 1954 to 2064.
_DAYS = (20_000, 60_000)

Cell = tuple[int, int]


@dataclass(eq=False)
class Sheet:
    """What a sheet holds.

    Attributes
    ----------
    title : str
        Its name.
    visible : bool
        Whether it is shown.
    rows : dict of row: cells
        Rows with at least one cell, without empty cells at the end; None is an empty cell.
    unfilled : list of (row, column)
        Formulas without a stored result.
    errors : dict of (row, column): word
        Cells such as ``#DIV/0!``, which are None in `rows`.
    percent : set of (row, column)
        Numbers that are shown as percent.
    merged : list of (first column, first row, last column, last row)
        Merged cells; the value stands in the first.
    hidden_rows, hidden_columns : set of int
        Those that are not shown.
    filtered : bool
        Whether a filter hides rows.
    """

    title: str
    visible: bool = True
    rows: dict[int, list[Any]] = field(default_factory=dict)
    unfilled: list[Cell] = field(default_factory=list)
    errors: dict[Cell, str] = field(default_factory=dict)
    percent: set[Cell] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    filtered: bool = False

    def fill_merged(self) -> set[Cell]:
        """Give the cells of a column that are merged the value of the first; which these were."""
        done: set[Cell] = set()
        for left, top, _, bottom in self.merged:
            first = self.rows.get(top, [])
            value = first[left - 1] if left <= len(first) else None
            if value is None or bottom == top:
                continue
            below = range(top + 1, bottom + 1) if bottom - top < len(self.rows) else list(self.rows)
            done.update((row, left) for row in below if top < row <= bottom
                        and self._fill(row, left, value))  # fmt: skip
            if len(done) > MOST_CELLS:
                raise _too_many(self.title)
        return done

    def _fill(self, row: int, column: int, value: Any) -> bool:
        cells = self.rows.get(row)
        if cells is None:
            return False
        cells += [None] * (column - len(cells))
        if cells[column - 1] is not None:
            return False
        cells[column - 1] = value
        return True


class _Parser(WorkSheetParser):  # type: ignore[misc]
    """openpyxl's parser, which also notices formulas that were never calculated."""

    unfilled: list[Cell]

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        empty = cell["value"] is None and not element.findtext(VALUE_TAG)
        if empty and element.get("t") != "str" and element.find(FORMULA_TAG) is not None:
            self.unfilled.append((cell["row"], cell["column"]))
        return cell


def read_sheet(book: Any, page: Any, *, most_rows: int = _MOST_ROWS) -> Sheet:
    """Read a sheet of a workbook that openpyxl opened to read only.

    Parameters
    ----------
    book, page
        openpyxl's workbook and worksheet.
    most_rows : int
        Rows that are looked at; what stands below the rows (merged cells) is known only where the
        whole sheet is read.

    Raises
    ------
    DataError
        The sheet has more than `MOST_CELLS` cells or `MOST_COLUMNS` columns.
    """
    sheet = Sheet(page.title, page.sheet_state == "visible")
    percents, kept, walked = _percent_styles(book), 0, 0
    with page._get_source() as source:
        parser = _Parser(
            source,
            page._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        parser.unfilled = sheet.unfilled
        for number, cells in parser.parse():
            if number > most_rows:
                break
            values = _values(sheet, number, cells, percents)
            kept, walked = kept + len(values), walked + len(cells)
            if kept > MOST_CELLS or walked > 20 * MOST_CELLS:
                raise _too_many(page.title)
            if values:
                sheet.rows[number] = values
        _take_looks(sheet, parser)
    return sheet


def _values(sheet: Sheet, row: int, cells: list[Any], percents: Collection[int]) -> list[Any]:
    """Values of a row up to the last that is there."""
    values: list[Any] = []
    for cell in cells:
        column, value = cell["column"], cell["value"]
        if cell["data_type"] == "e" and value is not None:
            sheet.errors[row, column] = str(value)
            continue
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        if column > MOST_COLUMNS:
            raise _too_many(sheet.title)
        if cell["style_id"] in percents and isinstance(value, int | float):
            sheet.percent.add((row, column))
        values += [None] * (column - len(values))
        values[column - 1] = value
    return values


def _take_looks(sheet: Sheet, parser: WorkSheetParser) -> None:
    """Take over what is merged and what is hidden."""
    merged = [] if parser.merged_cells is None else parser.merged_cells.mergeCell
    sheet.merged = [_bounds(one.ref) for one in merged]
    sheet.hidden_rows = {
        int(row)
        for row, look in parser.row_dimensions.items()
        if look.get("hidden") in ("1", "true") and int(row) in sheet.rows
    }
    for look in parser.column_dimensions.values():
        if look.get("hidden") in ("1", "true"):
            last = min(int(look["max"]), MOST_COLUMNS)
            sheet.hidden_columns.update(range(int(look["min"]), last + 1))
    given = getattr(parser, "auto_filter", None)
    sheet.filtered = given is not None and bool(given.filterColumn)


def _bounds(reference: str) -> tuple[int, int, int, int]:
    left, top, right, bottom = range_boundaries(reference)
    return (left or 1, top or 1, right or MOST_COLUMNS, bottom or _MOST_ROWS)


def _percent_styles(book: Any) -> set[int]:
    custom = book._number_formats
    found = set()
    for number, style in enumerate(book._cell_styles):
        own = style.numFmtId - 164
        if style.numFmtId in (9, 10) or (0 <= own < len(custom) and "%" in custom[own]):
            found.add(number)
    return found


def coordinate(cell: Cell) -> str:
    """What a spreadsheet calls a cell: ``C5``."""
    return f"{get_column_letter(cell[1])}{cell[0]}"


def with_dates(values: list[Any], epoch: dt.datetime) -> tuple[list[Any], int]:
    """A column in which days as numbers stand among dates, all as dates; and how many there were.

    Columns without dates, or with numbers that are no days of our time, stay as they are.
    """
    numbers = [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
    dates = sum(isinstance(one, dt.datetime | dt.date) for one in values)
    if not (numbers and dates >= len(numbers)):
        return values, 0
    if not all(_DAYS[0] <= number <= _DAYS[1] for number in numbers):
        return values, 0
    kinds = (int, float)
    return [from_excel(one, epoch) if isinstance(one, kinds) else one for one in values], len(
        numbers
    )


def columns_of(cells: Collection[Cell]) -> Iterator[tuple[int, list[Cell]]]:
    """Cells by column, each in order of rows."""
    by_column: dict[int, list[Cell]] = {}
    for cell in sorted(cells):
        by_column.setdefault(cell[1], []).append(cell)
    yield from sorted(by_column.items())


def _too_many(title: str) -> DataError:
    return DataError(
        f"The sheet {title!r} has more than {MOST_CELLS:,} cells.",
        remedy="Save it as CSV UTF-8, with the columns that are needed.",
    )
