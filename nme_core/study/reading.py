"""Reading tables from files: what they are is recognised, ids stay text, and it is said how."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pandas as pd

from nme_core.exceptions import OptionError
from nme_core.study.formats.foreign import is_workbook, refuse_foreign, statistics_kind
from nme_core.study.formats.layouts import apply_layout, find_metadata
from nme_core.study.formats.packed import unpack
from nme_core.study.formats.result import Reading
from nme_core.study.formats.source import Source, open_source
from nme_core.study.formats.steps import check_step, in_steps
from nme_core.study.formats.text import read_text
from nme_core.study.roles.names import joined
from nme_core.study.roles.role_names import SURE, person_score


def read_any(
    source: str | os.PathLike[str] | bytes,
    name: str | None = None,
    *,
    sheet: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    header: int | str | None = None,
    step: str | float | None = None,
    instrument: str | None = None,
    text: Iterable[str] = (),
    metadata: str | os.PathLike[str] | bytes | None = None,
    columns: Iterable[str] = (),
    one_row_per: str | None = None,
) -> Reading:
    """Read one file with a table, whatever its format; what is not given is recognised.

    A column becomes numeric where every cell that is not missing is a number; in text files that
    are not delimited by commas, ``1,5`` is a number too. Columns of ``true`` and ``false`` become
    boolean. All others are text. Rows without any cell are left out.

    Parameters
    ----------
    source : path or bytes
        The file, or its content.
    name : str, optional
        What messages call it, and what bytes are taken to be by its ending.
    sheet : str, optional
        Sheet of a workbook, or ``"*"`` for all that have the same columns, as one table with a
        column for the sheet's name. Default: the visible sheet that has `columns` and looks like
        data, with those that have the same columns.
    encoding, delimiter, decimal : str, optional
        Of a text file, where they should not be recognised.
    header : int or str, optional
        Of a text file or workbook: the line that names the columns, or ``"none"`` where no line
        does; the columns are then called by their place. Default: recognised.
    step : str or float, optional
        Of a file of events with a start and an end (BORIS, ELAN): the length of the steps that
        they become, such as ``"1s"``. Default, and ``"none"``: one row per event.
    instrument : str, optional
        Of an export of REDCap with repeating instruments: the one whose rows are the occasions, or
        ``"none"`` for the rows of no instrument. Default: the one with the most rows.
    text : iterable of str
        Columns that stay text whatever they look like ("007" stays "007").
    metadata : path or bytes, optional
        What explains the columns: openESM's JSON, or m-Path's file of questions. Default: the
        file that lies beside a path under the name that these give it (``…_ts.tsv`` and
        ``…_metadata.json``; ``…_basic.csv`` and ``…_meta.csv``).
    columns : iterable of str, optional
        Columns that are needed, by which the sheet of a workbook is chosen.
    one_row_per : str, optional
        The column of ids of a table with one row per person, where that is what is looked for.

    Raises
    ------
    DataError
        The file is missing, empty, too large, not a table, has no rows, repeats a column name, or
        has rows that do not fit the header.
    OptionError
        An option does not fit the file.
    """
    header = None if header is None else check_header(header)
    step = None if step is None else check_step(step)
    options = {
        "sheet": sheet,
        "encoding": encoding,
        "delimiter": delimiter,
        "decimal": decimal,
        "header": header,
        "step": step,
        "instrument": instrument,
    }
    _check_marks(delimiter, decimal)
    reading = _read(
        unpack(open_source(source, name)),
        sheet=sheet,
        encoding=encoding,
        delimiter=delimiter,
        decimal=decimal,
        header=header,
        text=text,
        columns=columns,
        one_row_per=one_row_per,
    )
    given = tuple(option for option, value in options.items() if value is not None)
    reading = replace(reading, how=replace(reading.how, given=given, instrument=instrument))
    beside = find_metadata(source) if metadata is None else metadata
    reading = apply_layout(
        reading, None if beside is None else open_source(beside, _name_of(beside))
    )
    if instrument is not None and not reading.instruments:
        told = (
            f"The file has no repeating instruments of REDCap: {instrument!r} was not looked for."
        )
        how = replace(reading.how, instrument=None)
        reading = replace(reading, how=how, notes=(*reading.notes, told))
    return in_steps(reading, step)


def _check_marks(delimiter: str | None, decimal: str | None) -> None:
    """Raise OptionError for marks that part no cells or numbers."""
    if delimiter is not None and (
        len(delimiter) != 1 or delimiter in '\r\n"' or delimiter.isalnum()
    ):
        raise OptionError(
            f"{delimiter!r} cannot part the columns of a file.",
            remedy="Give one mark, such as ; or a comma.",
        )
    if decimal not in (None, ".", ","):
        raise OptionError(f"{decimal!r} is no decimal mark.", remedy="Give a point or a comma.")
    if delimiter is not None and delimiter == decimal:
        raise OptionError(
            f"{decimal!r} cannot part both columns and decimals.", remedy="Give two marks."
        )


def check_header(header: int | str) -> str:
    """The number of a line as text, or ``"none"``; OptionError for anything else."""
    said = str(header).strip().lower()
    if said != "none" and not (said.isascii() and said.isdigit() and 0 < int(said) < 10**9):
        raise OptionError(
            f"{header!r} is not a line of a file.",
            remedy="Give the number of the line that names the columns, or none.",
        )
    return said


def _name_of(source: str | os.PathLike[str] | bytes) -> str:
    return "The metadata" if isinstance(source, bytes) else os.path.basename(source)


def _read(
    file: Source,
    *,
    sheet: str | None,
    encoding: str | None,
    delimiter: str | None,
    decimal: str | None,
    header: str | None,
    text: Iterable[str],
    columns: Iterable[str],
    one_row_per: str | None,
) -> Reading:
    """Read a file by what its first bytes say it is."""
    content = file.content
    if sheet is not None and not is_workbook(content):
        raise OptionError(
            f"{file.name} has no sheets.", remedy="Leave the sheet out, or give a workbook (.xlsx)."
        )
    if is_workbook(content):
        from nme_core.study.formats.excel import read_workbook

        return read_workbook(
            file,
            sheet=sheet,
            header=header,
            text=text,
            columns=columns,
            one_row_per=one_row_per,
        )
    kind = statistics_kind(content)
    if kind is not None:
        from nme_core.study.formats.statistics import read_statistics

        return read_statistics(file, kind, text=text)
    if content.startswith(b"PAR1"):
        from nme_core.study.formats.parquet import read_parquet

        return read_parquet(file, text=text)
    from nme_core.study.formats.records import is_json, read_records

    if is_json(content) and (records := read_records(file, text=text)) is not None:
        return records
    del content
    refuse_foreign(file)
    return read_text(
        file, encoding=encoding, delimiter=delimiter, decimal=decimal, header=header, text=text
    )


def read_table(
    path: str | os.PathLike[str], *, text: Iterable[str] = (), **said: Any
) -> pd.DataFrame:
    """The table of a file; see `read_any`, which also says how it was read.

    Parameters
    ----------
    path : path
        The file.
    text : iterable of str
        Columns that stay text whatever they look like ("007" stays "007").
    **said
        How it is read, such as ``sheet``, as `read_any` takes it.

    Returns
    -------
    DataFrame
        Its index is named ``line`` and holds each row's line in the file (the header is line 1).

    Raises
    ------
    DataError
        What `read_any` says.
    """
    return read_any(path, text=text, **said).frame


def read_second(
    source: str | os.PathLike[str] | bytes,
    person: str | None,
    name: str | None = None,
    **said: Any,
) -> Reading:
    """Read a table with one row per person, whose ids stay text; `said` is what `read_any` takes.

    Of a workbook, the sheet that is named, else the one that has the column `person` with each id
    once.
    """
    ids = [] if person is None else [person]
    reading = read_any(source, name, text=ids, columns=ids, one_row_per=person, **said)
    return reading if person is None or person in reading.frame else _with_person(reading, person)


def _with_person(reading: Reading, person: str) -> Reading:
    """A table whose ids stand in a column of another name, where one alone can be meant."""
    names = [str(name) for name in reading.frame.columns]
    same = [name for name in names if joined(name) == joined(person)]
    found = same or [name for name in names if person_score(name) >= SURE]
    if len(found) != 1:
        return reading
    told = f"The column {found[0]!r} has the ids: it is taken as {person!r}."
    frame = reading.with_ids(found).rename(columns={found[0]: person})
    return replace(reading, frame=frame, notes=(*reading.notes, told))


def has_sheets(source: str | os.PathLike[str] | bytes) -> bool:
    """Whether a file is a workbook."""
    return is_workbook(unpack(open_source(source)).content)


def people_sheet(
    source: str | os.PathLike[str] | bytes,
    name: str | None,
    person: str,
    people: Iterable[object],
    *,
    but: str | None = None,
) -> str | None:
    """The sheet of a workbook with one row per person, for most of whom there are rows.

    Parameters
    ----------
    source, name
        As `read_any` takes them.
    person : str
        The column of ids.
    people : iterable
        Ids in the long table.
    but : str, optional
        The sheet of the long table.

    Returns
    -------
    str or None
        None where there is no such sheet, or the file is no workbook.
    """
    file = unpack(open_source(source, name))
    if not is_workbook(file.content):
        return None
    from nme_core.study.formats.excel import find_people

    return find_people(file, person, people, but=but)
