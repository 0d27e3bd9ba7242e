"""Which sheet of a workbook is the table: by its columns, its values and its name."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nme_core.exceptions import DataError, OptionError
from nme_core.study.formats.sheets import Sheet
from nme_core.study.formats.sheettext import find_header

#: Stands for all sheets that have the same columns; no sheet can be called so.
ALL = "*"

#: Names of sheets that explain others.
_EXPLAINS = re.compile(
    r"(code ?book|code ?plan|info|read ?me|legend|dictionar|variable|meta|label|notes?$|about|cover"
    r"|hinweis|erl(ä|ae)uter|anleitung|titel|l(é|e)gende|diccionario|leyenda|uitleg|toelichting)",
    re.IGNORECASE,
)
_VALUES = (int, float, dt.date, dt.time, dt.timedelta)


@dataclass(frozen=True)
class Look:
    """What a sheet seems to be.

    Attributes
    ----------
    title : str
        Its name.
    visible : bool
        Whether it is shown.
    columns : tuple of str
        Names of its columns; empty where it has no table.
    n_values, n_cells : float
        Cells with numbers, dates or times, and all cells, as far as its first rows tell.
    ids : tuple of str
        Values of the column that was asked for.
    """

    title: str
    visible: bool
    columns: tuple[str, ...] = ()
    n_values: float = 0
    n_cells: float = 0
    ids: tuple[str, ...] = ()

    @property
    def unique(self) -> bool:
        """Whether the ids stand in one row each."""
        return len(self.ids) > 0 and len(set(self.ids)) == len(self.ids)

    @property
    def key(self) -> tuple[str, ...]:
        """Its columns, whatever their capitals."""
        return tuple(name.casefold() for name in self.columns)


def look_at(head: Sheet, n_rows: int | None, ids: str | None) -> Look:
    """What a sheet seems to be, by its first rows and the number of rows that it states."""
    try:
        found = find_header("", head)
    except DataError:
        return Look(head.title, head.visible)
    head.fill_merged()
    columns, body = tuple(name.strip() for name in found.names), found.rows
    cells = [value for _, row in body for value in row if value is not None]
    share = max(n_rows or 0, len(body)) / len(body)
    at = columns.index(ids) if ids in columns else None
    filled = [] if at is None else [row[at] for _, row in body if at < len(row)]
    return Look(
        head.title,
        head.visible,
        columns,
        share * sum(isinstance(value, _VALUES) for value in cells),
        share * len(cells),
        tuple(str(value) for value in filled if value is not None),
    )


def choose(
    name: str,
    looks: Sequence[Look],
    sheet: str | None,
    wanted: Sequence[str],
    one_row_per: str | None,
) -> list[str]:
    """The sheet that was named, else the one whose columns fit best, with those like it.

    Raises
    ------
    OptionError
        There is no such sheet.
    DataError
        No sheet has a table, or none a column that is `wanted`.
    """
    titles = [look.title for look in looks]
    if sheet not in (None, ALL):
        if sheet not in titles:
            listed = ", ".join(map(repr, titles))
            raise OptionError(f"{name} has no sheet {sheet!r}.", remedy=f"Its sheets are {listed}.")
        return [sheet]
    tables = [look for look in looks if look.columns]
    shown = [look for look in tables if look.visible]
    fits = {look.title: sum(column in look.columns for column in wanted) for look in tables}
    if wanted and max(fits.values(), default=0) > max(
        (fits[one.title] for one in shown), default=0
    ):
        shown = tables  # only a hidden sheet has the columns
    if not shown:
        raise DataError(
            f"{name} has no sheet with a table.",
            remedy="Give one row per person and occasion, below a row with the names of the "
            "columns.",
        )
    if wanted and len(looks) > 1 and not any(fits.values()):
        raise _no_column(name, shown, wanted)
    best = max(shown, key=lambda look: _rank(look, fits[look.title], one_row_per))
    like = [look for look in shown if look.key == best.key and look is not best]
    if one_row_per is not None and best.unique:
        like = [look for look in like if look.unique]
    return [look.title for look in shown if look is best or look in like]


def _rank(look: Look, fits: int, one_row_per: str | None) -> tuple[float, ...]:
    explains = _EXPLAINS.search(look.title) is not None
    return (
        fits,
        one_row_per is not None and look.unique,
        not explains,
        look.n_values,
        look.n_cells,
    )


def say_others(looks: Sequence[Look], read: Sequence[str]) -> tuple[str, ...]:
    """Words for the sheets that were not read, and for one that was although it is hidden."""
    others = [look for look in looks if look.title not in read]
    if not others:
        return ()
    listed = _listed(look.title if look.visible else f"{look.title} (hidden)" for look in others)
    notes = [f"Other sheets of the workbook, not part of this table: {listed}."]
    if any(look.title in read and not look.visible for look in looks):
        notes.append(f"The sheet {read[0]!r} is hidden; only it has these columns.")
    return tuple(notes)


def say_better(looks: Sequence[Look], read: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """Words for a sheet with more of the columns that are `wanted` than the one that was named."""

    def fits(look: Look) -> int:
        return sum(column in look.columns for column in wanted)

    here = max((fits(look) for look in looks if look.title == read), default=0)
    best = max(looks, key=fits)
    if fits(best) <= here:
        return ()
    there = _listed(column for column in wanted if column in best.columns)
    return (f"Another sheet, {best.title!r}, has {there}.",)


def _no_column(name: str, looks: Iterable[Look], wanted: Sequence[str]) -> DataError:
    held = "; ".join(
        f"{look.title!r} has {', '.join(look.columns[:6])}{' …' * (len(look.columns) > 6)}"
        for look in list(looks)[:10]
    )
    return DataError(
        f"No sheet of {name} has the column {wanted[0]!r}: {held}.",
        remedy="Name the columns as they stand in one of the sheets.",
        column=wanted[0],
    )


def _listed(names: Iterable[str]) -> str:
    words = [repr(name) for name in names]
    more = f" and {len(words) - 10} more" if len(words) > 10 else ""
    return ", ".join(words[:10]) + more
