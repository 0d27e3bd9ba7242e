"""The header of a sheet, and words for its merged, hidden, broken and never calculated cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nme_core.exceptions import DataError, OptionError
from nme_core.study.formats.rows import Row
from nme_core.study.formats.sheets import Cell, Sheet, columns_of, coordinate
from nme_core.study.formats.table import Table, find_table

#: Rows, and cells, among which the table is looked for.
_LOOKED_AT, _MOST_LOOKED_AT = 5000, 500_000


@dataclass(frozen=True)
class Found:
    """The table of a sheet: names of its columns, its rows with their numbers, and where it is."""

    names: list[str]
    rows: list[tuple[int, list[Any]]]
    table: Table
    header: str
    above: dict[str, str]


def find_header(name: str, sheet: Sheet, header: str | None = None) -> Found:
    """Find the table of a sheet, and fill its merged cells; `header` is as `read_any` takes it.

    Raises
    ------
    DataError
        There are no rows below the header.
    OptionError
        The row that is to be the header is empty.
    """
    rows = sorted(sheet.rows.items())
    given = None if header in (None, "none") else int(str(header))
    if given is not None and given not in sheet.rows:
        raise OptionError(
            f"The sheet {sheet.title!r} of {name} has nothing in row {given}.",
            remedy="Give the row with the names of the columns (header).",
        )
    rows = [row for row in rows if given is None or row[0] >= given]
    wide = max((len(cells) for _, cells in rows[:_LOOKED_AT]), default=1)
    looked_at = min(_LOOKED_AT, max(50, _MOST_LOOKED_AT // wide))
    seen = [Row(_words(cells), number, number) for number, cells in rows[:looked_at]]
    seen = [replace(row, cells=[*row.cells, *[""] * (wide - len(row.cells))]) for row in seen]
    if len(seen) < 1 + (header != "none"):
        raise _no_rows(name, sheet)
    table = find_table(seen, header=None if given is None else 0, none=header == "none")
    body = [row for place, row in enumerate(rows[table.body : table.end], table.body)
            if place not in table.skip]  # fmt: skip
    body += rows[len(seen) :] if table.end == len(seen) else []
    if not body:
        raise _no_rows(name, sheet)
    width = max(len(table.names), *(len(cells) for _, cells in body))
    names = [*table.names, *[""] * (width - len(table.names))]
    above = {row.words[0].rstrip(":"): row.words[1] for row in seen[: table.top] if row.width == 2}
    at = "none" if table.header is None else str(seen[table.header].line)
    return Found(names, body, table, at, above)


def _no_rows(name: str, sheet: Sheet) -> DataError:
    return DataError(
        f"The sheet {sheet.title!r} of {name} has no rows below its header.",
        remedy="Give one row per person and occasion.",
    )


def refuse_unfilled(name: str, sheet: Sheet, names: Sequence[str], wanted: Collection[str]) -> None:
    """Raise DataError where a column that has a role holds formulas that were never calculated."""
    for column, cells in columns_of(sheet.unfilled):
        if column <= len(names) and names[column - 1] in wanted:
            raise DataError(
                f"The column {names[column - 1]!r} of {name} holds formulas without stored results "
                f"({_count(cells)}), which nothing here calculates.",
                remedy="Open the file in Excel or LibreOffice, save it, and give it again.",
                column=names[column - 1],
            )


def told(
    sheet: Sheet, names: Sequence[str], merged: Collection[Cell], dated: Mapping[str, int]
) -> Iterator[str]:
    """Sentences on what is to be known of the cells of a sheet."""
    for name, cells in _of(names, sheet.unfilled):
        yield (
            f"The column {name!r} holds formulas without stored results ({_count(cells)}); these "
            "cells are missing. Open the file in Excel or LibreOffice, save it, and give it again."
        )
    for name, cells in _of(names, merged):
        yield (
            f"Merged cells of {name!r} were filled down: {_count(cells)} took the value of the "
            "cell that they are merged with."
        )
    for name, cells in _of(names, sheet.errors):
        kinds = ", ".join(word for word, _ in Counter(sheet.errors[c] for c in cells).most_common())
        yield f"Cells of {name!r} with an error ({kinds}) are missing: {_count(cells)}."
    for name, cells in _of(names, sheet.percent):
        at = cells[0][1] - 1
        numbers = [row for row in sheet.rows.values()
                   if at < len(row) and isinstance(row[at], int | float)]  # fmt: skip
        more = len(numbers) - len(cells)
        beside = f" {more} other numbers of the column are not: check that they should not be."
        yield (
            f"Numbers of {name!r} are shown as percent; 50% is 0.5 here ({_count(cells)})."
            f"{beside if more else ''}"
        )
    for name, count in dated.items():
        if count:
            yield f"Numbers among the dates of {name!r} were read as days: {count:,} cells."
    yield from _hidden(sheet, names)


def _hidden(sheet: Sheet, names: Sequence[str]) -> Iterator[str]:
    if sheet.hidden_rows:
        count = len(sheet.hidden_rows)
        by = "by a filter " if sheet.filtered else ""
        first = min(sheet.hidden_rows)
        rows = f"{count:,} rows are" if count > 1 else "1 row is"
        yield (
            f"{rows} hidden {by}in the sheet (first: row {first}), and read all the same. Delete "
            "what should not count."
        )
    columns = [names[column - 1] for column in sorted(sheet.hidden_columns) if column <= len(names)]
    if columns:
        listed = ", ".join(map(repr, columns[:10]))
        more = f" and {len(columns) - 10} more" if len(columns) > 10 else ""
        yield f"Columns that are hidden in the sheet were read all the same: {listed}{more}."


def _of(names: Sequence[str], cells: Collection[Cell]) -> Iterator[tuple[str, list[Cell]]]:
    for column, found in columns_of(cells):
        if column <= len(names) and names[column - 1]:
            yield names[column - 1], found


def _count(cells: Sequence[Cell]) -> str:
    if len(cells) == 1:
        return f"cell {coordinate(cells[0])}"
    return f"{len(cells)} cells, first {coordinate(cells[0])}"


def _words(row: Sequence[Any]) -> list[str]:
    return ["" if value is None else str(value) for value in row]
