"""Charts of transition matrices side by side: of all persons, and of groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from nme_core.figures import theme
from nme_core.figures.charts import Chart, Matrix, Panel
from nme_core.figures.labels import cell, distinct
from nme_core.figures.matrices import CELL_NAMES, LABEL_LENGTH
from nme_core.figures.summaries import difference_limit, value_limits
from nme_core.vocabulary.language import tr
from nme_core.vocabulary.numbers import number
from nme_core.vocabulary.text import count

#: Number of states from which cells have numbers in their short form.
COMPACT_FROM = 6
_SMALL, _LARGE, _CELL = 230, 300, 46
#: Pixels that panels beside each other share, and of a letter.
_WIDTH, _LETTER = 880, 6.5


def transition_multiples(
    matrices: Mapping[str, pd.DataFrame], *, readout: str, notes: Mapping[str, str]
) -> Chart:
    """One small matrix for each person, in the order given, on one scale.

    ``notes`` says something about a person beside the name, such as the value of a covariate.
    """
    values = [matrix.to_numpy(dtype=float) for matrix in matrices.values()]
    limits = value_limits(readout, *values)
    panels = [
        Panel(
            title=f"{person} {notes.get(person, '')}".strip(),
            matrix=_matrix(
                matrix,
                readout,
                limits,
                written=False,
                who=tr("person {person}").format(person=person),
            ),
            **_outer_names(i, len(matrices), 4),
        )
        for i, (person, matrix) in enumerate(matrices.items())
    ]
    rows = -(-len(panels) // 4)
    return Chart(
        tr("Transitions, person by person"), panels, long_table(matrices, "person"), n_columns=4,
        height=90 + _SMALL * rows + _under(next(iter(matrices.values())), 4),
    )  # fmt: skip


def group_transitions(
    groups: Mapping[str, tuple[int, pd.DataFrame]],
    *,
    readout: str,
    covariate: str,
    contrast: str | None = None,
    intervals: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]] | None = None,
    sizes: Mapping[str, pd.DataFrame] | None = None,
) -> Chart:
    """Mean matrix of each group, and the first (lowest) group's minus the last one's.

    Parameters
    ----------
    groups : mapping
        Number of persons and mean matrix (from × to) by the group's name.
    readout, covariate : str
    contrast : str, optional
        What the difference is called, such as "low − high".
    intervals : mapping, optional
        Ends of the 95 % intervals of each group's means, and of the difference by `contrast`.
    sizes : mapping, optional
        Number of persons behind each cell of a group; those who were never in a state are not.
    """
    names, ends = list(groups), intervals or {}
    contrast = contrast or f"{names[0]} − {names[-1]}"
    means = {name: matrix for name, (_, matrix) in groups.items()}
    difference = means[names[0]] - means[names[-1]]
    limits = value_limits(readout, *(m.to_numpy(dtype=float) for m in means.values()))
    reach = difference_limit(difference.to_numpy(dtype=float))
    k = len(difference)
    columns = min(len(groups) + 1, 2 if k >= COMPACT_FROM else 3)
    drawn = [
        (f"{name} ({count(n, 'person')})", _matrix(
            matrix, readout, limits, written=True, who=name, ends=ends.get(name),
            persons=(sizes or {}).get(name, matrix * 0 + n),
        ))
        for name, (n, matrix) in groups.items()
    ]  # fmt: skip
    between = _matrix(
        difference, "scores", (-reach, reach), written=True, who=contrast, ends=ends.get(contrast)
    )
    drawn.append((contrast[0].upper() + contrast[1:], replace(between, scale=tr("difference"))))
    rows = -(-len(drawn) // columns)
    panels = [
        Panel(
            title,
            tr("to") if i // columns == rows - 1 else "",
            tr("from") if i % columns == 0 else "",
            matrix=matrix,
            **_outer_names(i, len(drawn), columns),
        )
        for i, (title, matrix) in enumerate(drawn)
    ]
    return Chart(
        tr("Transitions by {covariate}").format(covariate=covariate),
        panels,
        _group_numbers(groups, difference, contrast, ends),
        n_columns=columns,
        height=90 + max(_LARGE, _CELL * k) * rows + _under(difference, columns),
    )


def _matrix(
    matrix: pd.DataFrame,
    readout: str,
    limits: tuple[float, float],
    *,
    written: bool,
    who: str,
    ends: tuple[pd.DataFrame, pd.DataFrame] | None = None,
    persons: pd.DataFrame | None = None,
) -> Matrix:
    scores, compact = readout == "scores", len(matrix) >= COMPACT_FROM
    values = matrix.to_numpy(dtype=float)
    names = distinct([str(name) for name in matrix.index], LABEL_LENGTH)
    return Matrix(
        values, names, names, theme.DIVERGING if scores else theme.SEQUENTIAL, limits,
        tr(CELL_NAMES)[readout],
        texts=[cell(v, sign=scores, compact=compact) for v in values.ravel()] if written else (),
        hover=_hover(matrix, who, ends, persons),
    )  # fmt: skip


def _outer_names(i: int, n: int, columns: int) -> dict[str, Any]:
    """Names of states at the left, and under the last matrix of each column, only."""
    return {
        "y_ticks": None if i % columns == 0 else (),
        "x_ticks": None if i + columns >= n else (),
    }


def _under(matrix: pd.DataFrame, columns: int) -> int:
    """Pixels for names under a matrix: they are turned where they do not fit side by side."""
    longest = max(min(len(str(name)), LABEL_LENGTH) for name in matrix.columns) * _LETTER
    return round(longest) if longest > _WIDTH / columns / len(matrix) else 0


def _hover(
    matrix: pd.DataFrame,
    who: str,
    ends: tuple[pd.DataFrame, pd.DataFrame] | None,
    persons: pd.DataFrame | None,
) -> list[str]:
    return [
        f"{start} → {end}: {number(float(matrix.loc[start, end]))}{_reach(ends, start, end)}, "
        f"{_mean_of(persons, start, end)}{who}"
        for start in matrix.index
        for end in matrix.columns
    ]


def _mean_of(persons: pd.DataFrame | None, start: str, end: str) -> str:
    """How many persons a mean is of, in words, where a cell is one."""
    if persons is None or pd.isna(persons.loc[start, end]):
        return ""
    return tr("mean of {loc}, ").format(loc=count(int(persons.loc[start, end]), "person"))


def _reach(ends: tuple[pd.DataFrame, pd.DataFrame] | None, start: str, end: str) -> str:
    """The interval of a cell in words, where it is known."""
    if ends is None:
        return ""
    low, high = (float(one.loc[start, end]) for one in ends)
    return (
        tr(" ({low} to {high})").format(low=number(low), high=number(high))
        if np.isfinite(low + high)
        else ""
    )


def long_table(
    matrices: Mapping[str, pd.DataFrame], key: str, value: str = "value"
) -> pd.DataFrame:
    """One row per matrix and transition."""
    parts = [
        matrix.rename_axis(index="from", columns="to").stack(future_stack=True).rename(value)
        .reset_index().assign(**{key: name})
        for name, matrix in matrices.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)[[key, "from", "to", value]]


def _group_numbers(
    groups: Mapping[str, tuple[int, pd.DataFrame]],
    difference: pd.DataFrame,
    contrast: str,
    ends: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]],
) -> pd.DataFrame:
    """Means and their difference, one row per transition, with intervals where they are known."""
    table = long_table({name: mean for name, (_, mean) in groups.items()} | {contrast: difference},
                  "group")  # fmt: skip
    table.insert(1, "n_persons", table["group"].map({name: n for name, (n, _) in groups.items()}))
    for i, side in enumerate(("ci_low", "ci_high") if ends else ()):
        known = long_table({name: pair[i] for name, pair in ends.items()}, "group", side)
        table = table.merge(known, how="left", on=["group", "from", "to"])
    return table
