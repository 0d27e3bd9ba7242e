"""Excel workbooks (.xlsx): the stored values of one sheet; no formula is ever evaluated."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
import pandas as pd
from openpyxl.utils.exceptions import InvalidFileException

from nme_core.data.formats.collect import Collected
from nme_core.data.formats.columns import assemble, clean_names
from nme_core.data.formats.objects import from_values
from nme_core.data.formats.packed import ZIP_DAMAGE
from nme_core.data.formats.result import HowRead, Reading
from nme_core.data.formats.source import Source, too_large
from nme_core.data.formats.table import count_titles
from nme_core.exceptions import DataError, OptionError

#: Cells that a sheet may have; reading a million takes some ten seconds.
MOST_CELLS = 5_000_000
#: Bytes that a workbook may unpack to.
LARGEST = 512 * 1024**2

_MOST_ROWS = 1_048_576
_TITLES_WITHIN = 40
_DAMAGE = (
    *(*ZIP_DAMAGE, InvalidFileException, ParseError, SyntaxError, KeyError, TypeError),
    *(AttributeError, IndexError, OverflowError),
)


def read_workbook(file: Source, *, sheet: str | None = None, text: Iterable[str] = ()) -> Reading:
    """Read one sheet; see `nme_core.data.read_any`.

    Raises
    ------
    DataError
        The workbook is damaged or too large, or the sheet has no table.
    OptionError
        There is no such sheet.
    """
    _refuse_unsafe(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks on styles and extensions
            book = openpyxl.load_workbook(
                io.BytesIO(file.content), read_only=True, data_only=True, keep_links=False
            )
            names = tuple(page.title for page in book.worksheets)
            chosen, rows = _choose(file, book, sheet)
    except _DAMAGE as error:
        if isinstance(error, DataError | OptionError):
            raise
        raise DataError(
            f"{file.name} is damaged: it is no workbook that can be read.",
            remedy="Open it in Excel and save it again as .xlsx, or as CSV UTF-8.",
        ) from error
    others = [name for name in names if name != chosen]
    notes = []
    if others and sheet is None:
        listed = ", ".join(repr(name) for name in others[:10])
        notes.append(f"The workbook has other sheets, which were not read: {listed}.")
    return _as_reading(file, rows, chosen, names, notes, set(text))


def _refuse_unsafe(file: Source) -> None:
    """Raise DataError where a workbook unpacks to too much or declares entities."""
    try:
        with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
                raise too_large(f"{file.name}, unpacked,", LARGEST)
            for entry in archive.infolist():
                if entry.filename.endswith((".xml", ".rels")):
                    with archive.open(entry) as stream:
                        declared = b"<!DOCTYPE" in stream.read(1024)
                    if declared:
                        raise DataError(
                            f"{file.name} declares XML entities, as no workbook does.",
                            remedy="Open it in Excel and save it again as .xlsx.",
                        )
    except ZIP_DAMAGE as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{file.name} is damaged or protected by a password.",
            remedy="Open it in Excel and save it again as .xlsx without a password.",
        ) from error


Row = tuple[int, list[Any]]


def _choose(file: Source, book: Any, sheet: str | None) -> tuple[str, list[Row]]:
    """The sheet that was named, or the first visible one with a table, and its rows."""
    pages = {page.title: page for page in book.worksheets}
    if sheet is not None:
        if sheet not in pages:
            listed = ", ".join(repr(name) for name in pages)
            raise OptionError(
                f"{file.name} has no sheet {sheet!r}.", remedy=f"Its sheets are {listed}."
            )
        return sheet, list(_rows(file, pages[sheet]))
    for title, page in pages.items():
        if page.sheet_state == "visible":
            rows = list(_rows(file, page))
            if len(rows) > 1:
                return title, rows
    raise DataError(
        f"{file.name} has no sheet with a table.",
        remedy="Give one row per person and occasion, below a row with the names of the columns.",
    )


def _rows(file: Source, page: Any) -> Iterator[Row]:
    """Rows with at least one cell, without empty cells at the end, each with its number."""
    kept = walked = 0
    for number, row in enumerate(page.iter_rows(max_row=_MOST_ROWS), 1):
        values = [_value(cell) for cell in row]
        walked += len(values)
        while values and values[-1] is None:
            values.pop()
        kept += len(values)
        if kept > MOST_CELLS or walked > 20 * MOST_CELLS:
            raise DataError(
                f"The sheet {page.title!r} of {file.name} has more than {MOST_CELLS:,} cells.",
                remedy="Save it as CSV UTF-8.",
            )
        if values:
            yield number, values


def _value(cell: Any) -> Any:
    """What a cell holds; None where that is nothing, blank, or an error such as #DIV/0!."""
    value = cell.value
    if isinstance(value, str):
        return None if cell.data_type == "e" or not value.strip() else value
    return value


def _as_reading(
    file: Source,
    rows: Sequence[Row],
    sheet: str,
    sheets: tuple[str, ...],
    notes: list[str],
    text: set[str],
) -> Reading:
    words = [["" if value is None else str(value) for value in row] for _, row in rows[:1000]]
    start = count_titles(words[:_TITLES_WITHIN]) if words else 0
    if len(rows) < start + 2:
        raise DataError(
            f"The sheet {sheet!r} of {file.name} has no rows below its header.",
            remedy="Give one row per person and occasion.",
        )
    width = max(len(row) for _, row in rows[start:])
    header = words[start] + [""] * (width - len(words[start]))
    body = rows[start + 1 :]
    names, said = clean_names(file.name, header)
    collected = Collected()
    for place, name in enumerate(names):
        values = [row[place] if place < len(row) else None for _, row in body]
        converted = from_values(values, text=name in text)
        collected.add(name, converted)
    frame = assemble(collected.columns, pd.Index([number for number, _ in body], name="row"))
    how = HowRead(
        "xlsx",
        compression=file.compression,
        member=file.member,
        title_lines=start,
        sheet=sheet,
    )
    return Reading(frame, how, collected.labels, (*notes, *said, *collected.told()), sheets)
