"""Which rows of a study are held back, and for what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from nme_core.batches.splits import (
    MIN_ROWS,
    SPLITS,
    classes_note,
    few_rows,
    people_for_classes,
    split_within_person,
)
from nme_core.exceptions import DataError
from nme_core.study.study import Study


@dataclass(frozen=True)
class SplitPlan:
    """Training, validation or test of every row, as a fit takes them.

    Attributes
    ----------
    parts : Categorical
        One of `SPLITS` for each row, a byte each.
    notes : tuple of str
        In words, what is not as `split_within_person` says.
    classes : str or None
        In words, which people are in training for a class that comes late; not among `notes`.
    """

    parts: pd.Categorical
    notes: tuple[str, ...]
    classes: str | None = None


def plan_split(study: Study) -> SplitPlan:
    """Plan which rows are held back.

    Rows whose further group no training row has, and people who alone reach a class, are moved
    into training.

    Raises
    ------
    DataError
        Nothing is left to validate or test on, or nothing varies in training.
    """
    parts = pd.Categorical(split_within_person(study.groups, tied=study.tied), categories=SPLITS)
    notes, outcome, said = [], study.roles.outcome, None
    if few_rows(study.blocks.sizes):
        notes.append(
            f"Most people have fewer than {MIN_ROWS} rows: of them only the last row is held back, "
            f"{int((parts == SPLITS[1]).sum())} for validation and "
            f"{int((parts == SPLITS[2]).sum())} for the test; all else is for training. What is "
            "interpreted is fitted on all rows."
        )
    _require(
        parts, "No person has enough rows to hold some back", "Two people need two rows or more."
    )
    unseen = _unseen_groups(study, parts)
    if unseen.any():
        parts = _moved(parts, unseen)
        notes.append(
            f"{int(unseen.sum())} rows are used for training and not held back, because their group"
            " occurs only there."
        )
        groups = ", ".join(study.roles.groups)
        _require(
            parts,
            f"Every row that could be held back has a group of {groups} that no other row has",
            "Leave that further group out, or join its small groups.",
        )
    number = study.outcome_kind == "number"
    late = {} if number else people_for_classes(parts, study.groups, study.y)
    if late:
        people = {who for group in late.values() for who in group}
        parts = _moved(parts, study.groups.isin(people).to_numpy())
        said = classes_note(late, outcome)
        _require(
            parts,
            f"{next(iter(late))!r} of {outcome!r} occurs only in rows that are held back, and "
            f"without {len(people)} people nobody has rows to hold back",
            "Join this state with another one, or give more people.",
        )
    if study.y[parts == SPLITS[0]].nunique() < 2:
        raise DataError(
            f"The outcome {outcome!r} does not vary in the rows for training.",
            remedy="There is nothing to learn from them; give more occasions.",
            column=outcome,
        )
    return SplitPlan(parts, tuple(notes), said)


def _moved(split: pd.Categorical, rows: npt.NDArray[np.bool_]) -> pd.Categorical:
    kept = split.copy()
    kept[rows] = SPLITS[0]
    return kept


def _require(parts: pd.Categorical, why: str, remedy: str) -> None:
    for part in SPLITS[1:]:
        if not (parts == part).any():
            raise DataError(f"{why}: no row is left for {part}.", remedy=remedy)


def _unseen_groups(study: Study, split: pd.Categorical) -> npt.NDArray[np.bool_]:
    """Rows whose further group no training row has."""
    unseen = np.zeros(len(split), dtype=bool)
    for column in study.further_groups.columns:
        groups = study.further_groups[column]
        unseen |= (~groups.isin(groups[split == SPLITS[0]].unique())).to_numpy()
    return unseen
