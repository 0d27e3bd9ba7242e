"""The tables ``hsic`` and ``effects`` as lines of text for a terminal."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable

import pandas as pd

from nme_core.vocabulary.text import fixed, number, p_phrase, p_value

#: Characters of the widest line.
WIDTH = 100

_GAP = "  "

#: What stands below the tests.
STRENGTH_NOTE = (
    "Strength is 0 on average where nothing depends on the covariate, so it may fall below, and at "
    "most 1. Its interval is approximate (jackknife) and wide; p comes from permutations. Where "
    "the two disagree, go by p."
)


def hsic_lines(hsic: pd.DataFrame) -> list[str]:
    """Tests of all covariates, one line each, below a header, and how many there were.

    Parameters
    ----------
    hsic : DataFrame
        The table of `CovariateTests`.
    """
    lines = _lines(
        {
            "covariate": hsic["covariate"],
            **({"taken as": hsic["taken_as"]} if "taken_as" in hsic else {}),
            "of": hsic["parameters"].str.split(" ").str[0],
            "people": hsic["n_persons"],
            "strength": hsic["strength"].map(_number),
            "95 % interval": _intervals(hsic["strength_low"], hsic["strength_high"]),
            "p": hsic["p"].map(p_value),
            "corrected p": hsic["p_adjusted"].map(p_value),
            "strata": hsic["strata"],
        },
        text=("covariate", "taken as", "of", "strata"),
    )
    return [*lines, counts_line(hsic)]


def both_lines(hsic: pd.DataFrame, words: Callable[[str], str]) -> list[str]:
    """What is behind each p: that of HSIC, and that of the clearest single parameter."""
    if "p_single" not in hsic:
        return []
    return [
        f"{row['covariate']}: p counts two looks together. All of them at once (HSIC): "
        f"{p_phrase(row['p_hsic'])}; the clearest one, {words(row['single'])}:"
        f" {p_phrase(row['p_single'])}."
        for row in hsic.to_dict("records")
    ]


def counts_line(hsic: pd.DataFrame) -> str:
    """How many tests were corrected together, and from how many permutations p comes."""
    tests, reps = (_several(hsic[name]) for name in ("n_tests", "reps"))
    return f"Tests corrected together: {tests}. Permutations: {reps}."


def effects_lines(effects: pd.DataFrame, n: int = 10) -> list[str]:
    """Effects with the smallest p, one line each, below a header.

    Parameters
    ----------
    effects : DataFrame
        The table of `CovariateTests`.
    n : int
        Number of effects.
    """
    rows = effects.sort_values("p", kind="stable").head(n)
    kind = rows["kind"].str.replace("mean difference", "mean diff.")
    return _lines(
        {
            "covariate": rows["covariate"],
            "parameter": rows["parameter"],
            "kind": (kind + " " + rows["group"]).str.strip(),
            "effect": rows["effect"].map(_number),
            "95 % interval": _intervals(rows["ci_low"], rows["ci_high"]),
            "p": rows["p"].map(p_value),
            "corrected p": rows["p_adjusted"].map(p_value),
            "people": rows["n_persons"],
        },
        text=("covariate", "parameter", "kind"),
    )


def stability_lines(stability: pd.DataFrame) -> list[str]:
    """Reliability of each parameter, one line each, below a header.

    Parameters
    ----------
    stability : DataFrame
        The table ``stability``.
    """
    return _lines(
        {
            "parameter": stability["parameter"],
            "split-half": stability["split_half"].map(_number),
            "95 % interval": _intervals(stability["ci_low"], stability["ci_high"]),
            **(
                {"seeds": stability["seed_agreement"].map(_number)}
                if stability["seed_agreement"].notna().any()
                else {}
            ),
            f"without a {stability['weeks'].iloc[0]}": stability["week_agreement"].map(_number),
            "people": stability["n_persons"],
        },
        text=("parameter",),
    )


def note_lines(notes: Iterable[str]) -> list[str]:
    """Sentences, each in as many lines as it needs."""
    return [line for note in notes if note for line in textwrap.wrap(note, WIDTH)]


def _several(values: pd.Series) -> str:
    """The different values of a column."""
    return ", ".join(map(str, values.unique()))


def _intervals(low: pd.Series, high: pd.Series) -> list[str]:
    return [
        "–" if math.isnan(a) else f"{_number(a)} to {_number(b)}"
        for a, b in zip(low, high, strict=True)
    ]


def _number(value: float) -> str:
    return fixed(value, 3) if 0.001 <= abs(value) < 1000 or value == 0 else number(value)


def _lines(columns: dict[str, Iterable[object]], text: tuple[str, ...]) -> list[str]:
    """Columns side by side, text to the left and numbers to the right, at most `WIDTH` wide.

    Text gives way, the widest first, down to its heading.
    """
    cells = {name: [name, *map(str, values)] for name, values in columns.items()}
    widths = {name: max(map(len, column)) for name, column in cells.items()}
    too_wide = sum(widths.values()) + len(_GAP) * (len(widths) - 1) - WIDTH
    while too_wide > 0 and (long := [name for name in text if widths.get(name, 0) > len(name)]):
        widths[max(long, key=widths.__getitem__)] -= 1
        too_wide -= 1
    lines = []
    for row in zip(*cells.values(), strict=True):
        parts = [
            _shorten(cell, widths[name]).ljust(widths[name])
            if name in text
            else cell.rjust(widths[name])
            for name, cell in zip(cells, row, strict=True)
        ]
        lines.append(_GAP.join(parts).rstrip())
    return lines


def _shorten(cell: str, width: int) -> str:
    """The cell, its middle left out where it is wider."""
    if len(cell) <= width:
        return cell
    head = (width - 1) // 2
    return f"{cell[:head]}…{cell[len(cell) - (width - 1 - head) :]}"
