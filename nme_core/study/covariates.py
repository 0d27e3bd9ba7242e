"""Person-level covariates: one row per person, from a second table or from constant columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from nme_core.exceptions import DataError, MissingColumnError
from nme_core.study.clean.people import (
    keep_one_of,
    known_otherwise,
    respelling_notes,
    tells_apart,
)
from nme_core.study.clean.remedies import Remedy
from nme_core.study.clean.words import covariate_words
from nme_core.study.columns import (
    as_ids,
    as_labels,
    as_numbers,
    first_word,
    is_number,
    place,
    row_number,
)

#: A column with so many different numbers and so few different words holds numbers.
_MANY_NUMBERS, _FEW_WORDS = 4, 2


def labelled(remedies: Iterable[Remedy]) -> set[str]:
    """Columns that were said to hold labels, even where these look like numbers."""
    return {name for one in remedies if one.kind == "as_labels" for name in one.columns}


def covariates_from_table(
    table: pd.DataFrame, persons: Sequence[str], person: str, *, labels: Collection[str] = ()
) -> tuple[pd.DataFrame, list[str]]:
    """One row per person of the study from a table that has the person column.

    Parameters
    ----------
    table : DataFrame
        The covariate table.
    persons : sequence of str
        Those of the study.
    person : str
        The person column.
    labels : collection of str
        Columns that hold labels, even where these look like numbers.

    Returns
    -------
    covariates : DataFrame
        Index: the study's persons (text). Numbers are float64, everything else is text.
    notes : list of str
        Persons that only one of the two tables has, and rows that were alike.

    Raises
    ------
    DataError
        The person column is missing, a person has two rows that differ, no person is in both
        tables, or a column holds numbers and words.
    """
    if person not in table.columns:
        raise MissingColumnError(person, map(str, table.columns), table="covariate table")
    if table.empty:
        raise DataError("The covariate table has no rows.", remedy="Give one row per person.")
    notes = respelling_notes(table[person], table=" of the covariate table")
    ids = as_ids(table[person], role="person id", table=" of the covariate table")
    table, ids = _one_row_each(table, ids, person, notes)
    known = set(ids)
    without = [who for who in persons if who not in known]
    if len(without) == len(persons):
        raise _none_in_common(persons, list(ids), person)
    values = {
        str(name): _value(table[name], labels).set_axis(ids)
        for name in table.columns
        if name != person
    }
    covariates = pd.DataFrame(values, index=pd.Index(ids)).reindex(_index(persons))
    if without:
        notes.append(f"{_count(without)} without covariates: {_some(without)}.")
    present = set(persons)
    extra = [who for who in ids if who not in present]
    if extra:
        notes.append(f"{_count(extra)} only in the covariate table, left out: {_some(extra)}.")
    return covariates, notes


def _one_row_each(
    table: pd.DataFrame, ids: pd.Series, person: str, notes: list[str]
) -> tuple[pd.DataFrame, pd.Series]:
    """The table without rows that repeat another one in full; DataError where two rows differ."""
    if ids.is_unique:
        return table, ids
    whole = table.assign(**{person: ids})
    again = whole.duplicated()
    table, ids = table[~again], ids[~again]
    if again.any():
        rows = "1 row" if again.sum() == 1 else f"{again.sum()} rows"
        notes.append(f"{rows} of the covariate table repeat another one in full: left out.")
    twice = list(ids[ids.duplicated()].unique())
    if not twice:
        return table, ids
    places = [place(table.index, int(row)) for row in np.flatnonzero(ids == twice[0])]
    differing = [
        str(name)
        for name in table.columns
        if name != person
        and (table[name].groupby(ids.to_numpy()).nunique(dropna=False).loc[twice] > 1).any()
    ]
    visits = tells_apart(table.assign(**{person: ids}), [person], ())
    visits = [name for name in visits if table[name].nunique() < len(table) / 2][:1]
    fixes = [fix for name in visits for fix in keep_one_of(table, [person], name)]
    more = "" if len(twice) == 1 else f" In all, this is so for {_count(twice)}: {_some(twice)}."
    raise DataError(
        f"The covariate table has person {twice[0]!r} more than once ({', '.join(places[:5])}), "
        f"with different values of {_some(differing)}.{more}",
        remedy="Keep one row per person, such as the first visit; or give each visit's values "
        "columns of their own.",
        column=person,
        person=twice[0],
        row=row_number(table.index, int(np.flatnonzero(ids.duplicated())[0])),
        fixes=tuple(fixes),
    )


def _none_in_common(persons: Sequence[str], others: Sequence[str], person: str) -> DataError:
    same = known_otherwise(others, persons)
    fix = Remedy("write_alike", (person,), tuple(dict.fromkeys(same.values()))) if same else None
    return DataError(
        "The study and its covariate table have no person in common: "
        f"the study has {_some(persons)}, the covariate table {_some(others)}.",
        remedy="Write the ids in the same way in both tables."
        if fix is None
        else f"If {_pairs(same)} are the same people, write them alike.",
        column=person,
        fixes=() if fix is None else (fix,),
    )


def covariates_from_columns(
    long: pd.DataFrame, groups: pd.Series, names: Sequence[str], *, labels: Collection[str] = ()
) -> pd.DataFrame:
    """Columns of the long table that are constant within person, one row per person.

    Parameters
    ----------
    long : DataFrame
        The long table.
    groups : Series, same index as `long`
        Person of each row.
    names : sequence of str
        The columns.
    labels : collection of str
        Those that hold labels, even where these look like numbers.

    Raises
    ------
    DataError
        A column has two values for one person, or holds numbers and words.
    """
    for name in names:
        column = long[name]
        counts = column.groupby(groups.to_numpy(), sort=False).nunique()
        if (counts > 1).any():
            who = str(counts.index[int(np.argmax(counts.to_numpy() > 1))])
            values = column[groups == who].dropna().unique()[:3]
            raise DataError(
                f"The covariate {name!r} is not constant within person {who!r}: it is "
                f"{' and '.join(str(value) for value in values)}.",
                remedy="Correct the rows, or use the column as a feature.",
                column=name,
                person=who,
            )
    persons = list(groups.unique())
    firsts = {
        name: _value(long[name], labels).groupby(groups.to_numpy(), sort=False).first()
        for name in names
    }
    return pd.DataFrame(firsts, index=_index(persons))


def _value(column: pd.Series, labels: Collection[str]) -> pd.Series:
    if column.name in labels:
        return as_labels(column)
    if is_number(column):
        numbers = as_numbers(column, role="covariate")
        return pd.Series(numbers, index=column.index, name=column.name)
    if has_words_among_numbers(column):
        row, word = first_word(column)
        raise DataError(
            f"The covariate {column.name!r} holds numbers, but also words: "
            f"{place(column.index, row)} holds {word[:40]!r}.",
            remedy="Treat the word as missing, correct it in the file, or take all of them as "
            "labels.",
            column=str(column.name),
            row=row_number(column.index, row),
            fixes=next((found.fixes for found in covariate_words(column)), ()),
        )
    return as_labels(column)


def has_words_among_numbers(column: pd.Series) -> bool:
    """Whether a column of text is one of numbers with a few words in it, rather than of labels."""
    if is_number(column) or is_datetime64_any_dtype(column.dtype):
        return False
    present = as_labels(column).dropna()
    numbers = pd.to_numeric(present, errors="coerce")
    words = present[numbers.isna()]
    if not len(words) or not numbers.notna().any():
        return False
    few = words.nunique() <= _FEW_WORDS and numbers.nunique() >= _MANY_NUMBERS
    return few or len(words) < len(present) / 2


def _index(persons: Sequence[str]) -> pd.Index:
    return pd.Index(list(persons), name="person", dtype="str")


def _count(persons: Sequence[str]) -> str:
    return "1 person" if len(persons) == 1 else f"{len(persons)} people"


def _pairs(same: dict[str, str]) -> str:
    pairs = [f"{other!r} and {known!r}" for other, known in list(same.items())[:3]]
    return ", ".join(pairs) + (f" and {len(same) - 3} more pairs" if len(same) > 3 else "")


def _some(persons: Sequence[str]) -> str:
    shown = ", ".join(repr(str(who)) for who in persons[:5])
    return f"{shown} and {len(persons) - 5} more" if len(persons) > 5 else shown
