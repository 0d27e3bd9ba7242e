"""Names of columns: stripped, unique, none without a name; the same for every format."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd
from pandas.api.types import is_extension_array_dtype

from nme_core.exceptions import DataError

#: Columns that a table may have: more than a week has minutes. Each takes a millisecond or two.
MOST_COLUMNS = 12_000

#: What a column without a name is called.
_BY_PLACE = "column {}"

#: Spaces of all kinds, and characters that are not seen: joiners, marks of direction and order.
_UNSEEN = re.compile(r"[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")


def is_by_place(name: str) -> bool:
    """Whether a name only says which column it is, because the file has no other."""
    return re.fullmatch(_BY_PLACE.format(r"\d+") + "_*", name) is not None


def clean_names(name: str, header: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names without outer spaces and unseen characters, and notes on what was changed.

    A column without a name is called after its place, ``column 3``.

    Raises
    ------
    DataError
        A name stands more than once, or there are too many columns.
    """
    if len(header) > MOST_COLUMNS:
        raise DataError(
            f"{name} has {len(header):,} columns; {MOST_COLUMNS:,} can be read.",
            remedy="Leave out columns that are not needed.",
        )
    names = [_UNSEEN.sub(" ", cell).strip() for cell in header]
    taken = set(names)
    stripped = [new for new, cell in zip(names, header, strict=True) if new != cell and new]
    unnamed = [place for place, cell in enumerate(names) if not cell]
    for place in unnamed:
        names[place] = _free(_BY_PLACE.format(place + 1), taken)
        taken.add(names[place])
    if len(taken - {""}) < len(names):
        twice = next(cell for place, cell in enumerate(names) if cell in names[:place])
        raise DataError(
            f"{name} has the column {twice!r} more than once.",
            remedy="Give every column a name of its own in the header.",
            column=twice,
        )
    notes = []
    if stripped:
        notes.append(f"Spaces around names of columns were left out: {_listed(stripped)}.")
    if unnamed:
        called = _listed([names[place] for place in unnamed])
        notes.append(f"Columns without a name are called by their place: {called}.")
    return names, notes


def assemble(columns: dict[str, pd.Series], index: pd.Index) -> pd.DataFrame:
    """A table of columns whose own indices do not matter; ten thousand of them are no trouble."""
    arrays = {
        name: column.array if is_extension_array_dtype(column.dtype) else column.to_numpy()
        for name, column in columns.items()
    }
    return pd.DataFrame(arrays, index=index, copy=False)


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:10])
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown
