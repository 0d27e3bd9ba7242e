"""Person-level covariates: one row per person, from a second table or from constant columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nme_core.data.columns import as_ids, as_labels, as_numbers, is_number, place, row_number
from nme_core.exceptions import DataError, MissingColumnError


def covariates_from_table(
    table: pd.DataFrame, persons: Sequence[str], person: str
) -> tuple[pd.DataFrame, list[str]]:
    """One row per person of the study from a table that has the person column.

    Returns
    -------
    covariates : DataFrame
        Index: the study's persons (text). Numbers are float64, everything else is text.
    notes : list of str
        Persons that only one of the two tables has, and columns that say nothing.

    Raises
    ------
    DataError
        The person column is missing, a person has two rows, or no person is in both tables.
    """
    if person not in table.columns:
        raise MissingColumnError(person, map(str, table.columns), table="covariate table")
    ids = as_ids(table[person], role="person id")
    twice = np.flatnonzero(ids.duplicated())
    if len(twice):
        who = ids.iloc[twice[0]]
        places = [place(table.index, int(row)) for row in np.flatnonzero(ids == who)]
        raise DataError(
            f"The covariate table has person {who!r} more than once ({', '.join(places)}).",
            remedy="Keep one row per person.",
            column=person,
            person=who,
            row=row_number(table.index, twice[0]),
        )
    if table.empty:
        raise DataError("The covariate table has no rows.", remedy="Give one row per person.")
    known = set(ids)
    without = [who for who in persons if who not in known]
    if len(without) == len(persons):
        raise DataError(
            "The study and its covariate table have no person in common: "
            f"the study has {_some(persons)}, the covariate table {_some(list(ids))}.",
            remedy="Write the ids in the same way in both tables.",
            column=person,
        )
    values = {
        str(name): _value(table[name]).set_axis(ids) for name in table.columns if name != person
    }
    covariates = pd.DataFrame(values, index=pd.Index(ids)).reindex(_index(persons))
    notes = []
    if without:
        notes.append(f"{_count(without)} without covariates: {_some(without)}.")
    present = set(persons)
    extra = [who for who in ids if who not in present]
    if extra:
        notes.append(f"{_count(extra)} only in the covariate table, left out: {_some(extra)}.")
    return covariates, notes


def covariates_from_columns(
    long: pd.DataFrame, groups: pd.Series, names: Sequence[str]
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

    Raises
    ------
    DataError
        A column has two values for one person.
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
        name: _value(long[name]).groupby(groups.to_numpy(), sort=False).first() for name in names
    }
    return pd.DataFrame(firsts, index=_index(persons))


def _value(column: pd.Series) -> pd.Series:
    if is_number(column):
        numbers = as_numbers(column, role="covariate")
        return pd.Series(numbers, index=column.index, name=column.name)
    return as_labels(column)


def _index(persons: Sequence[str]) -> pd.Index:
    return pd.Index(list(persons), name="person", dtype="str")


def _count(persons: Sequence[str]) -> str:
    return "1 person" if len(persons) == 1 else f"{len(persons)} persons"


def _some(persons: Sequence[str]) -> str:
    shown = ", ".join(repr(str(who)) for who in persons[:5])
    return f"{shown} and {len(persons) - 5} more" if len(persons) > 5 else shown
