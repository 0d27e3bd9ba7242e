"""Excel workbooks (.xlsx): the stored values of one sheet; no formula is ever evaluated."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import reduce
from operator import or_
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
import pandas as pd
from openpyxl.utils.exceptions import InvalidFileException

from nme_core.exceptions import DataError, OptionError
from nme_core.study.columns import is_number
from nme_core.study.formats.beside import own_columns
from nme_core.study.formats.choice import ALL, Look, choose, look_at, say_better, say_others
from nme_core.study.formats.collect import Collected
from nme_core.study.formats.columns import assemble, clean_names
from nme_core.study.formats.objects import from_values
from nme_core.study.formats.packed import ZIP_DAMAGE, limit_of
from nme_core.study.formats.result import HowRead, Labels, Reading
from nme_core.study.formats.sheets import Sheet, read_sheet, with_dates
from nme_core.study.formats.sheettext import find_header, refuse_unfilled, told
from nme_core.study.formats.source import Source, too_large
from nme_core.study.roles.role_names import is_time
from nme_core.study.time.time_numbers import FORMS, number_form

#: Bytes that a workbook may unpack to.
LARGEST = 512 * 1024**2

#: Rows by which it is judged what a sheet is.
HEAD = 200
#: Sheets that are looked at.
MOST_SHEETS = 1000

#: Names of columns of ids: sheets that have one are not people themselves.
_ID = re.compile(
    r"(^|_|\b)(id|pid|vpn?|code|person|participants?|subjects?|patients?|probande?n?|dyad|user)"
    r"(_|\b|nr|no|id|$)",
    re.IGNORECASE,
)

_DAMAGE = (
    *(*ZIP_DAMAGE, InvalidFileException, ParseError, SyntaxError, KeyError, TypeError),
    *(AttributeError, IndexError, OverflowError, RecursionError, AssertionError),
)


def read_workbook(
    file: Source,
    *,
    sheet: str | None = None,
    header: str | None = None,
    text: Iterable[str] = (),
    columns: Iterable[str] = (),
    one_row_per: str | None = None,
) -> Reading:
    """Read one sheet, or all that have the same columns; see `nme_core.study.read_any`.

    Raises
    ------
    DataError
        The workbook is damaged or too large, the sheet has no table, or one of `columns` holds
        formulas that were never calculated.
    OptionError
        There is no such sheet.
    """
    wanted = list(columns)
    with _opened(file) as book:
        looks = _looks(book, one_row_per)
        titles = tuple(look.title for look in looks)
        pages = {page.title: page for page in book.worksheets}
        chosen = choose(file.name, looks, sheet, wanted, one_row_per)
        sheets = [read_sheet(book, pages[title]) for title in chosen]
        if sheet is None and len(sheets) > 1:
            sheets = _without_copies(sheets)
        parts = [
            _as_reading(file, one, book.epoch, set(text), set(wanted), header) for one in sheets
        ]
    if sheet is None:
        notes = say_others(looks, [one.title for one in sheets])
    else:
        notes = () if sheet == ALL else say_better(looks, sheet, wanted)
    joined = parts[0] if len(parts) == 1 else _joined(sheets, parts)
    return replace(joined, notes=(*notes, *joined.notes), sheets=titles)


def find_people(
    file: Source, person: str, people: Iterable[object], *, but: str | None = None
) -> str | None:
    """The sheet with one row per person, if there is one: most of `people` have a row in it.

    Parameters
    ----------
    file : Source
        A workbook.
    person : str
        Its column of ids.
    people : iterable
        Ids in the long table.
    but : str, optional
        The sheet of the long table.
    """
    known = {str(one) for one in people}
    with _opened(file) as book:
        for look in _looks(book, person):
            theirs = set(look.ids)
            most = 2 * len(known & theirs) > len(theirs)
            if look.title != but and look.visible and look.unique and most:
                return look.title
    return None


@contextmanager
def _opened(file: Source) -> Iterator[Any]:
    """openpyxl's workbook; whatever it stumbles over in a damaged file becomes a DataError."""
    _refuse_unsafe(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks on styles and extensions
            yield openpyxl.load_workbook(
                io.BytesIO(file.content), read_only=True, data_only=True, keep_links=False
            )
    except _DAMAGE as error:
        if isinstance(error, DataError | OptionError):
            raise
        raise DataError(
            f"{file.name} is damaged: it is no workbook that can be read.",
            remedy="Open it in Excel and save it again as .xlsx, or as CSV UTF-8.",
        ) from error


def _refuse_unsafe(file: Source) -> None:
    """Raise DataError where a workbook unpacks to too much or declares entities."""
    try:
        with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
            limit = min(LARGEST, limit_of(len(file.content)))
            if sum(entry.file_size for entry in archive.infolist()) > limit:
                raise too_large(f"{file.name}, unpacked,", limit)
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


def _looks(book: Any, one_row_per: str | None) -> list[Look]:
    """What each sheet seems to be, by its first rows."""
    looks = []
    for page in book.worksheets[:MOST_SHEETS]:
        head = read_sheet(book, page, most_rows=HEAD)
        looks.append(look_at(head, page.max_row, one_row_per))
    return looks


def _without_copies(sheets: Sequence[Sheet]) -> list[Sheet]:
    """Sheets without those that mostly hold rows of the first: it is one sheet and its copies."""
    first = {repr(row) for row in sheets[0].rows.values()}
    kept = [sheets[0]]
    for sheet in sheets[1:]:
        same = sum(repr(row) in first for row in sheet.rows.values())
        if 2 * same <= min(len(first), len(sheet.rows)):
            kept.append(sheet)
    return kept


def _as_reading(
    file: Source,
    sheet: Sheet,
    epoch: Any,
    text: set[str],
    wanted: set[str],
    header: str | None,
) -> Reading:
    found = find_header(file.name, sheet, header)
    merged = sheet.fill_merged()
    body, table = found.rows, found.table
    rows = [row for _, row in body]
    own, beside = own_columns(found.names, rows, header=bool(table.names))
    names, said = clean_names(file.name, found.names[own])
    names = ["" for _ in range(own.start)] + names
    refuse_unfilled(file.name, sheet, names, wanted)
    collected = Collected()
    dated: dict[str, int] = {}
    for place, name in enumerate(names[own], own.start):
        values = [row[place] if place < len(row) else None for _, row in body]
        if name not in text:
            values, dated[name] = with_dates(values, epoch)
        converted = from_values(values, text=name in text)
        collected.add(name, converted)
    frame = assemble(collected.columns, pd.Index([number for number, _ in body], name="row"))
    since_1904 = _with_days_since_1904(frame) if epoch.year == 1904 else []
    how = HowRead(
        "xlsx",
        compression=file.compression,
        member=file.member,
        title_lines=table.top,
        header=found.header,
        sheet=sheet.title,
    )
    meanings = {
        name: table.labels[place]
        for place, name in enumerate(names)
        if name and place in table.labels
    }
    labels = replace(collected.labels, columns=meanings)
    said = said if table.names else []
    notes = (
        *table.notes,
        *beside,
        *said,
        *told(sheet, names, merged, dated),
        *collected.told(),
        *since_1904,
    )
    return Reading(frame, how, labels, notes, above=found.above)


def _with_days_since_1904(frame: pd.DataFrame) -> list[str]:
    """Read numbers of days in columns of dates as the workbook counts them, and say so."""
    found = [
        name
        for name in frame.columns
        if is_number(frame[name]) and is_time(name) and number_form(frame[name]) == "excel"
    ]
    for name in found:
        frame[name] = FORMS["excel_1904"].read(frame[name])
    words = FORMS["excel_1904"].words
    return [f"The numbers in {name!r} are dates: {words}, as the workbook does." for name in found]


def _joined(sheets: Sequence[Sheet], parts: Sequence[Reading]) -> Reading:
    """One table of several sheets with the same columns, and a column with the sheet's name."""
    names = list(parts[0].frame.columns)
    column = "sheet" if "sheet" not in names else "name of the sheet"
    frames = []
    for sheet, part in zip(sheets, parts, strict=True):
        frame = part.frame.set_axis(names, axis=1)
        frame.insert(0, column, pd.Series(sheet.title, index=frame.index, dtype="str"))
        frames.append(frame)
    frame = pd.concat(frames, ignore_index=True)
    frame.index = pd.RangeIndex(1, 1 + len(frame), name="row")
    shown = ", ".join(repr(sheet.title) for sheet in sheets[:10])
    more = f" and {len(sheets) - 10} more" if len(sheets) > 10 else ""
    note = (
        f"The sheets {shown}{more} have the same columns and were read as one table of "
        f"{len(frame)} rows; the column {column!r} holds the sheet's name. If these are the "
        f"people, it is the person. To read one sheet only, name it."
    )
    rest = [f"{sheet.title}: {line}" for sheet, part in zip(sheets, parts, strict=True)
            for line in part.notes]  # fmt: skip
    has_ids = any(_ID.search(name) for name in names)
    labels = {
        entry.name: reduce(or_, (getattr(part.labels, entry.name) for part in parts))
        for entry in fields(Labels)
    }
    return replace(
        parts[0],
        frame=frame,
        how=replace(parts[0].how, sheet=ALL, title_lines=0),
        labels=Labels(**labels),
        notes=(note, *rest),
        roles={} if has_ids else {"person": column},
    )
