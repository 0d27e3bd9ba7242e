"""What reading a file gives: the table, how it was read, and the words that came with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from nme_core.study.columns import as_labels, is_text

if TYPE_CHECKING:
    from nme_core.study.formats.events import Events

_DELIMITERS = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "vertical bar",
    " ": "space",
}
_MARKS = {
    ".": "point",
    ",": "comma",
    "'": "apostrophe",
    " ": "space",
    "\u00a0": "space",
    "\u202f": "space",
}


@dataclass(frozen=True)
class HowRead:
    """How a file was read; None where a format has no such thing.

    Attributes
    ----------
    format : str
        ``"csv"`` (any delimited text), ``"xlsx"``, ``"sav"``, ``"por"``, ``"dta"``,
        ``"sas7bdat"``, ``"xpt"``, ``"parquet"`` or ``"json"``.
    compression, member : str or None
        ``"gzip"``, ``"bzip2"``, ``"xz"`` or ``"zip"``, and the name of the file inside.
    encoding, delimiter, quote : str or None
        Of a text file. The encoding is Python's name for it.
    decimal, thousands : str or None
        Decimal mark, and the mark between groups of three digits where one was found.
    comment_lines, title_lines : int
        Lines before the header that were skipped: those that begin with ``#``, and others.
    header : str or None
        The line that names the columns, as a number; ``"none"`` where there is none.
    step : str or None
        Length of the steps that events became.
    instrument : str or None
        Repeating instrument of REDCap whose rows are the occasions; ``"none"``: those of none.
    sheet : str or None
        Of a workbook; ``"*"`` stands for all sheets that have the same columns.
    given : tuple of str
        Which of these the user said, instead of having them recognised.
    """

    format: str
    compression: str | None = None
    member: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    comment_lines: int = 0
    title_lines: int = 0
    header: str | None = None
    step: str | None = None
    instrument: str | None = None
    sheet: str | None = None
    given: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """What is known, as JSON can hold it."""
        return {name: value for name, value in asdict(self).items() if value not in (None, 0, ())}

    @classmethod
    def of_dict(cls, content: dict[str, Any] | None) -> HowRead | None:
        """What `as_dict` gave, entries of other versions left out; None where nothing is known.

        Raises
        ------
        TypeError
            An entry is not what it has to be.
        """
        if not content:
            return None
        known: dict[str, Any] = {one.name: content[one.name] for one in fields(cls)
                                 if one.name in content}  # fmt: skip
        known["given"] = tuple(known.get("given", ()))
        for name, value in known.items():
            numeric = name.endswith("_lines")
            if name != "given" and not isinstance(value, int if numeric else str):
                raise TypeError(f"{name} cannot be {value!r}")
        return cls(**known)

    def words(self) -> str:
        """One sentence for a person, without the file's name."""
        parts = [self._kind()]
        if self.sheet is not None:
            every = self.sheet == "*"
            parts.append("sheets with the same columns" if every else f"sheet {self.sheet!r}")
        if self.encoding is not None:
            parts.append(self.encoding.upper())
        if self.delimiter is not None:
            parts.append(f"columns separated by {_name(self.delimiter, _DELIMITERS)}")
        if self.decimal is not None:
            parts.append(f"decimal {_name(self.decimal, _MARKS)}")
        if self.thousands is not None:
            parts.append(f"thousands marked by {_name(self.thousands, _MARKS)}")
        if self.quote not in (None, '"'):
            parts.append("cells in apostrophes" if self.quote == "'" else f"quote {self.quote}")
        if self.comment_lines:
            parts.append(f"{_lines(self.comment_lines, 'comment line')} skipped")
        if self.title_lines:
            parts.append(f"{_lines(self.title_lines, 'line')} above the header skipped")
        if self.header == "none":
            parts.append("no header")
        return ", ".join(parts) + "."

    def _kind(self) -> str:
        kinds = {
            "csv": "Text table",
            "xlsx": "Excel workbook",
            "sav": "SPSS file",
            "por": "SPSS portable file",
            "dta": "Stata file",
            "sas7bdat": "SAS file",
            "xpt": "SAS transport file",
            "parquet": "Parquet file",
            "json": "JSON, one object a row",
        }
        kind = kinds[self.format]
        return f"{kind} in a {self.compression} file" if self.compression else kind


@dataclass(frozen=True)
class Labels:
    """Words that came with the columns.

    Attributes
    ----------
    columns : dict of column: text
        What a column means: SPSS's variable label, a question's wording.
    values : dict of column: {cell: text}
        What a cell means; cells as text, whole numbers without decimals. The table keeps the
        cells.
    missing : dict of column: cells
        Cells that the file itself declares as missing. They are empty in the table.
    units : dict of column: text
        ``"hours"`` for durations and times of day, which the table holds as numbers; else what
        stood behind the numbers.
    taken : dict of column: {word: count}
        Words in columns of text that were taken as missing, with the number of empty cells.
    codes : set of str
        Words that stand for missing in columns of numbers, so that they mean it everywhere.
    """

    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    taken: dict[str, dict[str, int]] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)

    def of_columns(self, names: Collection[str]) -> Labels:
        """The words of some columns only."""
        chosen: dict[str, Any] = {
            one.name: {
                name: words for name, words in getattr(self, one.name).items() if name in names
            }
            for one in fields(self)
            if one.name != "codes"
        }
        return replace(self, **chosen)

    def beside(self, other: Labels) -> Labels:
        """With the words of another table, for the columns that this one says nothing of."""
        return Labels(
            **{one.name: getattr(other, one.name) | getattr(self, one.name) for one in fields(self)}
        )

    def as_dict(self) -> dict[str, Any]:
        """As JSON can hold it; `of_dict` reads it back."""
        return {**asdict(self), "codes": sorted(self.codes)}

    @classmethod
    def of_dict(cls, content: Mapping[str, Any]) -> Labels:
        """What `as_dict` gave."""
        known = {one.name: content[one.name] for one in fields(cls) if one.name in content}
        missing = {name: tuple(cells) for name, cells in known.get("missing", {}).items()}
        return cls(**{**known, "missing": missing, "codes": set(known.get("codes", ()))})


@dataclass(frozen=True, eq=False)
class Reading:
    """A file as a table.

    Attributes
    ----------
    frame : DataFrame
        Numbers, booleans, date-times or text. The index is each row's line in a text file
        (named ``line``) or its row in a sheet or file (named ``row``).
    how : HowRead
        What was recognised.
    labels : Labels
        Words for columns and cells, where the file has any.
    notes : tuple of str
        In words, what was changed or left out: names that were stripped, empty columns.
    sheets : tuple of str
        Sheets of a workbook, all of them; otherwise empty.
    layout : str or None
        ``"m-Path"``, ``"BORIS"`` and so on, where the columns are those of that source.
    roles : dict of role: column
        Roles (``person``, ``time``, ``sequence``, ``outcome``) that the layout knows.
    events : Events or None
        The rows as events with a start and an end, where they are such.
    above : dict of key: value
        Rows of two cells above a text table.
    instruments : tuple of str
        What the rows of an export of REDCap belong to, where its occasions are those of one of
        them; with the most rows first.
    written : dict of column: text
        Whole numbers as they are written, where some have a zero in front: they may be ids.
    """

    frame: pd.DataFrame
    how: HowRead
    labels: Labels = field(default_factory=Labels)
    notes: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    layout: str | None = None
    roles: dict[str, str] = field(default_factory=dict)
    above: dict[str, str] = field(default_factory=dict)
    events: Events | None = None
    instruments: tuple[str, ...] = ()
    written: dict[str, pd.Series] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.frame.attrs["units"] = dict(self.labels.units)  # they go where the table goes

    def with_ids(self, columns: Collection[str]) -> pd.DataFrame:
        """The table with these columns as text, as they stand in the file."""
        texts = {
            name: self.written[name].reindex(self.frame.index)
            if name in self.written
            else as_labels(self.frame[name])
            for name in columns
            if name in self.frame and not is_text(self.frame[name])
        }
        return self.frame.assign(**texts) if texts else self.frame

    def told(self) -> list[str]:
        """What is to be known of a table that is not the first: its sheet, and what was changed."""
        return [*([self.how.words()] if self.sheets else []), *self.notes]

    def lines(self) -> list[str]:
        """How it was read and what was changed, for a terminal."""
        return [f"Read: {self.how.words()}", *self.notes]


def notes_of(long: Reading, second: Reading | None) -> list[str]:
    """What is to be known of how the two tables were read."""
    people = () if second is None else second.told()
    return [*long.notes, *(f"Covariate table: {line}" for line in people)]


def _name(mark: str, names: dict[str, str]) -> str:
    return names.get(mark, repr(mark))


def _lines(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
