"""Splitting rows in time order, within every person."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from nme_core.exceptions import OptionError

#: Names of the parts, in time order.
SPLITS = ("train", "validation", "test")


def split_within_person(
    groups: Iterable[object],
    fractions: tuple[float, float, float] = (0.6, 0.2, 0.2),
    min_rows: int = 5,
) -> npt.NDArray[np.object_]:
    """Assign every row to training, validation or test, in time order within its person.

    Of a person's n rows the first ``floor(0.6 n)`` are for training, those up to ``floor(0.8 n)``
    for validation, the rest for test (spec: evaluation on the person's future).

    Parameters
    ----------
    groups : sequence of n_rows ids
        Person of each row. A person's rows are taken to be in time order.
    fractions : three numbers
        Shares of training, validation and test; they sum to 1.
    min_rows : int
        Persons with fewer rows are in training only.

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
    # The small constant keeps 0.6 * 35 at 21 whatever the rounding of the machine.
    train_end = np.floor(fractions[0] * n_rows + 1e-9)
    validation_end = np.floor((fractions[0] + fractions[1]) * n_rows + 1e-9)
    part = (position >= train_end).astype(np.intp) + (position >= validation_end)
    part[n_rows < min_rows] = 0
    return np.array(SPLITS, dtype=object)[part]  # objects: one pointer a row


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
