"""The order of a study's rows: person, then sequence, then time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nme_core.exceptions import DataError


def tied_rows(
    groups: pd.Series, sequences: pd.Series | None, times: pd.Series | None
) -> npt.NDArray[np.bool_]:
    """Rows at a time at which the person (of one sequence) has an earlier row of the table."""
    if times is None or (sequences is None and _stands_in_order(groups, times, strictly=True)):
        return np.zeros(len(groups), dtype=np.bool_)
    keys = [groups, times] if sequences is None else [groups, sequences, times]
    return pd.concat(keys, axis=1, ignore_index=True).duplicated().to_numpy()


def refuse_ties(
    groups: pd.Series, sequences: pd.Series | None, times: pd.Series | None, *, who: str
) -> None:
    """Raise DataError where a person has two rows at one time (of one sequence).

    `who` is what needs an order of the rows.
    """
    again = np.flatnonzero(tied_rows(groups, sequences, times))
    if times is None or not len(again):
        return
    row = int(again[0])
    where = "" if sequences is None else f" of sequence {sequences.iloc[row]!r}"
    n_people = groups.iloc[again].nunique()
    scale = "" if len(again) == 1 else (
        f" In all, {len(again):,} rows of {n_people:,} people are affected."
    )  # fmt: skip
    finer = "use a time column that is finer" if sequences is not None else (
        "use a time column that is finer, or name the column that tells them apart (a session or "
        "a day) as the sequence"
    )  # fmt: skip
    raise DataError(
        f"{who} needs the order of a person's rows, but person {groups.iloc[row]!r} has more than "
        f"one row at {times.name!r} = {times.iloc[row]}{where}.{scale}",
        remedy=f"Take --model nme-mlp, whose rows need no order; or {finer}.",
        column=str(times.name),
        person=str(groups.iloc[row]),
    )


def name_sequences(groups: pd.Series, sequences: pd.Series) -> pd.Series:
    """``"<person>/<sequence>"``; DataError where two sequences would get the same name."""
    names = groups + "/" + sequences
    pairs = pd.concat([groups, sequences], axis=1, ignore_index=True).drop_duplicates()
    if names.nunique() < len(pairs):
        raise DataError(
            "People and sequences cannot be told apart, because some contain a slash.",
            remedy="Write the ids without '/'.",
            column=str(sequences.name),
        )
    return names


def order_rows(
    groups: pd.Series,
    sequences: pd.Series | None,
    times: pd.Series | None,
    values: pd.DataFrame | None = None,
) -> npt.NDArray[np.intp]:
    """Positions of the rows by person (first appearance), sequence, and time.

    Rows at one time stand in the order of their `values` (numbers and text), where these are given,
    so that the order of the table changes nothing.

    Sequences with numbers as names are ordered by number. Others are ordered by their first time
    where no two sequences of a person overlap in time, else by first appearance.
    """
    sorted_already = times is not None and sequences is None and _stands_in_order(groups, times)
    if sorted_already and values is None:
        return np.arange(len(groups))
    person = pd.factorize(groups)[0]
    keys: list[npt.NDArray[Any]] = [person]
    if sequences is not None:
        keys.append(_sequence_rank(person, sequences, times))
    if times is not None:
        keys.append(times.rank(method="dense").to_numpy())
        if values is not None:
            keys += [pd.factorize(values[name], sort=True)[0] for name in values.columns]
    return np.lexsort(keys[::-1])


def _stands_in_order(groups: pd.Series, times: pd.Series, *, strictly: bool = False) -> bool:
    """Whether each person's rows stand together and in order of time: then nothing is sorted."""
    person = pd.factorize(groups)[0]
    if (person[1:] < person[:-1]).any():
        return False
    clock = times.to_numpy()
    later = clock[1:] > clock[:-1] if strictly else clock[1:] >= clock[:-1]
    return bool((later | (person[1:] > person[:-1])).all())


def _sequence_rank(
    person: npt.NDArray[np.intp], sequences: pd.Series, times: pd.Series | None
) -> npt.NDArray[np.float64]:
    numbers = pd.to_numeric(sequences, errors="coerce")
    if numbers.notna().all():
        return numbers.to_numpy(dtype=np.float64)
    appearance = np.arange(len(sequences))
    table = pd.DataFrame({"person": person, "sequence": sequences.to_numpy()})
    table["clock"] = appearance if times is None else times.rank(method="dense").to_numpy()
    table["appearance"] = appearance
    spans = table.groupby(["person", "sequence"], sort=False).agg(
        first=("clock", "min"), last=("clock", "max"), appearance=("appearance", "min")
    )
    by_time = spans.sort_values(["person", "first"])
    person_of = by_time.index.get_level_values("person").to_numpy()
    overlap = (by_time["first"].to_numpy()[1:] <= by_time["last"].to_numpy()[:-1]) & (
        person_of[1:] == person_of[:-1]
    )
    rank = spans["appearance"] if overlap.any() else spans["first"]
    joined = table.join(rank.rename("rank"), on=["person", "sequence"])
    return joined["rank"].to_numpy(dtype=np.float64)
