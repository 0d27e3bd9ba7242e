"""Gaps in time: where a sequence ends because the next row comes too late to be its next step."""

from __future__ import annotations

import re

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from nme_core.exceptions import DataError, OptionError
from nme_core.study.time.occasions import DAYS_OF

#: No gap is too long.
NEVER = "none"
#: Times most of whose steps are no longer than this are taken several times a day. There a longer
#: gap is a night, which is not a step unless the user asks for it.
NIGHT = "6h"
#: Unit of times that became days since a person's first.
DAYS = "d"

_UNITS = {unit: pd.Timedelta(days=days) for unit, days in DAYS_OF.items() if unit in "s min h d w"}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*")


def gap_limit(
    max_gap: str | None,
    times: pd.Series | None,
    sequences: pd.Series,
    unit: str | None = None,
) -> str | None:
    """Return the limit that holds for a study, as text; None where sequences are not broken.

    Parameters
    ----------
    max_gap : str, optional
        A duration with its unit (``8h``; s, min, h, d or w) for times whose unit is known, a plain
        number for others, or ``none``. None: times that are taken several times a day are broken
        at nights, others are not.
    times, sequences : Series
        Time and sequence of the rows, in order.
    unit : str, optional
        Unit of times that are numbers, where it is known; a plain number is then in this unit.

    Raises
    ------
    OptionError
        Where the limit is no duration, has the wrong unit for the times, or there are no times.
    """
    if max_gap is None:
        if times is None or not (unit or is_datetime64_any_dtype(times.dtype)):
            return None
        steps = times.groupby(sequences, sort=False).diff().dropna()
        steps = steps[steps.ne(steps - steps)]  # rows at one time are no step apart
        return NIGHT if bool((steps <= _in_units_of(NIGHT, times, unit)).mean() > 0.5) else None
    text = max_gap.strip()
    if text.lower() == NEVER:
        return None
    _in_units_of(text, times, unit)
    return text


def break_at_gaps(
    sequences: pd.Series, times: pd.Series | None, limit: str | None, unit: str | None = None
) -> tuple[pd.Series, int]:
    """Name the pieces of sequences between gaps, ``<sequence>/<piece>`` from 1, and count gaps.

    Parameters
    ----------
    sequences : Series of text
        Sequence of each row, in order of time within each.
    times : Series or None
        Time of each row.
    limit : str, optional
        From `gap_limit`; None: nothing is broken or named anew.
    unit : str, optional
        Unit of times that are numbers, where it is known.

    Raises
    ------
    DataError
        Where two pieces would get the same name.
    """
    if limit is None or times is None:
        return sequences, 0
    longest = _in_units_of(limit, times, unit)
    broken = times.groupby(sequences, sort=False).diff() > longest
    piece = broken.groupby(sequences, sort=False).cumsum() + 1
    names = sequences + "/" + piece.astype("str")
    pairs = pd.concat([sequences, piece], axis=1, ignore_index=True).drop_duplicates()
    if names.nunique() < len(pairs):
        raise DataError(
            "The pieces of sequences between gaps cannot be told apart, because ids contain a"
            " slash.",
            remedy="Write the ids without '/'.",
        )
    return names, int(broken.sum())


def gap_notes(n_gaps: int, limit: str | None, *, asked: bool) -> list[str]:
    """Say in words what was broken; `asked` is whether the user set the limit."""
    if limit is None:
        return []
    verb = "gap breaks" if n_gaps == 1 else "gaps break"
    note = f"{n_gaps} {verb} sequences: longer than {limit}."
    if asked:
        return [note]
    return [f"{note} Nights are not steps; --max-gap none keeps them, another limit moves them."]


def _in_units_of(
    limit: str, times: pd.Series | None, known: str | None = None
) -> pd.Timedelta | float:
    """Return a limit as what differences of these times can be compared with."""
    if times is None:
        raise OptionError(
            "Gaps cannot be seen without times.", remedy="Name the time column, or leave the limit."
        )
    found = _DURATION.fullmatch(limit)
    unit = found[2].lower() if found else ""
    if found is None or (unit and unit not in _UNITS):
        raise OptionError(
            f"The longest gap {limit!r} is no duration.",
            remedy="Write for example 8h, 90min, 30s, 2d or 1w; a plain number for times that count"
            " rows; none for no limit.",
        )
    number = float(found[1])
    if number <= 0:
        raise OptionError(f"The longest gap {limit!r} is not above 0.", remedy="Give a longer one.")
    if is_datetime64_any_dtype(times.dtype):
        if not unit:
            raise OptionError(
                f"The longest gap {limit!r} needs a unit: {times.name!r} holds dates and times.",
                remedy=f"Write for example {limit}h, or {limit}min.",
            )
        return number * _UNITS[unit]
    if unit and known is not None:
        return float(number * (_UNITS[unit] / pd.Timedelta(days=DAYS_OF[known])))
    if unit:
        raise OptionError(
            f"The longest gap {limit!r} has a unit, but the times in {times.name!r} are plain"
            " numbers.",
            remedy=f"Give the gap in their own unit, such as --max-gap {found[1]}.",
        )
    return number
