"""Splitting rows in time order, within every person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nme_core.exceptions import OptionError

#: Names of the parts, in time order.
SPLITS = ("train", "validation", "test")

#: Persons with fewer rows than this are not cut in three parts.
MIN_ROWS = 5

#: Part of the last row of persons with few rows, in turn: 2 test, 1 validation, 0 training.
_IN_TURN = {2: (2, 1, 0, 0, 0), 3: (2, 1)}


def split_within_person(
    groups: Iterable[object],
    fractions: tuple[float, float, float] = (0.6, 0.2, 0.2),
    min_rows: int = MIN_ROWS,
    tied: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.object_]:
    """Assign every row to training, validation or test, in time order within its person.

    Of a person's n rows the first ``floor(0.6 n)`` are for training, those up to ``floor(0.8 n)``
    for validation, the rest for test (spec: evaluation on the person's future).

    Where fewer than half of the persons have `min_rows`, as in a study of a few waves, those with
    fewer have their last row held back, all others being for training: in turn for test and for
    validation; of those with two rows one in five for each, the others keep both for training, so
    that persons and rows can be told apart there.

    Parameters
    ----------
    groups : sequence of n_rows ids
        Person of each row. A person's rows are taken to be in time order.
    fractions : three numbers
        Shares of training, validation and test; they sum to 1.
    min_rows : int
        Persons with fewer rows are in training only, unless they are more than half.
    tied : array of bool, shape (n_rows,), optional
        Rows at the same time as the person's row before, which stands just before them; they are in
        the same part as that one. Where whole times leave a person's part without rows, the person
        is cut by the number of times instead of rows.

    Returns
    -------
    ndarray of str, shape (n_rows,)
        ``"train"``, ``"validation"`` or ``"test"``.

    Raises
    ------
    OptionError
        The fractions are negative or do not sum to 1, or nothing is left for training.
    """
    if min(fractions) < 0 or fractions[0] == 0 or abs(sum(fractions) - 1) > 1e-9:
        raise OptionError(
            f"The fractions {fractions} cannot split a study.",
            remedy="Give three shares that sum to 1, the first above 0, such as (0.6, 0.2, 0.2).",
        )
    values = groups if isinstance(groups, pd.Series) else np.asarray(list(groups), dtype=object)
    rows = pd.Series(pd.factorize(values)[0])
    by_person = rows.groupby(rows)
    position = by_person.cumcount().to_numpy()
    n_rows = by_person.transform("size").to_numpy()
    short = n_rows < min_rows
    if tied is None or not tied.any():
        part = _cut(position, n_rows, fractions)
    else:
        block = np.cumsum(~tied) - 1  # rows of one time are where the last of them is
        at = position[np.flatnonzero(~np.append(tied[1:], False))[block]]
        part = _cut(at, n_rows, fractions)
        parts = pd.crosstab(rows, part).reindex(columns=range(3), fill_value=0).to_numpy()
        lacks = ((parts == 0) & (np.array(fractions) > 0)).any(axis=1)[rows.to_numpy()]
        if (lacks := lacks & ~short).any():
            part[lacks] = _cut_by_time(rows.to_numpy()[lacks], tied[lacks], fractions)
    part[short] = 0
    if fractions[2] > 0 and few_rows(by_person.size().to_numpy(), min_rows):
        _hold_back_last(part, rows.to_numpy(), position, n_rows, short)
    return np.array(SPLITS, dtype=object)[part]  # objects: one pointer a row


def _cut(
    at: npt.NDArray[Any], out_of: npt.NDArray[Any], fractions: tuple[float, float, float]
) -> npt.NDArray[np.intp]:
    """Number of the part of what stands at a place, counted from 0, out of so many."""
    # The small constant keeps 0.6 * 35 at 21 whatever the rounding of the machine.
    train_end = np.floor(fractions[0] * out_of + 1e-9)
    validation_end = np.floor((fractions[0] + fractions[1]) * out_of + 1e-9)
    part: npt.NDArray[np.intp] = (at >= train_end).astype(np.intp) + (at >= validation_end)
    return part


def _cut_by_time(
    persons: npt.NDArray[np.intp],
    tied: npt.NDArray[np.bool_],
    fractions: tuple[float, float, float],
) -> npt.NDArray[np.intp]:
    """Parts of people who are cut by times; with two times, the last is for each part in turn."""
    new = pd.Series((~tied).astype(np.intp)).groupby(persons)
    time, n_times = new.cumsum().to_numpy() - 1, new.transform("sum").to_numpy()
    part = _cut(time, n_times, fractions)
    part[n_times == 1] = 0
    last = (n_times == 2) & (time == 1)
    turn = np.array(_IN_TURN[3] if fractions[2] > 0 else (1,))
    part[last] = turn[pd.factorize(persons[last])[0] % len(turn)]
    return part


def people_for_classes(
    part: npt.ArrayLike, groups: pd.Series, y: pd.Series
) -> dict[str, list[str]]:
    """People whose rows all have to be for training, so that every class is among those rows.

    A state that is reached last (a relapse) stands in held-back rows only. Half of the people who
    reach it, the first ones, teach it then; the others are held back as ever.

    Parameters
    ----------
    part : array of n_rows
        Training, validation or test of each row.
    groups, y : Series
        Person and class of each row.

    Returns
    -------
    dict of class: people
        Only the classes that no training row has.
    """
    training = np.asarray(part) == SPLITS[0]
    found: dict[str, list[str]] = {}
    for label in sorted(set(y.dropna()) - set(y[training].dropna())):
        people = list(dict.fromkeys(groups[(y == label).to_numpy()]))
        found[str(label)] = people[: (len(people) + 1) // 2]
    return found


def classes_note(moved: dict[str, list[str]], name: str) -> str:
    """Words for what `people_for_classes` found in the outcome `name`."""
    labels = ", ".join(repr(label) for label in list(moved)[:5])
    people = list(dict.fromkeys(who for group in moved.values() for who in group))
    listed = ", ".join(repr(str(who)) for who in people[:5]) + (" …" if len(people) > 5 else "")
    rows = "person" if len(people) == 1 else "people"
    return (
        f"{labels} of {name!r} {'occurs' if len(moved) == 1 else 'occur'} only late in people's "
        f"rows, in those that are held back: all rows of {len(people)} {rows} ({listed}) are used "
        "for training instead, so that the model can learn it."
    )


def few_rows(n_rows: npt.NDArray[np.integer[Any]], min_rows: int = MIN_ROWS) -> bool:
    """Whether fewer than half of the persons have `min_rows` rows or more."""
    return bool((n_rows >= min_rows).mean() < 0.5)


def tested_rows(data: Mapping[str, Any]) -> str:
    """Whose rows are the test rows of a run, by its ``data.json``."""
    few = data.get("held_back") == "last row"
    return "some people's last row" if few else "each person's last fifth"


def _hold_back_last(
    part: npt.NDArray[np.intp],
    persons: npt.NDArray[np.intp],
    position: npt.NDArray[np.integer[Any]],
    n_rows: npt.NDArray[np.integer[Any]],
    short: npt.NDArray[np.bool_],
) -> None:
    """Hold back the last row of persons with few rows, in place."""
    last = np.flatnonzero(short & (position == n_rows - 1) & (n_rows > 1))
    last = last[np.argsort(persons[last], kind="stable")]
    for two in (True, False):
        rows = last[(n_rows[last] == 2) == two]
        turn = np.array(_IN_TURN[2 if two else 3])
        part[rows] = turn[np.arange(len(rows)) % len(turn)]
