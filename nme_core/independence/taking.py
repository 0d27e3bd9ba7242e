"""How a test takes a covariate: a number or groups, on how many people, and who is left out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from nme_core.exceptions import DataError
from nme_core.independence.hsic import MIN_PERSONS
from nme_core.independence.kernels import is_categorical

#: With so many groups or more, each has to hold so many people on average.
_MANY_GROUPS, _IN_EACH = 5, 3
#: Share of the people that may be alone in their groups, and so left out.
_MOST_ALONE = 0.5
#: Share of the people with one and the same number above which this is said.
_NEARLY_CONSTANT = 0.8
#: p-values of a test have to be able to fall below it.
ALPHA = 0.05


@dataclass(frozen=True)
class Taken:
    """A covariate as a test takes it.

    Attributes
    ----------
    values : Series, index person
        The covariate, missing for those who are left out.
    kind : str
        ``"number"``, or ``"2 groups"``.
    groups : str
        Groups with their sizes, ``"A 13; B 5"``; empty for a number.
    alone : tuple of str
        People who are left out, because nobody else is in their group.
    note : str
        All of that in one or two sentences.
    """

    values: pd.Series
    kind: str
    groups: str
    alone: tuple[str, ...]
    note: str


def take(covariate: pd.Series, persons: list[str]) -> Taken:
    """Decide how a covariate is tested.

    Parameters
    ----------
    covariate : Series, index person
        Numbers with more than two values are taken as numbers, all else as groups.
    persons : list of str
        Those of whom all that the test needs is known.

    Raises
    ------
    DataError
        Where no test could say anything: there is one group or too many, or so few ways to deal
        the values out that p cannot fall below .05.
    """
    name, known = str(covariate.name), covariate.loc[persons]
    if len(persons) < MIN_PERSONS or known.nunique() < 2:
        return Taken(covariate, "", "", (), "")  # the test says what is wrong
    if not is_categorical(known):
        _check_ways(name, known)
        words = f"{name}: taken as a number, {len(known)} people.{_nearly_constant(known)}"
        return Taken(covariate, "number", "", (), words)
    sizes = known.value_counts()
    lonely = sizes.index[sizes == 1]
    alone = known[known.isin(lonely)]
    kept = known.drop(alone.index)
    _check_groups(name, known, sizes)
    if len(alone) and len(kept) >= MIN_PERSONS:
        _check_ways(name, kept)
    elif not len(alone):
        _check_ways(name, known)
    sizes = kept.value_counts().sort_index(key=lambda index: index.map(_label))
    groups = "; ".join(f"{_label(label)} {n}" for label, n in sizes.items())
    words = f"{name}: taken as {len(sizes)} groups ({groups}), {len(kept)} people."
    if len(alone):
        which = ", ".join(f"{person!r} in {_label(alone[person])!r}" for person in alone.index[:5])
        more = f" and {len(alone) - 5} more" if len(alone) > 5 else ""
        words += f" Left out, alone in their group: {which}{more}."
    if (sizes == 2).any():
        which = ", ".join(repr(_label(label)) for label in sizes.index[sizes == 2][:5])
        words += f" Two people tell hardly anything of a group: {which}."
    values = covariate.mask(covariate.isin(lonely)) if len(alone) else covariate
    return Taken(values, f"{len(sizes)} groups", groups, tuple(map(str, alone.index)), words)


def _check_groups(name: str, known: pd.Series, sizes: pd.Series) -> None:
    n_alone, n = int((sizes == 1).sum()), len(known)
    if len(sizes) - n_alone < 2 and n_alone <= _MOST_ALONE * n:
        who = ", ".join(repr(_label(label)) for label in sizes.index[sizes == 1][:5])
        verb = "has one person" if n_alone == 1 else "have one person each"
        raise DataError(
            f"The covariate {name!r} cannot be tested: the {'group' if n_alone == 1 else 'groups'} "
            f"{who} {verb}, and a person alone says nothing of a group.",
            remedy="Compare groups of two people or more; groups can be joined in the table.",
            column=name,
        )
    few_each = len(sizes) >= _MANY_GROUPS and n < _IN_EACH * len(sizes)
    if few_each or n_alone > _MOST_ALONE * n:
        raise DataError(
            f"The covariate {name!r} has {len(sizes)} different labels among {n} people, such as "
            f"{', '.join(repr(_label(label)) for label in sizes.index[:3])}: too many groups to "
            "compare.",
            remedy="If these are numbers, write them as numbers; else join labels to fewer groups.",
            column=name,
        )


def _check_ways(name: str, known: pd.Series) -> None:
    """Raise DataError where so few orders of the values differ that p cannot be small."""
    sizes = known.value_counts()
    ways = math.lgamma(len(known) + 1) - sum(math.lgamma(n + 1) for n in sizes)
    if is_categorical(known):  # groups of one size may change places
        ways -= sum(math.lgamma(n + 1) for n in sizes.value_counts())
    if ways < math.log(1 / ALPHA) - 1e-9:
        groups = " and ".join(f"{n} with {_label(label)!r}" for label, n in sizes.items())
        raise DataError(
            f"The covariate {name!r} cannot be tested: {groups} can be dealt out in only "
            f"{round(math.exp(ways))} ways, so that p cannot fall below {math.exp(-ways):.2f}.",
            remedy="More people are needed in the smaller groups.",
            column=name,
        )


def _nearly_constant(known: pd.Series) -> str:
    sizes = known.value_counts()
    if sizes.iloc[0] < _NEARLY_CONSTANT * len(known):
        return ""
    n_others = len(known) - int(sizes.iloc[0])
    return (
        f" {int(sizes.iloc[0])} of them have the same value ({sizes.index[0]:g}): the test rests "
        f"on the other {n_others}."
    )


def _label(value: object) -> str:
    """A group's name; whole numbers without decimals."""
    return f"{value:g}" if isinstance(value, float) else str(value)
